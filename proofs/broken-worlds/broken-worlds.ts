import { setLimit } from '../../lab/driver/meter.js';
import { findingCodes } from '../../shared/checks/catalog.js';
import type { Finding } from '../../shared/checks/finding.js';
import { objectOf } from '../../shared/cluster/cluster.js';
import { type KubeObject, kinds } from '../../shared/cluster/objects.js';
import { messageOf } from '../../shared/errors.js';
import { secondsSince } from '../support/figures.js';
import type { Proof, ProofContext } from '../support/proof.js';
import { mustWork } from '../support/runs.js';
import { inWorld } from '../world/world.js';
import type { BrokenCase } from './case.js';
import { look, lookThroughBundle, untilHealthy, untilShown } from './look.js';
import { makeRecording, type Recording } from './recording.js';
import { makeSite, type Site } from './site.js';
import { topics } from './table.js';

/** How long a case may take to show, and the site to be healthy again, in s. */
const patience = { shown: 40, healthy: 60 };

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
  run: (context) =>
    inWorld(context, ['front', 'source', 'installer'], async (world) => {
      const site = makeSite(world);
      await setLimit(site.state.acme.control, false);
      mustWork('setup', await site.setup());
      try {
        return await breakAndMend(context, site);
      } finally {
        await site.mend().catch(() => undefined);
      }
    }),
};

async function breakAndMend(context: ProofContext, site: Site) {
  const healthy = await healthySite(context, site);
  const chosen = casesOf(context);
  const recording = await startRecording(context, site);
  const rows: Row[] = [];
  for (const { topic, broken } of chosen) {
    const started = performance.now();
    const row = await play(context, site, topic, broken, recording);
    rows.push(row);
    await site.mend();
    const { wrong } = await untilHealthy(site, patience.healthy);
    row.whole = secondsSince(started);
    context.progress(`  ${topic}: ${broken.name}: ${row.first} in ${row.seconds} s, mended after ${row.whole} s`);
    if (!context.expectSame(`after ${broken.name}: what is still wrong`, wrong, [])) break;
  }
  const codes = [...new Set(rows.map(({ first }) => first))].sort();
  const notShown = findingCodes.filter((code) => !codes.includes(code));
  context.expect(rows.length > 0, 'there was no case');
  await recording?.write();
  return {
    worlds: rows.length,
    throughBundle: rows.filter(({ bundle }) => bundle).length,
    healthyFindings: healthy.map(({ code, severity, subject }) => `${severity} ${code}: ${subject}`),
    codes,
    notShown,
    standIns: rows.filter(({ standIn }) => standIn !== undefined).length,
    rows,
  };
}

function casesOf({ small, flags }: ProofContext): { topic: string; broken: BrokenCase }[] {
  const only = typeof flags.only === 'string' ? new RegExp(flags.only) : undefined;
  return topics.flatMap(({ topic, cases }) =>
    cases
      .filter((one) => (only === undefined ? !small || one.small === true : only.test(`${topic}: ${one.name}`)))
      .map((broken) => ({ topic, broken })),
  );
}

/** Nothing is wrong, and the only thing worth knowing is what the installer's own policies really do to renewals. */
async function healthySite({ expect, expectSame }: ProofContext, site: Site): Promise<Finding[]> {
  await untilHealthy(site, patience.healthy);
  const findings = await look(site);
  const run = await lookThroughBundle(site);
  const told = (found: readonly Finding[]): string => found.map(({ code, subject }) => `${code} ${subject}`).join(', ');
  expectSame('healthy', told(findings), 'renewal-blocked Namespace registry');
  const { finding, findings: count } = run.outputs;
  expect(run.code === 0 && finding === 'renewal-blocked' && count === '1', 'healthy, through the bundle', run);
  await site.add(kinds.networkPolicy, solverPolicy());
  expectSame('healthy, with the solver’s port open', told(await look(site)), '');
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

/** With `--record`: what this run sees is what the unit tests of the rules replay. */
async function startRecording({ flags }: ProofContext, site: Site): Promise<Recording | undefined> {
  if (flags.record !== true) return undefined;
  const { facts } = await untilHealthy(site, patience.healthy);
  if (facts === undefined) throw new Error('the healthy site was not seen');
  return makeRecording(facts);
}

async function play(
  context: ProofContext,
  site: Site,
  topic: string,
  broken: BrokenCase,
  recording: Recording | undefined,
): Promise<Row> {
  const { expect, fail } = context.about(`${topic}: ${broken.name}`);
  await broken.make(site).catch((error: unknown) => fail(`it cannot be made: ${messageOf(error)}`));
  const { facts, findings, lacking, seconds, looks } = await untilShown(site, broken, patience.shown);
  const [first, ...rest] = findings;
  if (facts !== undefined) recording?.add(`${topic}: ${broken.name}`, facts);
  expect(lacking === '', `${lacking}\n${findings.map((one) => JSON.stringify(one)).join('\n')}`);
  if (broken.bundle) {
    const run = await lookThroughBundle(site);
    const fails = (broken.severity ?? 'error') === 'error';
    const isTold = run.outputs.finding === broken.code && (run.code !== 0) === fails;
    expect(isTold, `through the bundle: ${run.outputs.finding}, exit code ${run.code}`, run);
  }
  return {
    topic,
    world: broken.name,
    first: first?.code ?? '',
    follow: [...new Set(rest.map(({ code }) => code))],
    seconds,
    looks,
    whole: 0,
    bundle: broken.bundle ?? false,
    ...(broken.standIn === undefined ? {} : { standIn: broken.standIn }),
  };
}
