import { kinds } from '../shared/cluster/objects.js';
import { momentsOf, struckAt } from './support/kills.js';
import type { Proof, ProofContext } from './support/proof.js';
import { mustWork } from './support/runs.js';
import { configuration, staleConfig } from './world/services.js';
import { inWorld, type World } from './world/world.js';

const journal = { namespace: 'kube-system', name: 'mcprt-rollout' };

export const rolloutKill: Proof = {
  name: 'rollout-kill',
  claim: 'a rollout that is killed before or after any of its writes: one rerun gives the same end state',
  run: (context) =>
    inWorld(context, ['services', 'front', 'source', 'gate'], (world) => killEverywhere(context, world)),
};

async function killEverywhere(context: ProofContext, world: World<'services' | 'gate'>) {
  const { gate, services, cluster } = world;
  const [old, next] = [await services.pushAll(), await services.pushAll()];
  const inputs = { kubeconfig: gate.kubeconfig, images: next, permissions: 'auto' };
  const reset = async (): Promise<void> => {
    context.expectDone('the way back', await world.rollout({ images: old }));
    await cluster.patch(kinds.configMap, configuration, staleConfig);
    for (const name of ['mcp-platform-api', 'mcp-runtime-api']) {
      await cluster.delete(kinds.serviceAccount, { namespace: 'mcp-sentinel', name });
      await cluster.delete(kinds.clusterRole, { name });
      await cluster.delete(kinds.clusterRoleBinding, { name });
    }
  };
  await reset();
  gate.reset({});
  mustWork('the undisturbed rollout', await world.rollout(inputs));
  const writes = [...gate.writes()];
  const wanted = await services.snapshot();
  const chosen = momentsOf(writes.length, context.small ? 5 : undefined);
  let resumed = 0;
  for (const moment of chosen) {
    await reset();
    const killed = await struckAt(gate, moment, (onStart) => world.rollout(inputs, {}, onStart));
    const where = `${moment.when} write ${moment.k} (${writes[moment.k - 1]})`;
    const { expect, expectDone, expectSame } = context.about(where);
    expectSame('it was killed by', killed.signal, 'SIGKILL');
    const again = await world.rollout(inputs, { GITHUB_RUN_ATTEMPT: '2' });
    expectDone('the rerun', again);
    if (again.log.includes('a rollout was cut off')) resumed += 1;
    await services.settled();
    expectSame('another end state', await services.snapshot(), wanted);
    expect((await cluster.get(kinds.configMap, journal)) === undefined, 'the journal was left');
    context.progress(`  killed ${where}: ${context.problems.length === 0 ? 'same end state' : 'PROBLEMS'}`);
  }
  context.expect(resumed > 0, 'no rerun went on with the rollout before it');
  return { writes: writes.length, kills: chosen.length, resumed };
}
