import { setLimit } from '../lab/driver/meter.js';
import { type FindingCode, findingCodes } from '../shared/checks/catalog.js';
import type { Finding } from '../shared/checks/finding.js';
import { objectOf } from '../shared/cluster/cluster.js';
import { type KubeObject, kinds } from '../shared/cluster/objects.js';
import { messageOf } from '../shared/errors.js';
import { look, lookThroughBundle, untilHealthy, untilShown } from './broken-worlds/look.js';
import { makeSite, type Site } from './broken-worlds/site.js';
import { topics } from './broken-worlds/table.js';
import type { BrokenWorld } from './broken-worlds/world.js';
import type { Proof, ProofContext, Proven } from './proof.js';
import { makeStage } from './stage.js';

/** How long a world may take to show, and to be healthy again, in ms. */
const patience = { shown: 40_000, healthy: 60_000 };

/** Codes that no world shows as its first finding, and why. */
const unshown: Partial<Record<FindingCode, string>> = {
  'challenge-pending': 'on the lab cert-manager always says a reason that is known; see shared/checks/diagnose.test.ts',
  'renewal-blocked': 'the healthy world has it',
  'platform-missing': 'proof setup shows it, on a cluster that was wiped',
  'rollout-overwritten': 'seen while a rollout goes on: proof rollout-failures',
  'pod-config': 'seen while a rollout goes on: proof rollout-failures',
  'probe-failing': 'seen while a rollout goes on: proof rollout-failures',
  'endpoint-failing': 'seen while a rollout goes on: proof rollout-failures',
  'image-other': 'a node of the lab tells the truth; see shared/rollout/verify.test.ts',
  doctor: 'the platform’s own doctor says it, not a look at the cluster',
};

interface Row {
  topic: string;
  world: string;
  first: string;
  follow: string[];
  seconds: number;
  looks: number;
  /** Until all of it, mending included, was over. */
  whole: number;
  bundle: boolean;
  standIn?: string;
}

export const brokenWorlds: Proof = {
  name: 'broken-worlds',
  claim:
    'over 80 worlds, each broken for real and mended again: the first finding names the cause; a healthy one has none',
  async run(context) {
    const stage = await makeStage(context);
    const site = makeSite(stage, context.folder);
    const problems: string[] = [];
    const rows: Row[] = [];
    let healthy: Finding[] = [];
    try {
      await setLimit(stage.rig.state.acme.control, false);
      const installed = await stage.setup();
      if (installed.code !== 0) return { ok: false, figures: {}, problems: [installed.log.slice(-3000)] };
      healthy = await healthyWorld(site, problems);
      for (const { topic, world } of chosen(context)) {
        const started = performance.now();
        const row = await play(site, topic, world, problems);
        rows.push(row);
        const isHealthy = await isMended(site, world, problems);
        row.whole = Math.round((performance.now() - started) / 100) / 10;
        context.progress(`  ${topic}: ${world.name}: ${row.first} in ${row.seconds} s, mended after ${row.whole} s`);
        if (!isHealthy) break;
      }
    } finally {
      await site.mend().catch(() => undefined);
      await stage.close();
    }
    return verdict(rows, healthy, problems, chosen(context).length === all);
  },
};

const all = topics.reduce((sum, { worlds }) => sum + worlds.length, 0);

function chosen({ small, flags }: ProofContext): { topic: string; world: BrokenWorld }[] {
  const only = typeof flags.only === 'string' ? new RegExp(flags.only) : undefined;
  return topics.flatMap(({ topic, worlds }) =>
    worlds
      .filter((world) => (only === undefined ? !small || world.small === true : only.test(`${topic}: ${world.name}`)))
      .map((world) => ({ topic, world })),
  );
}

/** Nothing is wrong, and the only thing worth knowing is what the installer's own policies really do to renewals. */
async function healthyWorld(site: Site, problems: string[]): Promise<Finding[]> {
  await untilHealthy(site.stage, site.folder, patience.healthy);
  const findings = await look(site.stage, site.folder);
  const run = await lookThroughBundle(site.stage, site.folder);
  const told = (found: readonly Pick<Finding, 'code' | 'subject'>[]): string =>
    found.map(({ code, subject }) => `${code} ${subject}`).join(', ');
  const expected = 'renewal-blocked Namespace registry';
  if (told(findings) !== expected) problems.push(`healthy: ${told(findings)}`);
  if (run.code !== 0 || run.outputs.finding !== 'renewal-blocked' || run.outputs.findings !== '1') {
    problems.push(`healthy, through the bundle: ${run.log.slice(-3000)}`);
  }
  await site.add(kinds.networkPolicy, solverPolicy());
  const open = await look(site.stage, site.folder);
  if (open.length > 0) problems.push(`healthy, with the solver’s port open: ${told(open)}`);
  await site.mend();
  return findings;
}

/** What the remedy of `renewal-blocked` says. */
function solverPolicy(): KubeObject {
  const podSelector = { matchLabels: { 'acme.cert-manager.io/http01-solver': 'true' } };
  const ingress = [{ ports: [{ protocol: 'TCP', port: 8089 }] }];
  return objectOf(kinds.networkPolicy, {
    metadata: { namespace: 'registry', name: 'allow-http01-solver' },
    spec: { podSelector, policyTypes: ['Ingress'], ingress },
  });
}

async function play(site: Site, topic: string, world: BrokenWorld, problems: string[]): Promise<Row> {
  const fail = (what: string): void => void problems.push(`${topic}: ${world.name}: ${what}`);
  const glance = await world.make(site).catch((error: unknown) => fail(`it cannot be made: ${messageOf(error)}`));
  const seen = await untilShown(site.stage, site.folder, { world, glance: glance ?? {}, deadline: patience.shown });
  const [first, ...rest] = seen.findings;
  if (seen.lacking !== '') fail(`${seen.lacking}\n${seen.findings.map((one) => JSON.stringify(one)).join('\n')}`);
  if (world.bundle) {
    const inputs: Record<string, string> = glance?.forSetup ? { operation: 'install' } : {};
    const run = await lookThroughBundle(site.stage, site.folder, glance ?? {}, inputs);
    const fails = (world.severity ?? 'error') === 'error';
    if (run.outputs.finding !== world.code || (run.code !== 0) !== fails) {
      fail(`through the bundle: ${run.outputs.finding}, exit code ${run.code}\n${run.log.slice(-3000)}`);
    }
  }
  return {
    topic,
    world: world.name,
    first: first?.code ?? '',
    follow: [...new Set(rest.map(({ code }) => code))],
    seconds: Math.round(seen.seconds * 10) / 10,
    looks: seen.looks,
    whole: 0,
    bundle: world.bundle ?? false,
    ...(world.standIn === undefined ? {} : { standIn: world.standIn }),
  };
}

async function isMended(site: Site, world: BrokenWorld, problems: string[]): Promise<boolean> {
  await site.mend();
  const wrong = await untilHealthy(site.stage, site.folder, patience.healthy);
  if (wrong.length === 0) return true;
  problems.push(`after ${world.name}: not healthy again: ${wrong.map((one) => JSON.stringify(one)).join('\n')}`);
  return false;
}

function verdict(rows: Row[], healthy: Finding[], found: string[], isWhole: boolean): Proven {
  const codes = [...new Set(rows.map(({ first }) => first))].sort();
  const missing = findingCodes.filter((code) => !codes.includes(code));
  const problems = [
    ...found,
    ...missing
      .filter((code) => isWhole && unshown[code] === undefined)
      .map((code) => `no world shows ${code} as its first finding`),
  ];
  return {
    ok: problems.length === 0 && rows.length > 0,
    figures: {
      worlds: rows.length,
      throughBundle: rows.filter(({ bundle }) => bundle).length,
      healthyFindings: healthy.map(({ code, severity, subject }) => `${severity} ${code}: ${subject}`),
      codes,
      notShown: missing,
      standIns: rows.filter(({ standIn }) => standIn !== undefined).length,
      rows,
    },
    problems,
  };
}
