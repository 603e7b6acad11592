import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '../../shared/cluster/cluster.js';
import { type Condition, type KubeObject, kinds } from '../../shared/cluster/objects.js';

export type Conditioned = KubeObject & { status?: { conditions?: Condition[] } };
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

/** Looks again until it holds; gives false when the time is up. */
export async function waitUntil(holds: () => Promise<boolean>, seconds: number, poll: number): Promise<boolean> {
  const end = Date.now() + seconds * 1000;
  while (!(await holds())) {
    if (Date.now() + poll > end) return false;
    await sleep(poll);
  }
  return true;
}

export function isTrue(object: Conditioned | undefined, type: string): boolean {
  return object?.status?.conditions?.some((one) => one.type === type && one.status === 'True') ?? false;
}

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
