import { recordsAt, textAt } from '../shared/cluster/fields.js';
import { type KubeObject, kinds } from '../shared/cluster/objects.js';
import { rolloutState } from '../shared/cluster/rollout-state.js';
import { median, round1 } from './support/figures.js';
import type { Proof } from './support/proof.js';
import { resultOf } from './support/runs.js';
import { inWorld, type World } from './world/world.js';

/** From the last Deployment's rollout being complete to the end of the wait, in ms, as a median. */
const aim = 100;

export const rolloutSpeed: Proof = {
  name: 'rollout-speed',
  claim: 'from the moment that the last Deployment is rolled out to the end of the wait; requests of a rollout counted',
  run: (context) =>
    inWorld(context, ['services', 'front', 'source', 'gate'], async (world) => {
      const { gate } = world;
      const [late, requests, seconds]: [number[], number[], number[]] = [[], [], []];
      for (let round = 0; round < (context.small ? 3 : 15); round++) {
        const images = await world.services.pushAll();
        gate.reset({});
        const seen = whenComplete(world, images);
        const run = await world.rollout({ images, kubeconfig: gate.kubeconfig });
        const began = Date.now() - run.seconds * 1000;
        context.expectDone(`rollout ${round + 1}`, run);
        const phase = recordsAt(resultOf(run), 'phases').find(({ name }) => name === 'roll out');
        const ended = Date.parse(textAt(phase, 'endedAt')) || began;
        late.push(Math.max(0, ended - (await seen)));
        requests.push(gate.requests());
        seconds.push(run.seconds);
      }
      const medianMs = median(late);
      // A loaded machine is no reason for a test to fail: the claim is measured in its full size, alone.
      const isFast = context.small || medianMs <= aim;
      context.expect(isFast, `${medianMs} ms from "rolled out" to the end of the wait, not ${aim}`);
      return {
        rollouts: late.length,
        medianMs,
        worstMs: Math.max(...late),
        requests: median(requests),
        wholeSeconds: round1(median(seconds)),
      };
    }),
};

/** When an independent watch saw the last of the wanted images rolled out, as a time in ms. */
async function whenComplete({ cluster }: World, images: string): Promise<number> {
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
