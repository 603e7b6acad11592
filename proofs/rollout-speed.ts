import { recordsAt, textAt } from '../shared/cluster/fields.js';
import { type KubeObject, kinds } from '../shared/cluster/objects.js';
import { rolloutState } from '../shared/cluster/workloads.js';
import { openGate } from './gate.js';
import { withoutMasks } from './leaks.js';
import type { Proof } from './proof.js';
import { makeRolloutWorld, type RolloutWorld } from './rollout/world.js';

/** From the last Deployment's rollout being complete to the end of the wait, in ms, as a median. */
const aim = 100;

export const rolloutSpeed: Proof = {
  name: 'rollout-speed',
  claim: 'from the moment that the last Deployment is rolled out to the end of the wait; requests of a rollout counted',
  async run(context) {
    const world = await makeRolloutWorld(context, 'split');
    const gate = await openGate(world.state);
    const problems: string[] = [];
    const [late, requests, seconds]: [number[], number[], number[]] = [[], [], []];
    try {
      for (let round = 0; round < (context.small ? 3 : 15); round++) {
        const images = await world.pushAll();
        gate.reset({});
        const seen = whenComplete(world, images);
        const run = await world.roll({ images, kubeconfig: gate.kubeconfig });
        const began = Date.now() - run.seconds * 1000;
        if (run.code !== 0) problems.push(withoutMasks(run.log).slice(-2000));
        const phase = recordsAt(JSON.parse(run.outputs.result ?? '{}'), 'phases').find(
          ({ name }) => name === 'roll out',
        );
        const ended = Date.parse(String(phase?.endedAt ?? '')) || began;
        late.push(Math.max(0, ended - (await seen)));
        requests.push(gate.requests());
        seconds.push(run.seconds);
      }
      const median = middle(late);
      // A loaded machine is no reason for a test to fail: the claim is measured in its full size, alone.
      if (!context.small && median > aim)
        problems.push(`${median} ms from "rolled out" to the end of the wait, not ${aim}`);
      return {
        ok: problems.length === 0,
        figures: {
          rollouts: late.length,
          medianMs: median,
          worstMs: Math.max(...late),
          requests: middle(requests),
          wholeSeconds: Math.round(middle(seconds) * 10) / 10,
        },
        problems,
      };
    } finally {
      await gate.close();
      await world.close();
    }
  },
};

/** When an independent watch saw the last of the wanted images rolled out, as a time in ms. */
async function whenComplete({ cluster }: RolloutWorld, images: string): Promise<number> {
  const wanted = new Map(images.split('\n').map((line) => line.split('=') as [string, string]));
  const namespace = 'mcp-sentinel';
  const ended = new AbortController();
  const { items, resourceVersion } = await cluster.list(kinds.deployment, { namespace });
  const state = new Map(items.map((one) => [one.metadata.name, one]));
  const isDone = (): boolean =>
    [...wanted].every(([name, image]) => {
      const found: KubeObject | undefined = state.get(name);
      const live = textAt(found, 'spec', 'template', 'spec', 'containers', 0, 'image');
      return found !== undefined && live === image && rolloutState(found).complete;
    });
  for await (const { object } of cluster.watch(kinds.deployment, {
    namespace,
    resourceVersion,
    signal: ended.signal,
  })) {
    state.set(object.metadata.name, object);
    if (isDone()) {
      ended.abort();
      break;
    }
  }
  return Date.now();
}

function middle(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
