import { setTimeout as sleep } from 'node:timers/promises';
import type { Ending } from '../../lab/platform/kubelet/ports.js';
import { createObject } from '../../lab/platform/objects.js';
import { kinds } from '../../shared/cluster/objects.js';
import { nodeName } from '../world/kubelet.js';
import {
  cordon,
  type Failure,
  firstContainer,
  givePod,
  inTheMiddle,
  labelled,
  namespace,
  patchTarget,
  target,
  untilPodsAreRefused,
  type World,
  webhookAway,
  webhookBack,
  whileSo,
} from './support.js';

const short = { 'rollout-timeout': '5s' };
const limits = { namespace, name: 'limits' };
const level = { namespace: '', name: namespace };
const enforced = '/metadata/labels/pod-security.kubernetes.io~1enforce';
const journal = { namespace: 'kube-system', name: 'mcprt-rollout' };

/** Rolls out while the one node is not what the pods ask for. */
function onNode(
  make: (world: World) => Promise<unknown>,
  pod: (world: World) => Promise<object>,
  mend: typeof make,
): Failure['run'] {
  return whileSo(
    async (world) => {
      await givePod(world, await pod(world));
      await world.services.settled();
      await make(world);
      await sleep(300);
    },
    async (world) => {
      await mend(world);
      await givePod(world, undefined);
      await world.services.settled();
    },
    labelled({}, short),
  );
}

/** Rolls out while the node ends every new pod. */
const endedByNode = (ending: Ending, labels: Record<string, string> = {}): Failure['run'] =>
  whileSo(
    (world) => world.kubelet.endNext(target(world), 1_000, ending),
    (world) => world.kubelet.endNext(target(world), 0, ending),
    labelled(labels, short),
  );

const hostname = ({ cluster }: World, value: string): Promise<unknown> =>
  cluster.patch(kinds.node, { name: nodeName }, [
    { op: 'replace', path: '/metadata/labels/kubernetes.io~1hostname', value },
  ]);

const enforce = ({ cluster }: World, value: string): Promise<unknown> =>
  cluster.patch(kinds.namespace, level, [{ op: 'add', path: enforced, value }]);

/** What the cluster does with the pods. */
export const clusterFailures: readonly Failure[] = [
  {
    name: 'Pod Security that refuses the pods',
    finding: 'workload-quota',
    says: /Pod Security refuses its pods: the level is restricted/,
    run: whileSo(
      async (world) => {
        await givePod(world, { hostIPC: true });
        await world.services.settled();
        await enforce(world, 'restricted');
        await untilPodsAreRefused(world.cluster);
      },
      async (world) => {
        await enforce(world, 'privileged');
        await givePod(world, undefined);
        await world.services.settled();
      },
    ),
  },
  {
    name: 'limits that the pods do not keep',
    finding: 'workload-quota',
    says: /LimitRange refuses its pods/,
    run: whileSo(
      async (world) => {
        const resources = { limits: { memory: '64Mi' }, requests: { memory: '64Mi' } };
        await givePod(world, { containers: [{ name: await firstContainer(world), resources }] });
        await world.services.settled();
        const limit = { type: 'Container', max: { memory: '32Mi' } };
        await createObject(world.cluster, kinds.limitRange, { metadata: limits, spec: { limits: [limit] } });
        await untilPodsAreRefused(world.cluster);
      },
      async (world) => {
        await world.cluster.delete(kinds.limitRange, limits);
        await givePod(world, undefined);
        await world.services.settled();
      },
    ),
  },
  {
    name: 'admission webhook that does not answer',
    finding: 'workload-quota',
    says: /the admission webhook away\.example\.com does not answer/,
    run: whileSo(webhookAway, webhookBack, labelled({}, short)),
  },
  {
    name: 'label that no node has any more',
    finding: 'pod-unschedulable',
    says: /no node takes its pod: .*didn't match Pod's node affinity\/selector/,
    run: onNode(
      (world) => hostname(world, 'another'),
      async () => ({ nodeSelector: { 'kubernetes.io/hostname': nodeName } }),
      (world) => hostname(world, nodeName),
    ),
  },
  {
    name: 'taint that the pods do not tolerate',
    finding: 'pod-unschedulable',
    says: /no node takes its pod: .*untolerated taint/,
    run: onNode(
      ({ cluster }) =>
        cluster.patch(kinds.node, { name: nodeName }, [
          { op: 'add', path: '/spec/taints', value: [{ key: 'gpu', value: 'only', effect: 'NoSchedule' }] },
        ]),
      async () => ({}),
      ({ cluster }) => cluster.patch(kinds.node, { name: nodeName }, [{ op: 'remove', path: '/spec/taints' }]),
    ),
  },
  {
    name: 'memory that no node has twice',
    finding: 'pod-unschedulable',
    says: /no node takes its pod: .*Insufficient memory/,
    run: onNode(
      async () => undefined,
      async (world) => ({
        containers: [{ name: await firstContainer(world), resources: { requests: { memory: '100Gi' } } }],
      }),
      async () => undefined,
    ),
  },
  {
    name: 'node that evicts the pods, one after another',
    finding: 'pod-ended',
    says: /ended by their node, one after another: Evicted/,
    run: endedByNode(
      {
        reason: 'Evicted',
        message: 'Pod ephemeral local storage usage exceeds the total limit of containers 64Mi. ',
        after: 40,
      },
      { 'ready-after': '3000' },
    ),
  },
  {
    name: 'node that evicts pods whose programs end well',
    finding: 'pod-ended',
    says: /ended by their node, one after another: Evicted/,
    run: endedByNode(
      { reason: 'Evicted', message: 'The node was low on resource: memory. ', after: 40, phase: 'Succeeded' },
      { 'ready-after': '3000' },
    ),
  },
  {
    name: 'node that turns the pods away',
    finding: 'pod-ended',
    says: /ended by their node, one after another: OutOfcpu/,
    run: endedByNode({
      reason: 'OutOfcpu',
      message: "Node didn't have enough resource: cpu, requested: 100, used: 31950, capacity: 32000",
    }),
  },
  {
    name: 'Deployment that somebody pauses in the middle',
    finding: 'rollout-overwritten',
    says: /somebody stopped it meanwhile: it is paused/,
    run: async (world) => {
      const pause = (value: boolean): Promise<unknown> =>
        patchTarget(world, { op: 'add', path: '/spec/paused', value });
      try {
        return await inTheMiddle(world, () => pause(true), { inputs: short });
      } finally {
        await pause(false);
      }
    },
  },
  {
    name: 'Deployment that is paused',
    error: 'rollout-target',
    says: /cannot be rolled out/,
    ends: 'none',
    quick: true,
    run: whileSo(
      (world) => patchTarget(world, { op: 'add', path: '/spec/paused', value: true }),
      (world) => patchTarget(world, { op: 'add', path: '/spec/paused', value: false }),
    ),
  },
  {
    name: 'pods that have to be Ready for longer than the rollout waits',
    error: 'rollout-window',
    says: /cannot be rolled out within 5 s/,
    ends: 'none',
    run: whileSo(
      (world) => patchTarget(world, { op: 'add', path: '/spec/minReadySeconds', value: 60 }),
      (world) => patchTarget(world, { op: 'add', path: '/spec/minReadySeconds', value: 0 }),
      labelled({}, short),
    ),
  },
  {
    name: 'index without an image for the node',
    error: 'rollout-architecture',
    says: /another processor/,
    ends: 'none',
    run: async (world) => world.rollout({ images: await world.services.pushIndexes(['arm64', 's390x']) }),
  },
  {
    name: 'container that the Deployment does not have',
    error: 'rollout-target',
    says: /cannot be rolled out/,
    ends: 'none',
    run: async (world) =>
      world.rollout({ images: `${target(world)}/gone=${await world.services.push(target(world))}` }),
  },
  {
    name: 'Deployment that is not there',
    error: 'rollout-target',
    says: /cannot be rolled out/,
    ends: 'none',
    run: async (world) => world.rollout({ images: `gone=${await world.services.push(target(world))}` }),
  },
  {
    name: 'words of an earlier rollout that nobody can read',
    error: 'rollout-journal',
    says: /cannot be read/,
    ends: 'none',
    run: whileSo(
      ({ cluster }) =>
        createObject(cluster, kinds.configMap, {
          metadata: journal,
          data: { run: 'x', expires: new Date(0).toISOString(), previous: '{' },
        }),
      ({ cluster }) => cluster.delete(kinds.configMap, journal),
    ),
  },
  {
    name: 'node that is cordoned in the middle',
    finding: 'pod-unschedulable',
    says: /no node takes its pod: .*unschedulable/,
    run: whileSo(
      (world) => cordon(world, nodeName, true),
      (world) => cordon(world, nodeName, false),
      labelled({}, short),
    ),
  },
];
