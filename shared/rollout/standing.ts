import { at, isTrue, numberAt } from '../cluster/fields.js';
import type { KubeObject } from '../cluster/objects.js';
import { isOnDelete } from '../cluster/rollout-state.js';
import { nodesFor } from './placement.js';

/** Why a workload keeps its pods as they are, whatever is written to it, and what its owner can do about it. */
export interface Standstill {
  why: string;
  remedy: string;
}

/**
 * Whether a change of a workload would never come to its pods by itself; undefined where it would.
 *
 * @param nodes those of the cluster: a DaemonSet does not come past one that is not Ready
 */
export function standstillOf(workload: KubeObject, nodes: readonly KubeObject[] = []): Standstill | undefined {
  const { name, namespace, deletionTimestamp } = workload.metadata;
  const resource = `-n ${namespace} ${workload.kind.toLowerCase()}/${name}`;
  if (deletionTimestamp !== undefined) {
    return { why: 'it is being deleted', remedy: `make it again once it is gone: \`kubectl get ${resource}\`` };
  }
  if (at(workload, 'spec', 'paused') === true) {
    return { why: 'it is paused', remedy: `\`kubectl rollout resume ${resource}\`` };
  }
  if (isOnDelete(workload)) {
    return {
      why: 'its pods are renewed only when somebody deletes them (OnDelete)',
      remedy: `delete its pods when it suits: \`kubectl get pods -n ${namespace} | grep ${name}\``,
    };
  }
  const replicas = numberAt(workload, 'spec', 'replicas') ?? 1;
  if (workload.kind !== 'DaemonSet' && replicas === 0) {
    return { why: 'it is scaled to 0', remedy: 'nothing: its next pods start with what is new' };
  }
  const dead =
    workload.kind === 'DaemonSet' ? nodesFor(workload, nodes).find((node) => !isTrue(node, 'Ready')) : undefined;
  if (dead !== undefined) {
    return {
      why: `node ${dead.metadata.name} is not Ready, and its pod there cannot be renewed`,
      remedy: `look at the node, then \`kubectl rollout restart ${resource}\``,
    };
  }
  const kept = keptByPartition(workload);
  if (kept > 0 && kept >= replicas) {
    return {
      why: `its partition of ${kept} keeps all its pods as they are`,
      remedy: `lower spec.updateStrategy.rollingUpdate.partition when it suits: \`kubectl edit ${resource}\``,
    };
  }
  return undefined;
}

/** How many pods of a StatefulSet its partition keeps at the revision that they have. */
export function keptByPartition(workload: KubeObject): number {
  return workload.kind === 'StatefulSet'
    ? (numberAt(workload, 'spec', 'updateStrategy', 'rollingUpdate', 'partition') ?? 0)
    : 0;
}
