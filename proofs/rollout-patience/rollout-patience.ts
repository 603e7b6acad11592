import { setTimeout as sleep } from 'node:timers/promises';
import { textAt } from '../../shared/cluster/fields.js';
import { type KubeObject, kinds } from '../../shared/cluster/objects.js';
import { round1 } from '../support/figures.js';
import { chosenOf, isWanted, type Proof, type ProofContext } from '../support/proof.js';
import { configuration, staleConfig } from '../world/services.js';
import { inWorld, type World } from '../world/world.js';
import { compareWithKstatus } from './kstatus.js';
import { type PatientWorld, worlds } from './worlds.js';

interface Shown {
  world: string;
  seconds: number;
}

export const rolloutPatience: Proof = {
  name: 'rollout-patience',
  claim:
    'worlds in which a correct rollout must not be undone, each made on the lab; and the verdict on generated workloads is that of kstatus itself, but for a listed handful',
  async run(context) {
    const kstatus = isWanted(context, 'kstatus') ? await compareWithKstatus(context) : undefined;
    const chosen = chosenOf(context, worlds);
    const shown: Shown[] = [];
    if (chosen.length > 0) {
      await inWorld(context, ['services', 'front', 'source', 'kubelet', 'registry'], async (world) => {
        for (const one of chosen) {
          const last = await show(context, world, one);
          shown.push(last);
          context.progress(`  ${last.world}: ${last.seconds} s`);
        }
      });
    }
    return { ...(kstatus === undefined ? {} : { kstatus }), rollouts: shown.length, worlds: shown };
  },
};

async function show(
  context: ProofContext,
  world: World<'services' | 'front' | 'source' | 'kubelet' | 'registry'>,
  { name, says, run: play }: PatientWorld,
): Promise<Shown> {
  const { expect, expectDone, fail } = context.about(name);
  const { services, cluster } = world;
  // Every rollout has something to change in the configuration, so that what reads it is restarted.
  await services.settled().catch((late: Error) => fail(late.message));
  const found = await cluster.get<KubeObject>(kinds.configMap, configuration);
  const isThere = textAt(found, 'data', 'MCP_REGISTRY_INGRESS_HOST') !== '';
  await cluster.patch(
    kinds.configMap,
    configuration,
    staleConfig.filter(({ op }) => op !== 'remove' || isThere),
  );
  await sleep(50);
  const run = await play(world).catch((error: Error) => fail(error.stack ?? error.message));
  if (!run) return { world: name, seconds: 0 };
  if (!expectDone('the rollout', run)) return { world: name, seconds: round1(run.seconds) };
  expect(run.outputs['rolled-back'] === 'false', 'it was rolled back', run);
  expect(run.outputs.changed === 'true', 'it changed nothing', run);
  expect(says === undefined || says.test(run.summary.replace(/\\/g, '')), `the summary does not say ${says}`, run);
  const after = await cluster.get<KubeObject>(kinds.configMap, configuration);
  expect(textAt(after, 'data', 'MCP_REGISTRY_INGRESS_HOST') !== '', 'the configuration is as it was before');
  const journal = await cluster.get(kinds.configMap, { namespace: 'kube-system', name: 'mcprt-rollout' });
  expect(journal === undefined, 'the journal was left');
  await services.settled().catch((late: Error) => fail(late.message));
  return { world: name, seconds: round1(run.seconds) };
}
