import { setTimeout as sleep } from 'node:timers/promises';
import { kinds } from '../shared/cluster/objects.js';
import { openGate } from './gate.js';
import { withoutMasks } from './leaks.js';
import type { Proof, ProofContext, Proven } from './proof.js';
import { makeRolloutWorld, type RolloutWorld, staleConfig } from './rollout/world.js';

const journal = { namespace: 'kube-system', name: 'mcprt-rollout' };

export const rolloutKill: Proof = {
  name: 'rollout-kill',
  claim: 'a rollout that is killed before or after any of its writes: one rerun gives the same end state',
  async run(context) {
    const world = await makeRolloutWorld(context, 'split');
    const gate = await openGate(world.state);
    try {
      return await killEverywhere(context, world, gate);
    } finally {
      await gate.close();
      await world.close();
    }
  },
};

async function killEverywhere(
  context: ProofContext,
  world: RolloutWorld,
  gate: Awaited<ReturnType<typeof openGate>>,
): Promise<Proven> {
  const problems: string[] = [];
  const [old, next] = [await world.pushAll(), await world.pushAll()];
  const inputs = { kubeconfig: gate.kubeconfig, images: next, permissions: 'auto' };
  const reset = async (): Promise<void> => {
    gate.reset({});
    const back = await world.roll({ images: old });
    if (back.code !== 0) problems.push(`the way back failed: ${withoutMasks(back.log).slice(-2000)}`);
    await world.cluster.patch(kinds.configMap, { namespace: 'mcp-sentinel', name: 'mcp-sentinel-config' }, staleConfig);
    for (const name of ['mcp-platform-api', 'mcp-runtime-api']) {
      await world.cluster.delete(kinds.serviceAccount, { namespace: 'mcp-sentinel', name });
      await world.cluster.delete(kinds.clusterRole, { name });
      await world.cluster.delete(kinds.clusterRoleBinding, { name });
    }
  };
  await reset();
  gate.reset({});
  const whole = await world.roll(inputs);
  if (whole.code !== 0) return { ok: false, figures: {}, problems: [withoutMasks(whole.log)] };
  const writes = [...gate.writes()];
  const wanted = await world.snapshot();
  const points = writes.flatMap((_, index) => (['before', 'after'] as const).map((when) => ({ k: index + 1, when })));
  const chosen = context.small ? points.filter((_, index) => index % Math.ceil(points.length / 5) === 0) : points;
  let resumed = 0;
  for (const { k, when } of chosen) {
    await reset();
    let pid = 0;
    const strike = (): void => void process.kill(pid, 'SIGKILL');
    gate.reset({
      beforeWrite(n) {
        if (when === 'before' && n === k) strike();
        return when === 'before' && n >= k ? 'drop' : undefined;
      },
      afterWrite(n) {
        if (when === 'after' && n === k) strike();
      },
    });
    const killed = await world.roll(inputs, {}, (started) => {
      pid = started;
    });
    if (killed.signal !== 'SIGKILL') problems.push(`${when} write ${k}: it was not killed (${killed.code})`);
    // The proxy may still be passing on what the dead process had sent.
    await sleep(100);
    gate.reset({});
    const again = await world.roll(inputs, { GITHUB_RUN_ATTEMPT: '2' });
    const where = `${when} write ${k} (${writes[k - 1]})`;
    if (again.code !== 0) problems.push(`${where}: the rerun failed: ${withoutMasks(again.log).slice(-2000)}`);
    if (again.log.includes('a rollout was cut off')) resumed += 1;
    await world.settled();
    const now = await world.snapshot();
    if (JSON.stringify(now) !== JSON.stringify(wanted)) {
      problems.push(`${where}: another end state:\n${JSON.stringify(wanted)}\n${JSON.stringify(now)}`);
    }
    if ((await world.cluster.get(kinds.configMap, journal)) !== undefined)
      problems.push(`${where}: the journal was left`);
    context.progress(`  killed ${where}: ${problems.length === 0 ? 'same end state' : 'PROBLEMS'}`);
  }
  return {
    ok: problems.length === 0 && resumed > 0,
    figures: { writes: writes.length, kills: chosen.length, resumed },
    problems,
  };
}
