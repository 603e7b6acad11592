import { ApiError } from '../cluster/api-error.js';
import { type Cluster, objectOf } from '../cluster/cluster.js';
import { type Kind, type KubeObject, kinds } from '../cluster/objects.js';
import { platformConfig, platformNamespaces, pullSecretName } from '../platform/resources.js';
import type { PreviousWorkload } from './journal.js';
import type { Expected } from './judge.js';
import { requireKind } from './permissions.js';
import { configAnnotation, type RolloutPlan } from './plan.js';

const namespace = platformNamespaces.sentinel;

export const workloadKinds: Readonly<Record<PreviousWorkload['kind'], Kind>> = {
  Deployment: kinds.deployment,
  StatefulSet: kinds.statefulSet,
  DaemonSet: kinds.daemonSet,
};

/**
 * Makes what the plan says, by server-side apply: first what pods need (pull Secret, permissions, configuration), then
 * every workload at once, each with one request.
 *
 * @param signal ends it between two writes; what is under way is finished
 * @returns what is to be waited for, with the generations that the writes have made
 */
export async function applyPlan(cluster: Cluster, plan: RolloutPlan, signal: AbortSignal): Promise<Expected[]> {
  const step = async (work: Promise<unknown>[]): Promise<void> => {
    await settled(work);
    signal.throwIfAborted();
  };
  if (plan.pullSecret !== undefined) await step([writePullSecret(cluster, plan.pullSecret)]);
  await step(plan.permissions.map(({ wanted }) => cluster.apply(requireKind(wanted), wanted, { force: true })));
  if (plan.config.changed.length > 0) {
    await step([cluster.apply(kinds.configMap, configObject(plan.config.written), { force: true })]);
  }
  const generations = new Map<string, number>();
  await step(
    plan.writes.map(async (write) => {
      const { metadata } = await writeWorkload(cluster, write, write.uid);
      generations.set(write.uid, metadata.generation ?? 0);
    }),
  );
  return plan.awaited.map((one) => ({ ...one, generation: generations.get(one.uid) ?? one.generation }));
}

/** ConfigMap mcp-sentinel-config with the keys that are ours to write. */
export function configObject(data: Readonly<Record<string, string>>): KubeObject {
  return objectOf(kinds.configMap, { metadata: platformConfig, data });
}

/**
 * Writes what a rollout changes of one workload, in one request. A field of somebody else is taken over: before the
 * first write the plan has made sure that it is nobody's who would put it back.
 */
function writeWorkload(cluster: Cluster, write: PreviousWorkload, uid: string): Promise<KubeObject> {
  return cluster.apply<KubeObject>(workloadKinds[write.kind], workloadObject(write, uid), { force: true });
}

/** The part of a workload that a rollout owns. The UID makes sure that it is the one that was looked at. */
export function workloadObject(
  { kind, name, images, initContainers, pullSecrets, annotation }: PreviousWorkload,
  uid: string,
): KubeObject {
  const named = Object.entries(images).map(([container, image]) => ({ name: container, image }));
  const containers = named.filter((one) => !initContainers.includes(one.name));
  const first = named.filter((one) => initContainers.includes(one.name));
  const annotations = annotation === null ? {} : { annotations: { [configAnnotation]: annotation } };
  return objectOf(workloadKinds[kind], {
    metadata: { namespace, name, uid },
    spec: {
      template: {
        metadata: annotations,
        spec: {
          ...(pullSecrets.length === 0 ? {} : { imagePullSecrets: pullSecrets.map((secret) => ({ name: secret })) }),
          ...(containers.length === 0 ? {} : { containers }),
          ...(first.length === 0 ? {} : { initContainers: first }),
        },
      },
    },
  });
}

async function writePullSecret(cluster: Cluster, text: string): Promise<void> {
  const secret = objectOf(kinds.secret, {
    metadata: { namespace, name: pullSecretName },
    type: 'kubernetes.io/dockerconfigjson',
    data: { '.dockerconfigjson': Buffer.from(text).toString('base64') },
  });
  try {
    await cluster.apply(kinds.secret, secret, { force: true });
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 422)) throw error;
    // A Secret of another type cannot be made one for pulls; nothing else has this name.
    await cluster.delete(kinds.secret, { namespace, name: pullSecretName });
    await cluster.apply(kinds.secret, secret, { force: true });
  }
}

/** Waits for all, also when one fails: no write is left under way. @throws what the first failed with */
async function settled(work: readonly Promise<unknown>[]): Promise<void> {
  const results = await Promise.allSettled(work);
  const failed = results.find((one): one is PromiseRejectedResult => one.status === 'rejected');
  if (failed) throw failed.reason;
}
