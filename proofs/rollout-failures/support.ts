import { setTimeout as sleep } from 'node:timers/promises';
import type { ActionRun } from '../../lab/driver/action.js';
import { until } from '../../lab/driver/until.js';
import { applyObject, createObject } from '../../lab/platform/objects.js';
import { objectOf, type PatchOperation } from '../../shared/cluster/cluster.js';
import { type KubeObject, kinds } from '../../shared/cluster/objects.js';
import { containersOf } from '../../shared/rollout/targets.js';
import type { World as WorldOf } from '../world/world.js';

export type World = WorldOf<'services' | 'front' | 'source' | 'kubelet' | 'registry'>;

export const namespace = 'mcp-sentinel';

/** A rollout that cannot succeed: how it is made so, and what must be said of it. */
export interface Failure {
  name: string;
  /** What the step's error is called: `rollout-failed` when left out. */
  error?: string;
  /** Code of the first finding; undefined where it stops before it changes anything. */
  finding?: string;
  /** What the first line of the summary says. */
  says: RegExp;
  /** `none`: nothing was changed. `back`, when left out: all is as before. `left`: all but what another writer wrote. `done`: it succeeded. */
  ends?: 'none' | 'back' | 'left' | 'done';
  /** Runs in the small proof too. */
  quick?: boolean;
  run(world: World): Promise<ActionRun>;
}

/** The Deployment that the cases are about. */
export const target = ({ layout }: Pick<World, 'layout'>): string =>
  layout === 'split' ? 'mcp-runtime-api' : 'mcp-sentinel-api';

/** A rollout with one image that behaves as its labels say. */
export const labelled =
  (labels: Record<string, string>, inputs: Record<string, string> = {}) =>
  async (world: World): Promise<ActionRun> =>
    world.rollout({ images: await world.services.pushAll({ [target(world)]: labels }), ...inputs });

/** Rolls out while something is so that it cannot succeed. */
export const whileSo =
  (make: (world: World) => unknown, mend: (world: World) => unknown, roll = labelled({})) =>
  async (world: World): Promise<ActionRun> => {
    await make(world);
    try {
      return await roll(world);
    } finally {
      await mend(world);
    }
  };

/** Does something to the cluster as soon as a run has come to a moment. */
export async function meanwhile(
  run: Promise<ActionRun>,
  isNow: () => Promise<boolean>,
  act: () => Promise<unknown>,
): Promise<ActionRun> {
  const over = run.then(() => true);
  while (!(await isNow().catch(() => false))) {
    if (await Promise.race([over, sleep(5, false)])) throw new Error('the rollout ended before its moment came');
  }
  await act();
  return run;
}

interface Middle {
  /** Of the image that is rolled out. */
  labels?: Record<string, string>;
  inputs?: Record<string, string>;
}

/** Does something as soon as a slow rollout has written the Deployment that the failures are about. */
export async function inTheMiddle(
  world: World,
  act: (pid: number) => Promise<unknown>,
  { labels = { 'ready-after': '4000' }, inputs = {} }: Middle = {},
): Promise<ActionRun> {
  const images = await world.services.pushAll({ [target(world)]: labels });
  const generation = async (): Promise<number> =>
    (await world.cluster.get(kinds.deployment, { namespace, name: target(world) }))?.metadata.generation ?? 0;
  const before = await generation();
  let pid = 0;
  const run = world.rollout({ images, ...inputs }, {}, (started) => {
    pid = started;
  });
  return meanwhile(
    run,
    async () => (await generation()) > before,
    () => act(pid),
  );
}

/** Applies images to that Deployment as another program. */
export function own(
  { cluster, layout }: World,
  manager: string,
  images: { name: string; image: string }[],
): Promise<unknown> {
  const spec = images.length === 0 ? {} : { template: { spec: { containers: images } } };
  const metadata = { namespace, name: target({ layout }) };
  return applyObject(cluster, kinds.deployment, { metadata, spec }, { force: true, manager });
}

/** Gives the pods of that Deployment more, as another program that takes it away again with `undefined`. */
export async function givePod({ cluster, layout }: World, pod: object | undefined): Promise<void> {
  const spec = pod === undefined ? {} : { template: { spec: pod } };
  const metadata = { namespace, name: target({ layout }) };
  const given = await applyObject(cluster, kinds.deployment, { metadata, spec }, { force: true, manager: 'lab-case' });
  // Who has applied an image of an init container has it too: that one is taken away whole.
  const first = '/spec/template/spec/initContainers';
  if (pod === undefined && containersOf(given).some(({ isInit }) => isInit)) {
    await cluster.patch(kinds.deployment, metadata, [{ op: 'remove', path: first }]);
  }
}

/** Name of the container that is rolled out. */
export async function firstContainer(world: World): Promise<string> {
  return (await containers(world))[0]?.name ?? '';
}

export const patchTarget = (world: World, patch: PatchOperation): Promise<unknown> =>
  world.cluster.patch(kinds.deployment, { namespace, name: target(world) }, [patch]);

export const setDeadline = (world: World, value: number): Promise<unknown> =>
  patchTarget(world, { op: 'add', path: '/spec/progressDeadlineSeconds', value });

/** Name and image of the containers of the Deployment that the failures are about. */
export async function containers(world: World): Promise<{ name: string; image: string }[]> {
  const found = await world.cluster.get<KubeObject>(kinds.deployment, { namespace, name: target(world) });
  return found === undefined ? [] : containersOf(found).map(({ name, image }) => ({ name, image }));
}

export async function cordon(world: World, name: string, value: boolean): Promise<void> {
  await world.cluster.patch(kinds.node, { name }, [{ op: 'add', path: '/spec/unschedulable', value }]);
  // The scheduler learns of it a moment later.
  await sleep(300);
}

const webhook = { name: 'away.example.com' };

/** An admission webhook that does not answer, and without which no pod is made. */
export async function webhookAway({ cluster }: World): Promise<void> {
  await createObject(cluster, kinds.validatingWebhookConfiguration, {
    metadata: webhook,
    webhooks: [
      {
        name: webhook.name,
        clientConfig: { url: 'https://127.0.0.1:1/validate' },
        rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
        failurePolicy: 'Fail',
        sideEffects: 'None',
        admissionReviewVersions: ['v1'],
        timeoutSeconds: 1,
      },
    ],
  });
  await untilPodsAreRefused(cluster);
}

/** Waits until the API server has learnt that it is to refuse pods: one that asks for 64Mi and gives up no privilege. */
export async function untilPodsAreRefused(cluster: World['cluster']): Promise<void> {
  const memory = { memory: '64Mi' };
  const container = { name: 'one', image: 'registry.example.com/one', resources: { limits: memory, requests: memory } };
  const pod = objectOf(kinds.pod, {
    metadata: { namespace, name: 'is-it-refused' },
    spec: { containers: [container] },
  });
  await until('the API server to refuse a pod', () =>
    cluster.create(kinds.pod, pod, { dryRun: true }).then(
      () => false,
      () => true,
    ),
  );
}

export const webhookBack = ({ cluster }: World): Promise<unknown> =>
  cluster.delete(kinds.validatingWebhookConfiguration, webhook);
