import { setTimeout as sleep } from 'node:timers/promises';
import { startNode, whyNoNode } from '../../lab/driver/node.js';
import { buildPlain } from '../../lab/driver/plain-program.js';
import { putRunnable } from '../../lab/platform/runnable-image.js';
import { recordsAt, textAt } from '../../shared/cluster/fields.js';
import { kinds } from '../../shared/cluster/objects.js';
import { type Shown, show } from '../rollout-failures/rollout-failures.js';
import { namespace, target, type World } from '../rollout-failures/support.js';
import { canariesOf } from '../support/canaries.js';
import { round1 } from '../support/figures.js';
import { searchRuns } from '../support/leaks.js';
import { chosenOf, isWanted, NotRun, type Proof, type ProofContext } from '../support/proof.js';
import { otherRegistryHost } from '../world/kubelet.js';
import { registryHost } from '../world/registry.js';
import { inWorld } from '../world/world.js';
import { failuresOn } from './cases.js';
import { openRegistryGate } from './registry-gate.js';
import { answerOf, pushed, putThere, realNode, type Stage, toldOf } from './target.js';

export const realNodeProof: Proof = {
  name: 'real-node',
  claim:
    'pods that a kubelet, containerd and runc really run: a rollout that succeeds, with a slow pull and a smoke test, and the causes that a kubelet tells by itself, in the words that rollout-failures expects of the stand-in',
  onDemand: true,
  async run(context) {
    const reason = await whyNoNode(context);
    if (reason !== undefined) throw new NotRun(reason);
    return inWorld(context, ['services', 'front', 'source', 'kubelet', 'registry'], (world) => onNode(context, world));
  },
};

async function onNode(context: ProofContext, world: World): Promise<Record<string, unknown>> {
  const { env, progress } = context;
  const { registry, kubelet, state } = world;
  const program = await buildPlain('workload', { env, progress });
  const gate = await openRegistryGate(registry.url, kubelet.mayPull);
  try {
    await putRunnable(registry.url, 'pause', 'lab', program, { entrypoint: ['/pause'] });
    const registries = new Map([
      [registryHost, gate.url],
      [otherRegistryHost, registry.url],
    ]);
    const begun = performance.now();
    const pause = `${otherRegistryHost}/pause:lab`;
    const { proxy } = await startNode(state, { name: realNode, registries, pause, env, progress });
    const seconds = round1((performance.now() - begun) / 1000);
    progress(`  the node is Ready after ${seconds} s`);
    const stage: Stage = { world, gate, program, proxy, give: await putThere({ world, program }) };
    kubelet.askFirst(async (_namespace, app) => (app === target(world) ? answerOf(stage) : undefined));
    if (isWanted(context, 'success')) await succeed(context, stage);
    const shown: Shown[] = [];
    for (const failure of chosenOf(context, failuresOn(stage))) {
      const told = new Set<string>();
      const over = new AbortController();
      const listening = listen(stage, told, over.signal);
      const last = await show(context, world, failure);
      over.abort();
      await listening;
      shown.push(last);
      progress(`  ${failure.name}: ${last.error || 'ok'} ${last.finding} in ${last.seconds} s`);
      if (env.MCPRT_LAB_TOLD) for (const line of told) progress(`    ${line}`);
    }
    return {
      node: await nodeInfo(world),
      readyAfter: seconds,
      rollouts: shown.length,
      filesSearchedForSecrets: await searchRuns(context, await canariesOf(world)),
      failures: shown,
    };
  } finally {
    await gate.close();
  }
}

/** A rollout that succeeds, although its pull takes its time, and a smoke test that its pod answers. */
async function succeed(context: ProofContext, stage: Stage): Promise<void> {
  const { world, gate } = stage;
  const { expect, expectDone, expectSame } = context.about('a rollout that succeeds');
  gate.delay(12_000);
  const image = await pushed(stage);
  const run = await world.rollout({ images: `${target(world)}=${image}`, 'rollout-timeout': '90s' });
  gate.delay(0);
  expectDone('rollout', run);
  const { items } = await world.cluster.list(kinds.pod, { namespace, labelSelector: `app=${target(world)}` });
  const ids = items
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map((pod) => textAt(recordsAt(pod, 'status', 'containerStatuses')[0], 'imageID'));
  expectSame('the images that run', ids, [image]);
  expectSame('what the pod answers', await answerOf(stage), 401);
  const smoke = await world.smokeTest({ suite: 'health' });
  expectDone('smoke test', smoke);
  expect(smoke.outputs.failed === '0', `failed checks: ${smoke.outputs.failed}`, smoke);
}

async function listen({ world }: Stage, told: Set<string>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    for (const line of await toldOf(world).catch(() => [])) told.add(line);
    await sleep(500, undefined, { signal }).catch(() => undefined);
  }
}

async function nodeInfo({ cluster }: World): Promise<string> {
  const info = (field: string): string => textAt(node, 'status', 'nodeInfo', field);
  const node = await cluster.get(kinds.node, { name: realNode });
  return `${info('kubeletVersion')}, ${info('containerRuntimeVersion')}`;
}
