import type { Cluster } from '../../shared/cluster/cluster.js';
import { type KubeObject, kinds } from '../../shared/cluster/objects.js';
import { found } from '../driver/until.js';

type Rolled = KubeObject & {
  spec?: { replicas?: number };
  status?: {
    observedGeneration?: number;
    replicas?: number;
    updatedReplicas?: number;
    availableReplicas?: number;
    readyReplicas?: number;
    desiredNumberScheduled?: number;
    updatedNumberScheduled?: number;
    numberAvailable?: number;
  };
};

/** Whether a Deployment, StatefulSet or DaemonSet has all its replicas, of its newest template. */
export async function isRolledOut(
  cluster: Cluster,
  kind: 'deployment' | 'statefulSet' | 'daemonSet',
  ref: { namespace: string; name: string },
): Promise<boolean> {
  const found = await cluster.get<Rolled>(kinds[kind], ref);
  if (found === undefined || (found.status?.observedGeneration ?? 0) < (found.metadata.generation ?? 0)) return false;
  const { status = {} } = found;
  if (kind === 'daemonSet') {
    const wanted = status.desiredNumberScheduled ?? 0;
    return (status.updatedNumberScheduled ?? 0) >= wanted && (status.numberAvailable ?? 0) >= wanted;
  }
  const wanted = found.spec?.replicas ?? 1;
  const ready = kind === 'deployment' ? status.availableReplicas : status.readyReplicas;
  return (status.updatedReplicas ?? 0) >= wanted && (ready ?? 0) >= wanted && (status.replicas ?? 0) <= wanted;
}

/** Looks again until it holds; gives false when the time is up. @param every in ms */
export async function waitUntil(holds: () => Promise<boolean>, seconds: number, every: number): Promise<boolean> {
  return (await found(holds, { seconds, every })) ?? false;
}
