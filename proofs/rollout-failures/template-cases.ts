import type { ActionRun } from '../../lab/driver/action.js';
import { createObject } from '../../lab/platform/objects.js';
import { kinds } from '../../shared/cluster/objects.js';
import { otherRegistryHost } from '../world/kubelet.js';
import { type Failure, firstContainer, givePod, labelled, namespace, target, type World, whileSo } from './support.js';

const short = { 'rollout-timeout': '5s' };
const extra = { namespace, name: 'extra' };
const filled = { secret: { data: { KEY: 'dmFsdWU=' } }, configMap: { data: { KEY: 'value' } } } as const;

/** Rolls out to pods that need a Secret or ConfigMap which is there at first, and is then deleted, or empty. */
function without(kind: 'secret' | 'configMap', pod: (world: World) => Promise<object>, left?: object): Failure['run'] {
  return whileSo(
    async (world) => {
      await createObject(world.cluster, kinds[kind], { metadata: extra, ...filled[kind] });
      await givePod(world, await pod(world));
      await world.services.settled();
      await world.cluster.delete(kinds[kind], extra);
      if (left !== undefined) await createObject(world.cluster, kinds[kind], { metadata: extra, ...left });
    },
    async (world) => {
      await givePod(world, undefined);
      await world.cluster.delete(kinds[kind], extra);
      await world.services.settled();
    },
    labelled({}, short),
  );
}

/** Part of a pod in which the container that is rolled out has more. */
const inContainer =
  (more: object) =>
  async (world: World): Promise<object> => ({ containers: [{ name: await firstContainer(world), ...more }] });
const mounting =
  (volume: object) =>
  async (world: World): Promise<object> => ({
    volumes: [{ name: 'extra', ...volume }],
    ...(await inContainer({ volumeMounts: [{ name: 'extra', mountPath: '/extra' }] })(world)),
  });
const variable = (valueFrom: object): object => ({ env: [{ name: 'EXTRA', valueFrom }] });
const key = { name: extra.name, key: 'KEY' };
const items = [{ key: 'KEY', path: 'key' }];
const empty = { data: {} };

/** Rolls out an image for an init container, which that Deployment has meanwhile. */
function asFirst(labels: Record<string, string>, more: object = {}): Failure['run'] {
  return whileSo(
    async (world) => {
      const init = { name: 'migrate', image: await world.services.push('migrate'), ...more };
      await givePod(world, { initContainers: [init] });
      await world.services.settled();
    },
    async (world) => {
      await givePod(world, undefined);
      await world.services.settled();
    },
    async (world): Promise<ActionRun> =>
      world.rollout({ images: `${target(world)}/migrate=${await world.services.push('migrate', labels)}`, ...short }),
  );
}

/** What a pod needs, and is not there. */
export const templateFailures: readonly Failure[] = [
  {
    name: 'key that a Secret does not have',
    finding: 'pod-config',
    says: /Secret extra has no key KEY/,
    quick: true,
    run: without('secret', inContainer(variable({ secretKeyRef: key })), empty),
  },
  {
    name: 'ConfigMap that nobody made',
    finding: 'pod-config',
    says: /ConfigMap extra is not there/,
    run: without('configMap', inContainer(variable({ configMapKeyRef: key }))),
  },
  {
    name: 'key that a ConfigMap does not have',
    finding: 'pod-config',
    says: /ConfigMap extra has no key KEY/,
    run: without('configMap', inContainer(variable({ configMapKeyRef: key })), empty),
  },
  {
    name: 'volume of a Secret that nobody made',
    finding: 'pod-config',
    says: /its volume extra cannot be mounted: Secret extra is not there/,
    run: without('secret', mounting({ secret: { secretName: extra.name } })),
  },
  {
    name: 'volume of a key that a Secret does not have',
    finding: 'pod-config',
    says: /its volume extra cannot be mounted: Secret extra has no key KEY/,
    run: without('secret', mounting({ secret: { secretName: extra.name, items } }), empty),
  },
  {
    name: 'volume of a ConfigMap that nobody made',
    finding: 'pod-config',
    says: /its volume extra cannot be mounted: ConfigMap extra is not there/,
    run: without('configMap', mounting({ configMap: { name: extra.name } })),
  },
  {
    name: 'volume of a key that a ConfigMap does not have',
    finding: 'pod-config',
    says: /its volume extra cannot be mounted: ConfigMap extra has no key KEY/,
    run: without('configMap', mounting({ configMap: { name: extra.name, items } }), empty),
  },
  {
    name: 'init container that crashes',
    finding: 'pod-crash-loop',
    says: /its init container migrate keeps crashing/,
    run: asFirst({ exit: '1', log: 'relation "users" already exists' }),
  },
  {
    name: 'init container that does not end',
    finding: 'workload-not-ready',
    says: /its init container migrate has not ended/,
    quick: true,
    run: asFirst({ hangs: 'true' }),
  },
  {
    name: 'init container that is killed for its memory',
    finding: 'pod-crash-loop',
    says: /its init container migrate is killed for its memory: its limit is 32Mi/,
    run: asFirst({ oom: 'true' }, { resources: { limits: { memory: '32Mi' } } }),
  },
  {
    name: 'sidecar that does not start',
    finding: 'workload-not-ready',
    says: /its sidecar migrate has not started/,
    run: asFirst({ startup: 'dial tcp 127.0.0.1:15021: connect: connection refused' }, { restartPolicy: 'Always' }),
  },
  {
    name: 'image of a sidecar that no registry has',
    finding: 'image-pull',
    says: /the image is not in the registry/,
    run: whileSo(
      async (world) => {
        const image = await world.services.push('migrate');
        await givePod(world, { initContainers: [{ name: 'migrate', image, restartPolicy: 'Always' }] });
        await world.services.settled();
      },
      async (world) => {
        await givePod(world, undefined);
        await world.services.settled();
      },
      (world) =>
        world.rollout({
          images: `${target(world)}/migrate=${otherRegistryHost}/gone@sha256:${'2'.repeat(64)}`,
          ...short,
        }),
    ),
  },
];
