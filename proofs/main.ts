import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commandLine } from '../lab/driver/command-line.js';
import { datastoreOf } from '../lab/driver/datastore.js';
import { root } from '../lab/driver/folders.js';
import { type LabState, startLab, stopLab } from '../lab/driver/lab.js';
import { ownKubernetes } from '../lab/driver/program.js';
import { newestCertManager } from '../shared/certificates/version.js';
import { McprtError, messageOf } from '../shared/errors.js';
import { drawSummaries } from './pictures/pictures.js';
import { proofs } from './registry.js';
import { versionOf } from './support/cert-manager-versions.js';
import { writeClusterRun } from './support/cluster-table.js';
import { secondsSince } from './support/figures.js';
import { makeFindings } from './support/findings.js';
import { onInterrupt } from './support/interrupts.js';
import { kubernetesVersionOf } from './support/kubernetes-versions.js';
import { type Figures, type LabWishes, NotRun, notRunCode, type Proof } from './support/proof.js';

const usage = `npm run prove -- [NAME ...] [--json] [--small] [--cycles N] [--only WHAT] [--seed N] [--count N] [--cases N] [--cert-manager VERSION] [--kubernetes VERSION] [--datastore kine] [--write-table] [--pictures] [--record]

  --small    less of it, in the time that CI has
  --cycles   how many wipes zero-orders makes
  --seed     of mutations: which ones; --count: how many. Of forecast with --cases: which ones
  --cases    of forecast: so many random cases against cert-manager's own policies, without a cluster;
             --cert-manager 1.16,1.21.2: of these versions, a minor's last patch; without it of all that are known;
  --cert-manager  of every other proof on a lab: one version, whose controllers the lab runs in place of its own
  --kubernetes  of every proof on a lab: one version, or a minor, whose control plane the lab runs in place of its own
  --datastore  of every proof on a lab: kine, which is SQLite as k3s has it by default, in place of etcd
  --write-table  of forecast, and of proofs that are run on several versions: what came of it goes into docs/versions.md
  --pictures  of every proof that runs actions: their summaries as GitHub shows them, looked at in a browser, and kept below build/pictures
  --record   of broken-worlds: what it sees is what the unit tests of the rules replay from now on
  --only     these cases of broken-worlds, rollout-failures, smoke-failures; these proofs of rbac; deployments or reinstalls of workflows; memory or cluster of round-trip; plans or orders of approvals; tenants of scale, as 200,1000; chain, shim or decoding of forecast with --cases

${proofs.map(({ name, claim }) => `${name.padEnd(17)} ${claim}`).join('\n')}`;

const { values, positionals } = commandLine(usage, {
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    small: { type: 'boolean', default: false },
    cycles: { type: 'string' },
    only: { type: 'string' },
    seed: { type: 'string' },
    count: { type: 'string' },
    cases: { type: 'string' },
    'cert-manager': { type: 'string' },
    kubernetes: { type: 'string' },
    datastore: { type: 'string' },
    record: { type: 'boolean', default: false },
    pictures: { type: 'boolean', default: false },
    'write-table': { type: 'boolean', default: false },
  },
});
const print = (line: string): void => void process.stdout.write(`${line}\n`);
const progress = (line: string): void => void process.stderr.write(`${line}\n`);

interface Proven {
  figures: Figures;
  problems: readonly string[];
  seconds: number;
  /** Why it was not run. */
  notRun: string | undefined;
}

/** Of what the lab runs in place of its own. */
const versions = {
  ...(values['cert-manager'] !== undefined && { certManager: versionOf(values['cert-manager']) }),
  ...(values.kubernetes !== undefined && { kubernetes: kubernetesVersionOf(values.kubernetes) }),
  ...(values.datastore !== undefined && { datastore: datastoreOf(values.datastore) }),
};

/** Problems that are told of one proof. */
const mostTold = 50;
/** Of a problem's text, where a whole log may follow that has been shown before. */
const mostOfOne = 300;

/** Runs one proof on labs of its own, and takes them down whatever happens. */
async function prove(proof: Proof): Promise<Proven> {
  const folder = await mkdtemp(join(tmpdir(), `mcprt-${proof.name}-`));
  const labs: LabState[] = [];
  let count = 0;
  const started = performance.now();
  const lab = async ({ env = {}, ...options }: LabWishes = {}): Promise<LabState> => {
    const name = `${proof.name}-${process.pid}-${count++}`;
    const state = await startLab({ ...options, ...versions, name, env: { ...process.env, ...env }, progress });
    labs.push(state);
    return state;
  };
  const down = async (): Promise<void> => {
    await Promise.all(labs.splice(0).map(stopLab));
    await rm(folder, { recursive: true, force: true });
  };
  const isOver = onInterrupt(down);
  const { json: _json, small, ...flags } = values;
  const findings = makeFindings();
  let figures: Figures = {};
  let notRun: string | undefined;
  try {
    figures = await proof.run({ ...findings, lab, folder, small, flags, env: process.env, progress });
    if (values.pictures) {
      const to = join(root, 'build', 'pictures', proof.name);
      const { told, problems } = await drawSummaries(folder, { env: process.env, progress, to });
      for (const problem of problems) findings.fail(problem);
      figures = { ...figures, pictures: told };
    }
  } catch (error) {
    if (error instanceof NotRun) notRun = error.message;
    else {
      findings.fail(
        error instanceof McprtError
          ? `${error.code}: ${error.message}: ${error.why}`
          : ((error as Error).stack ?? messageOf(error)),
      );
    }
  } finally {
    isOver();
    await down();
  }
  return { figures, problems: findings.problems, seconds: secondsSince(started), notRun };
}

const unknown = positionals.filter((name) => !proofs.some((proof) => proof.name === name));
if (unknown.length > 0) {
  progress(`unknown proof: ${unknown.join(', ')}\n${usage}`);
  process.exit(2);
}
const wanted = positionals.length === 0 ? proofs : proofs.filter(({ name }) => positionals.includes(name));
let failed = 0;
let skipped = 0;
for (const proof of wanted) {
  progress(`${proof.name}: ${proof.claim}`);
  const { figures, problems, seconds, notRun } = await prove(proof);
  const ok = problems.length === 0 && notRun === undefined;
  failed += problems.length === 0 ? 0 : 1;
  skipped += notRun === undefined ? 0 : 1;
  // Random cases need no cluster, and have tables of their own.
  if (values['write-table'] && values.cases === undefined && notRun === undefined && proof.inTable !== undefined) {
    const { certManager = newestCertManager.slice(1), kubernetes = ownKubernetes } = versions;
    await writeClusterRun({ certManager, kubernetes, proof, figures, isSmall: values.small, isOk: ok }, proofs);
  }
  if (notRun !== undefined) progress(`  NOT RUN: ${notRun}`);
  for (const problem of problems.slice(0, mostTold)) progress(`  ${problem}`);
  if (problems.length > mostTold) progress(`  … and ${problems.length - mostTold} more`);
  if (values.json) {
    const brief = problems.slice(0, mostTold).map((problem) => problem.slice(0, mostOfOne));
    print(JSON.stringify({ name: proof.name, ok, seconds, ...(notRun && { notRun }), ...figures, problems: brief }));
  } else {
    const told = Object.entries(figures).map(
      ([name, value]) => `${name} ${typeof value === 'object' ? JSON.stringify(value) : value}`,
    );
    const verdict = notRun === undefined ? (ok ? 'ok    ' : 'FAILED') : 'NOT RUN';
    print(`${verdict}  ${proof.name.padEnd(12)}  ${notRun ?? told.join(', ')}  (${seconds} s)`);
  }
}
process.exitCode = failed > 0 ? 1 : skipped > 0 ? notRunCode : 0;
