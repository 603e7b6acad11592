import { setTimeout as sleep } from 'node:timers/promises';
import { textAt } from '../../shared/cluster/fields.js';
import { type KubeObject, kinds } from '../../shared/cluster/objects.js';
import { canariesOf } from '../support/canaries.js';
import { round1 } from '../support/figures.js';
import { searchRuns } from '../support/leaks.js';
import { chosenOf, type Proof, type ProofContext } from '../support/proof.js';
import { configuration, type Snapshot, staleConfig } from '../world/services.js';
import { inWorld, type World } from '../world/world.js';
import { failures } from './cases.js';
import type { Failure } from './support.js';

/** What became of a rollout that cannot succeed. */
export interface Shown {
  failure: string;
  error: string;
  finding: string;
  ends: NonNullable<Failure['ends']>;
  seconds: number;
}

export const rolloutFailures: Proof = {
  name: 'rollout-failures',
  claim:
    'rollouts that cannot succeed, each made so on the lab: the root cause is named first, and images, configuration and permissions are back as they were',
  run: (context) =>
    inWorld(context, ['services', 'front', 'source', 'kubelet', 'registry'], async (world) => {
      const shown: Shown[] = [];
      for (const failure of chosenOf(context, failures)) {
        const last = await show(context, world, failure);
        shown.push(last);
        context.progress(`  ${failure.name}: ${last.error || 'ok'} ${last.finding} in ${last.seconds} s`);
      }
      return {
        rollouts: shown.length,
        rolledBack: shown.filter(({ ends }) => ends === 'back' || ends === 'left').length,
        refusedBeforeAnyWrite: shown.filter(({ ends }) => ends === 'none').length,
        filesSearchedForSecrets: await searchRuns(context, await canariesOf(world)),
        failures: shown,
      };
    }),
};

/** Runs a rollout that cannot succeed, and looks whether what is said and what is left is as it must be. */
export async function show(
  context: ProofContext,
  world: Parameters<Failure['run']>[0],
  failure: Failure,
): Promise<Shown> {
  const { name, error: dueError = 'rollout-failed', ends = 'back', says } = failure;
  const { expect, expectSame, fail } = context.about(name);
  const { services, cluster } = world;
  await makeStale(world);
  const before = await services.snapshot();
  const run = await failure.run(world).catch((error: Error) => fail(error.stack ?? error.message));
  const { error = '', seconds = 0 } = run ?? {};
  const { finding = '', 'rolled-back': rolledBack } = run?.outputs ?? {};
  const shown = { failure: name, error, finding, ends, seconds: round1(seconds) };
  if (!run) return shown;
  expect((run.code === 0) === (ends === 'done'), `exit code ${run.code}`, run);
  expect(error === dueError, `error ${error} instead of ${dueError}`, run);
  const due = failure.finding ?? finding;
  expect(finding === due, `finding ${finding} instead of ${due}`, run);
  const [headline = ''] = run.summary.split('\n').filter((line) => /^[✅❌]/u.test(line));
  const begins = headline || run.summary.slice(0, 300);
  expect(says.test(headline.replace(/\\/g, '')), `the summary begins with: ${begins}`);
  expect(rolledBack === String(ends === 'back' || ends === 'left'), `rolled-back is ${rolledBack}`, run);
  if (ends !== 'done') {
    const after = await services.snapshot();
    expectSame('the configuration', after.config, before.config);
    const others = changedTemplates(before, after);
    expect(others.length <= (ends === 'left' ? 1 : 0), `other pod templates: ${others.join('\n')}`);
  }
  const isTold = ends !== 'back' || /runs again|has not been seen to run/.test(run.summary);
  expect(isTold, 'the summary does not say that it was rolled back');
  const journal = await cluster.get(kinds.configMap, { namespace: 'kube-system', name: 'mcprt-rollout' });
  expect(journal === undefined, 'the journal was left');
  await services.settled().catch((late: Error) => fail(late.message));
  return shown;
}

/** Every rollout has something to change in the configuration, which must be back when it fails. */
async function makeStale({ cluster, services }: World<'services'>): Promise<void> {
  await services.settled();
  const found = await cluster.get<KubeObject>(kinds.configMap, configuration);
  const isThere = textAt(found, 'data', 'MCP_REGISTRY_INGRESS_HOST') !== '';
  const patch = staleConfig.filter(({ op }) => op !== 'remove' || isThere);
  await cluster.patch(kinds.configMap, configuration, patch);
  await sleep(50);
}

function changedTemplates({ templates: before }: Snapshot, { templates: after }: Snapshot): string[] {
  return Object.keys({ ...before, ...after })
    .filter((name) => before[name] !== after[name])
    .map((name) => `${name}:\n${before[name]}\n${after[name]}`);
}
