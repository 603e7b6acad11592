import { setTimeout as sleep } from 'node:timers/promises';
import { type KubeObject, kinds } from '../shared/cluster/objects.js';
import { accessCanaries, clusterCanaries } from './canary/canaries.js';
import { filesBelow, leakSearch, withoutMasks } from './leaks.js';
import type { Proof, Proven } from './proof.js';
import { type Failure, failures } from './rollout/failures.js';
import { makeRolloutWorld, type RolloutWorld, type Snapshot, staleConfig } from './rollout/world.js';

interface Shown {
  failure: string;
  error: string;
  finding: string;
  ends: Failure['ends'];
  seconds: number;
}

export const rolloutFailures: Proof = {
  name: 'rollout-failures',
  claim:
    'rollouts that cannot succeed, each made so on the lab: the root cause is named first, and images, configuration and permissions are back as they were',
  async run(context) {
    const problems: string[] = [];
    const shown: Shown[] = [];
    const world = await makeRolloutWorld(context, 'split');
    const only = typeof context.flags.only === 'string' ? context.flags.only : undefined;
    try {
      const wanted = failures.filter(
        ({ name, quick }) => (only === undefined || name.includes(only)) && (!context.small || quick || only),
      );
      for (const failure of wanted) {
        shown.push(await show(world, failure, problems));
        const last = shown.at(-1);
        context.progress(`  ${failure.name}: ${last?.error || 'ok'} ${last?.finding} in ${last?.seconds.toFixed(1)} s`);
      }
      const search = leakSearch([
        ...(await clusterCanaries(world.cluster)),
        ...(await accessCanaries(world.state.kubeconfig, [])),
      ]);
      const files = (await filesBelow(context.folder)).filter(({ path }) => /\/run-[0-9a-f]{8}\//.test(path));
      problems.push(...files.flatMap(({ path, text }) => search.in(text).map((name) => `${path} holds ${name}`)));
      return verdict(shown, files.length, problems);
    } finally {
      await world.close();
    }
  },
};

async function show(world: RolloutWorld, failure: Failure, problems: string[]): Promise<Shown> {
  const fail = (what: string, log = ''): void =>
    void problems.push(`${failure.name}: ${what}${log === '' ? '' : `\n${withoutMasks(log).slice(-4000)}`}`);
  await makeStale(world);
  const before = await world.snapshot();
  const run = await failure.run(world).catch((error: Error) => {
    fail(error.stack ?? error.message);
    return undefined;
  });
  const finding = run?.outputs.finding ?? '';
  const shown = {
    failure: failure.name,
    error: run?.error ?? '',
    finding,
    ends: failure.ends,
    seconds: run?.seconds ?? 0,
  };
  if (run === undefined) return shown;
  if ((run.code === 0) !== (failure.ends === 'done')) fail(`exit code ${run.code}`, run.log);
  if (shown.error !== failure.error) fail(`error ${shown.error} instead of ${failure.error}`, run.log);
  if (failure.finding !== undefined && finding !== failure.finding)
    fail(`finding ${finding} instead of ${failure.finding}`, run.log);
  const [headline = ''] = run.summary.split('\n').filter((line) => /^[✅❌]/u.test(line));
  if (!failure.says.test(headline.replace(/\\/g, '')))
    fail(`the summary begins with: ${headline || run.summary.slice(0, 300)}`);
  if (run.outputs['rolled-back'] !== String(failure.ends === 'back' || failure.ends === 'left'))
    fail(`rolled-back is ${run.outputs['rolled-back']}`, run.log);
  if (failure.ends !== 'done') compare(before, await world.snapshot(), failure, fail);
  if (failure.ends === 'back' && !/was put back, and runs|has not been seen to run/.test(run.summary))
    fail('the summary does not say that it was put back');
  if ((await world.cluster.get(kinds.configMap, { namespace: 'kube-system', name: 'mcprt-rollout' })) !== undefined)
    fail('the journal was left');
  await world.settled().catch((error: Error) => fail(error.message));
  return shown;
}

/** Every rollout has something to change in the configuration, which must be back when it fails. */
async function makeStale({ cluster, settled }: RolloutWorld): Promise<void> {
  await settled();
  const ref = { namespace: 'mcp-sentinel', name: 'mcp-sentinel-config' };
  const found = await cluster.get<KubeObject & { data?: Record<string, string> }>(kinds.configMap, ref);
  const isThere = found?.data?.MCP_REGISTRY_INGRESS_HOST !== undefined;
  await cluster.patch(
    kinds.configMap,
    ref,
    staleConfig.filter(({ op }) => op !== 'remove' || isThere),
  );
  await sleep(50);
}

function compare(before: Snapshot, after: Snapshot, { ends }: Failure, fail: (what: string) => void): void {
  if (before.config !== after.config) fail(`the configuration is another one:\n${before.config}\n${after.config}`);
  const others = Object.keys({ ...before.templates, ...after.templates }).filter(
    (name) => before.templates[name] !== after.templates[name],
  );
  const allowed = ends === 'left' ? 1 : 0;
  if (others.length > allowed) {
    fail(
      `other pod templates: ${others.map((name) => `${name}:\n${before.templates[name]}\n${after.templates[name]}`).join('\n')}`,
    );
  }
}

function verdict(shown: readonly Shown[], files: number, problems: string[]): Proven {
  return {
    ok: problems.length === 0,
    figures: {
      rollouts: shown.length,
      rolledBack: shown.filter(({ ends }) => ends === 'back' || ends === 'left').length,
      refusedBeforeAnyWrite: shown.filter(({ ends }) => ends === 'none').length,
      filesSearchedForSecrets: files,
      failures: shown.map((one) => ({ ...one, seconds: Math.round(one.seconds * 10) / 10 })),
    },
    problems,
  };
}
