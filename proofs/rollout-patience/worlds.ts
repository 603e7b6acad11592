import { setTimeout as sleep } from 'node:timers/promises';
import type { ActionRun } from '../../lab/driver/action.js';
import { killPart, startPart } from '../../lab/driver/lab.js';
import type { Ending } from '../../lab/platform/kubelet/ports.js';
import { createObject } from '../../lab/platform/objects.js';
import { type KubeObject, kinds } from '../../shared/cluster/objects.js';
import { rolloutState } from '../../shared/cluster/rollout-state.js';
import {
  cordon,
  firstContainer,
  givePod,
  inTheMiddle,
  labelled,
  meanwhile,
  namespace,
  patchTarget,
  target,
  type World,
  webhookAway,
  webhookBack,
  whileSo,
} from '../rollout-failures/support.js';
import { nodeName } from '../world/kubelet.js';
import { beside, changeNeighbour, type Neighbour } from './neighbours.js';

/** A world in which a rollout is right, and something looks wrong meanwhile. */
export interface PatientWorld {
  name: string;
  /** What the summary has to say besides. */
  says?: RegExp;
  quick?: boolean;
  run(world: World): Promise<ActionRun>;
}

const extra = { namespace, name: 'extra' };
const quota = { namespace, name: 'full' };
const pressure = 'The node was low on resource: memory. Threshold quantity: 100Mi, available: 60Mi. ';

/** Rolls out while a node ends the first new pods. */
function ended(name: string, count: number, ending: Ending, quick = false): PatientWorld {
  return {
    name,
    quick,
    run: whileSo(
      (world) => world.kubelet.endNext(target(world), count, ending),
      (world) => world.kubelet.endNext(target(world), 0, ending),
      labelled({ 'ready-after': '300' }),
    ),
  };
}

/** Rolls out beside a workload that is no business of the rollout's success. */
function withNeighbour(name: string, neighbour: Neighbour, says?: RegExp, quick = false): PatientWorld {
  return {
    name,
    quick,
    ...(says === undefined ? {} : { says }),
    run: (world) => beside(world, neighbour, () => labelled({})(world)),
  };
}

/** Rolls out slowly; in the middle something is made so, and mended after a while. */
function passing(
  name: string,
  { before, make, mend, after = 4_000, quick = false }: Passing,
  labels: Record<string, string> = {},
): PatientWorld {
  return {
    name,
    quick,
    run: async (world) => {
      let mending: Promise<unknown> | undefined;
      await before?.(world);
      return inTheMiddle(
        world,
        async () => {
          await make?.(world);
          mending = sleep(after).then(() => mend(world));
        },
        { labels },
      ).finally(() => mending);
    },
  };
}

interface Passing {
  /** Makes it so before the rollout begins. */
  before?(world: World): Promise<void>;
  make?(world: World): unknown;
  mend(world: World): unknown;
  after?: number;
  quick?: boolean;
}

/** Rolls out to pods that need a Secret, which comes a while after them. */
function lateSecret(name: string, pod: (container: string) => object, quick = false): PatientWorld {
  const make = ({ cluster }: World): Promise<unknown> =>
    createObject(cluster, kinds.secret, { metadata: extra, data: { KEY: 'dmFsdWU=' } });
  return {
    name,
    quick,
    run: whileSo(
      async (world) => {
        await make(world);
        await givePod(world, pod(await firstContainer(world)));
        await world.services.settled();
        await world.cluster.delete(kinds.secret, extra);
      },
      async (world) => {
        await givePod(world, undefined);
        await world.cluster.delete(kinds.secret, extra);
        await world.services.settled();
      },
      (world) =>
        inTheMiddle(
          world,
          async () => {
            await sleep(4_000);
            await make(world);
          },
          { labels: {} },
        ),
    ),
  };
}

const scale = (world: World, value: number): Promise<unknown> =>
  patchTarget(world, { op: 'add', path: '/spec/replicas', value });

async function podsOf({ cluster, layout }: World): Promise<KubeObject[]> {
  return (await cluster.list(kinds.pod, { namespace, labelSelector: `app=${target({ layout })}` })).items;
}

export const worlds: readonly PatientWorld[] = [
  ended('pod that is evicted', 1, { reason: 'Evicted', message: pressure, after: 40 }, true),
  ended('two pods that are evicted', 2, { reason: 'Evicted', message: pressure, after: 40 }),
  ended('pod that a node turns away as it shuts down', 1, {
    reason: 'NodeShutdown',
    message: 'Pod was rejected as the node is shutting down.',
  }),
  ended('pod that ends with its node', 1, {
    reason: 'Terminated',
    message: 'Pod was terminated in response to imminent node shutdown.',
    after: 100,
  }),
  ended('pod that has no room after all', 1, { reason: 'OutOfcpu', message: "Node didn't have enough resource: cpu" }),
  ended('pod that a more important one replaces', 1, {
    reason: 'Preempting',
    message: 'Preempted in order to admit critical pod',
    after: 40,
  }),
  ended('pod that has completed', 1, { reason: '', message: '', after: 40, phase: 'Succeeded' }),
  {
    name: 'ReplicaSet that is used again, with what is left of its pods',
    async run(world) {
      const images = await world.services.pushAll();
      world.kubelet.endNext(target(world), 2, { reason: 'Evicted', message: pressure, after: 40 });
      await world.rollout({ images });
      await world.rollout({ images: await world.services.pushAll() });
      return world.rollout({ images });
    },
  },
  {
    name: 'rollout after one that crashed',
    run: (world) => labelled({ exit: '1' })(world).then(() => labelled({})(world)),
  },
  withNeighbour(
    'neighbour that is paused',
    { kind: 'Deployment', afterwards: { paused: true } },
    /not restarted: it is paused/,
    true,
  ),
  withNeighbour(
    'StatefulSet that is renewed by hand',
    { kind: 'StatefulSet', spec: { updateStrategy: { type: 'OnDelete' } } },
    /not restarted: its pods are renewed only when somebody deletes them/,
  ),
  withNeighbour(
    'DaemonSet that is renewed by hand',
    { kind: 'DaemonSet', spec: { updateStrategy: { type: 'OnDelete' } } },
    /not restarted: its pods are renewed only when somebody deletes them/,
  ),
  withNeighbour(
    'StatefulSet whose partition keeps all its pods',
    { kind: 'StatefulSet', spec: { replicas: 2, updateStrategy: { rollingUpdate: { partition: 2 } } } },
    /its partition of 2 keeps all its pods/,
  ),
  withNeighbour('StatefulSet whose partition keeps one of its pods', {
    kind: 'StatefulSet',
    spec: { replicas: 2, updateStrategy: { rollingUpdate: { partition: 1 } } },
  }),
  withNeighbour('neighbour that is scaled to 0', { kind: 'Deployment', afterwards: { replicas: 0 } }),
  withNeighbour('neighbour that crashes, and reads nothing', {
    kind: 'Deployment',
    readsNothing: true,
    labels: { exit: '1' },
  }),
  withNeighbour('neighbour that is slow to restart', { kind: 'Deployment', labels: { 'ready-after': '3000' } }),
  {
    name: 'neighbour that somebody pauses in the middle',
    run: (world) =>
      beside(world, { kind: 'Deployment', labels: { 'ready-after': '3000' } }, () =>
        inTheMiddle(world, () => changeNeighbour(world, 'Deployment', { paused: true }), {
          labels: { 'ready-after': '300' },
        }),
      ),
  },
  {
    name: 'database that restarts with it, while its users crash',
    run: (world) =>
      beside(world, { kind: 'StatefulSet', labels: { 'ready-after': '4000' } }, () =>
        labelled({ crashes: '4' })(world),
      ),
  },
  { name: 'image that takes long to come', run: labelled({ 'pull-after': '12000' }) },
  { name: 'program that takes long to start', run: labelled({ 'ready-after': '12000' }) },
  { name: 'program that crashes twice, and runs', quick: true, run: labelled({ crashes: '2' }) },
  {
    name: 'init container that takes its time',
    run: whileSo(
      async (world) => {
        const image = await world.services.push('migrate', { 'ready-after': '3000' });
        await givePod(world, { initContainers: [{ name: 'migrate', image }] });
        await world.services.settled();
      },
      async (world) => {
        await givePod(world, undefined);
        await world.services.settled();
      },
    ),
  },
  {
    name: 'pods that have to be Ready for a while',
    run: whileSo(
      (world) => patchTarget(world, { op: 'add', path: '/spec/minReadySeconds', value: 3 }),
      (world) => patchTarget(world, { op: 'add', path: '/spec/minReadySeconds', value: 0 }),
    ),
  },
  lateSecret('Secret that comes after the pods', (container) => ({
    containers: [{ name: container, envFrom: [{ secretRef: { name: extra.name } }] }],
  })),
  lateSecret('volume whose Secret comes after the pods', (container) => ({
    volumes: [{ name: 'extra', secret: { secretName: extra.name } }],
    containers: [{ name: container, volumeMounts: [{ name: 'extra', mountPath: '/extra' }] }],
  })),
  {
    name: 'registry that restarts in the middle',
    run: (world) => {
      let up: Promise<unknown> | undefined;
      return inTheMiddle(
        world,
        async () => {
          await world.registry.kill();
          up = sleep(4_000).then(() => world.registry.start());
        },
        { labels: { 'pull-after': '100' } },
      ).finally(() => up);
    },
  },
  {
    name: 'registry that turns the nodes away for a moment',
    run: whileSo(
      (world) => world.kubelet.refuse(true),
      (world) => world.kubelet.refuse(false),
      (world) =>
        inTheMiddle(
          world,
          async () => {
            await sleep(3_000);
            world.kubelet.refuse(false);
          },
          { labels: {} },
        ),
    ),
  },
  passing('node that is cordoned for a moment, before the pod is on it', {
    make: (world) => cordon(world, nodeName, true),
    mend: (world) => cordon(world, nodeName, false),
  }),
  {
    name: 'node that is drained in the middle',
    async run(world) {
      const second = await world.kubelet.addNode('lab-second');
      try {
        return await inTheMiddle(world, async () => {
          await cordon(world, nodeName, true);
          const pods = await podsOf(world);
          await Promise.all(pods.map(({ metadata }) => world.cluster.delete(kinds.pod, metadata)));
        });
      } finally {
        await cordon(world, nodeName, false);
        await cordon(world, 'lab-second', true);
        const { items } = await world.cluster.list(kinds.pod, { namespace, fieldSelector: 'spec.nodeName=lab-second' });
        await Promise.all(items.map(({ metadata }) => world.cluster.delete(kinds.pod, metadata)));
        await world.services.settled();
        await second.close();
        await world.cluster.delete(kinds.node, { name: 'lab-second' });
      }
    },
  },
  {
    name: 'pod that somebody deletes in the middle',
    run: (world) =>
      inTheMiddle(world, async () => {
        const pods = await podsOf(world);
        await Promise.all(pods.map(({ metadata }) => world.cluster.delete(kinds.pod, metadata)));
      }),
  },
  {
    name: 'autoscaler that wants more in the middle',
    run: (world) => inTheMiddle(world, () => scale(world, 3)).finally(() => scale(world, 1)),
  },
  {
    name: 'autoscaler that wants more than there is room for',
    run: whileSo(
      async (world) => {
        const resources = { requests: { memory: '50Gi' } };
        await givePod(world, { containers: [{ name: await firstContainer(world), resources }] });
        await world.services.settled();
      },
      async (world) => {
        await scale(world, 1);
        await givePod(world, undefined);
        await world.services.settled();
      },
      async (world) => {
        const ref = { namespace, name: target(world) };
        const get = (): Promise<KubeObject | undefined> => world.cluster.get<KubeObject>(kinds.deployment, ref);
        const before = (await get())?.metadata.generation ?? 0;
        // Another one is still on its way when this one is done, and grows.
        const images = await world.services.pushAll({ 'mcp-sentinel-ui': { 'ready-after': '10000' } });
        const isDone = async (): Promise<boolean> => {
          const found = await get();
          return found !== undefined && (found.metadata.generation ?? 0) > before && rolloutState(found).complete;
        };
        return meanwhile(world.rollout({ images }), isDone, () => scale(world, 4));
      },
    ),
  },
  {
    name: 'autoscaler that wants less in the middle',
    run: whileSo(
      async (world) => {
        await scale(world, 3);
        await world.services.settled();
      },
      (world) => scale(world, 1),
      (world) => inTheMiddle(world, () => scale(world, 1)),
    ),
  },
  {
    name: 'somebody who writes other fields all the time',
    run: (world) =>
      inTheMiddle(world, async () => {
        for (let count = 0; count < 30; count += 1) {
          await patchTarget(world, {
            op: 'add',
            path: '/metadata/annotations/lab.mcprt.dev~1count',
            value: `${count}`,
          });
          await sleep(50);
        }
      }),
  },
  {
    name: 'API server that restarts in the middle',
    run: (world) =>
      inTheMiddle(world, async () => {
        await killPart(world.state, 'apiserver');
        await sleep(1_500);
        await startPart(world.state, 'apiserver');
      }),
  },
  passing('admission webhook that is away for a moment', {
    before: webhookAway,
    mend: webhookBack,
  }),
  passing('quota that has room again after a moment', {
    before: async (world) => {
      const { items } = await world.cluster.list(kinds.pod, { namespace });
      const hard = { pods: String(items.length) };
      await createObject(world.cluster, kinds.resourceQuota, { metadata: quota, spec: { hard } });
      await sleep(1_500);
    },
    mend: ({ cluster }) => cluster.delete(kinds.resourceQuota, quota),
  }),
];
