import { putIndex } from '../../lab/platform/image.js';
import { createObject } from '../../lab/platform/objects.js';
import type { Runnable } from '../../lab/platform/runnable-image.js';
import { kinds } from '../../shared/cluster/objects.js';
import { type Failure, namespace, target } from '../rollout-failures/support.js';
import { otherRegistryHost } from '../world/kubelet.js';
import { registryHost } from '../world/registry.js';
import { pushed, type Stage } from './target.js';

/** A real node takes its time: back-off begins with 10 s. */
const patient = { 'rollout-timeout': '90s' };
const short = { 'rollout-timeout': '20s' };

interface Given {
  inputs?: Record<string, string>;
  pod?: Record<string, unknown>;
  container?: Record<string, unknown>;
  /** Makes what the pods need. */
  before?(): Promise<unknown>;
  /** Makes it so, once the Deployment runs with all that it is given. */
  spoil?(): Promise<unknown>;
  /** Undoes it. */
  after?(): Promise<unknown>;
}

/** What makes rollouts fail on a real node; the same words are due as with the stand-in (proofs/rollout-failures). */
export function failuresOn(stage: Stage): Failure[] {
  const { world, give } = stage;
  /** Rolls out an image while something is so. */
  const image =
    (
      runnable: Runnable | (() => Promise<string>),
      { inputs = patient, pod, container, before, spoil, after }: Given = {},
    ) =>
    async () => {
      await before?.();
      try {
        if (pod !== undefined || container !== undefined) {
          await give(pod, container);
          await world.services.settled();
        }
        await spoil?.();
        const reference = typeof runnable === 'function' ? await runnable() : await pushed(stage, runnable);
        return await world.rollout({ images: `${target(world)}=${reference}`, ...inputs });
      } finally {
        await after?.();
        if (pod !== undefined || container !== undefined) {
          await give();
          await world.services.settled();
        }
      }
    };
  const elsewhere = (reference: string): string => reference.replace(registryHost, otherRegistryHost);
  const secret = { namespace, name: 'extra' };
  return [
    {
      name: 'image that no registry has',
      finding: 'image-pull',
      says: /the image is not in the registry/,
      run: image(async () => `${otherRegistryHost}/nothing@sha256:${'0'.repeat(64)}`),
    },
    {
      name: 'credentials of the nodes that have expired',
      finding: 'pull-secret-stale',
      says: /refuses the credentials/,
      run: image(
        {},
        {
          spoil: async () => world.kubelet.refuse(true),
          after: async () => world.kubelet.refuse(false),
        },
      ),
    },
    {
      name: 'index without an image for the node',
      finding: 'image-architecture',
      says: /built for another processor/,
      run: image(async () => {
        const digest = await putIndex(world.registry.url, 'foreign', 'multi', ['arm64', 's390x']);
        return `${otherRegistryHost}/foreign@${digest}`;
      }),
    },
    {
      // containerd takes an image that is none of an index for what it is not: only its program fails.
      name: 'image for another processor',
      finding: 'image-architecture',
      says: /built for another processor/,
      run: image(async () => elsewhere(await pushed(stage, { architecture: 'arm64', entrypoint: ['/foreign'] }))),
    },
    {
      name: 'crash loop',
      finding: 'pod-crash-loop',
      says: /its container keeps crashing/,
      quick: true,
      run: image({ env: { LAB_EXIT: '1', LAB_LOG: 'panic: no route to the database' } }),
    },
    {
      name: 'killed for its memory',
      finding: 'pod-crash-loop',
      says: /its container is killed for its memory: its limit is 32Mi/,
      run: image({ env: { LAB_EAT: 'memory' } }, { container: { resources: { limits: { memory: '32Mi' } } } }),
    },
    {
      name: 'never ready',
      finding: 'probe-failing',
      says: /its readiness probe fails: HTTP probe failed with statuscode: 503/,
      quick: true,
      run: image({ env: { LAB_READY: '503' } }, { inputs: short }),
    },
    {
      name: 'readiness probe that nobody answers',
      finding: 'probe-failing',
      says: /its readiness probe fails: .*connection refused/,
      run: image({ env: { PORT: '1' } }, { inputs: short, container: { livenessProbe: undefined } }),
    },
    {
      name: 'liveness probe that fails',
      finding: 'pod-crash-loop',
      says: /killed as its liveness probe fails: HTTP probe failed with statuscode: 500/,
      run: image({ env: { LAB_LIVE: '500', LAB_READY: '503' } }),
    },
    {
      name: 'key of a Secret that is not there',
      finding: 'pod-config',
      says: /Secret extra has no key KEY/,
      quick: true,
      run: image(
        {},
        {
          before: () =>
            createObject(world.cluster, kinds.secret, { metadata: secret, data: { KEY: 'dmFsdWU=', OTHER: '' } }),
          spoil: () => world.cluster.patch(kinds.secret, secret, [{ op: 'remove', path: '/data/KEY' }]),
          after: () => world.cluster.delete(kinds.secret, secret),
          container: { env: [{ name: 'EXTRA', valueFrom: { secretKeyRef: { name: secret.name, key: 'KEY' } } }] },
        },
      ),
    },
    {
      name: 'program that the image does not have',
      finding: 'pod-config',
      says: /cannot be started: its image has no \/server/,
      quick: true,
      run: image({ entrypoint: ['/server'] }),
    },
    {
      name: 'program that may not be executed',
      finding: 'pod-config',
      says: /\/notes may not be executed/,
      run: image({ entrypoint: ['/notes'] }),
    },
    {
      name: 'image that would run as root',
      finding: 'pod-config',
      says: /its image would run as root/,
      run: image({ user: '0' }, { inputs: short }),
    },
    {
      name: 'init container that does not end',
      finding: 'workload-not-ready',
      says: /its init container migrate has not ended/,
      async run() {
        const first = { name: 'migrate', image: await pushed(stage, { env: { LAB_EXIT: '0' } }, 'migrate') };
        const deployment = { namespace, name: target(world) };
        await give({ initContainers: [first] });
        try {
          await world.services.settled();
          const hanging = await pushed(stage, { env: { LAB_HANG: 'true' } }, 'migrate');
          return await world.rollout({ images: `${target(world)}/migrate=${hanging}`, ...short });
        } finally {
          await give();
          const path = '/spec/template/spec/initContainers';
          await world.cluster.patch(kinds.deployment, deployment, [{ op: 'remove', path }]);
          await world.services.settled();
        }
      },
    },
    {
      name: 'node that evicts the pods, one after another',
      finding: 'pod-ended',
      says: /ended by their node, one after another: Evicted/,
      run: image(
        { env: { LAB_EAT: 'disk', LAB_READY: '503' } },
        {
          container: { resources: { limits: { 'ephemeral-storage': '32Mi' } } },
          inputs: { 'rollout-timeout': '150s' },
        },
      ),
    },
  ];
}
