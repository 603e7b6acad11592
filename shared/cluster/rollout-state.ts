import { conditionOf, numberAt, textAt } from './fields.js';
import type { KubeObject } from './objects.js';

/** How far a workload's rollout is. `why` is empty when it is complete. */
export interface RolloutState {
  complete: boolean;
  why: string;
}

/** What a Deployment's deadline is called that is none. */
const noDeadline = 2 ** 31 - 1;

/**
 * Whether every replica of a Deployment, StatefulSet or DaemonSet is of the newest generation and available, and no
 * old one is left: complete where kstatus says Current. The proof `rollout-patience` holds both together, and has the few
 * differences that are meant.
 */
export function rolloutState(object: KubeObject): RolloutState {
  if (object.metadata.deletionTimestamp !== undefined) return waiting('it is being deleted');
  const observed = numberAt(object, 'status', 'observedGeneration') ?? 0;
  if (observed !== (object.metadata.generation ?? 0))
    return waiting('its controller has not seen the newest change yet');
  if (object.kind === 'DaemonSet') return daemonSetState(object);
  return object.kind === 'StatefulSet' ? statefulSetState(object) : deploymentState(object);
}

function deploymentState(object: KubeObject): RolloutState {
  const { wanted, present, updated, ready, available } = countsOf(object);
  const progressing = conditionOf(object, 'Progressing');
  if (progressing?.reason === 'ProgressDeadlineExceeded') return waiting(progressing.message || 'it makes no progress');
  if (updated < wanted) return waiting(`${updated} of ${wanted} replicas are updated`);
  if (present > updated) return waiting(`${present - updated} old replicas are still there`);
  if (present > wanted) return waiting(`${present - wanted} replicas more than wanted are still there`);
  if (present < wanted) return waiting(`${present} of ${wanted} replicas are there`);
  if (available < updated) return waiting(`${available} of ${updated} replicas are available`);
  if (ready < wanted) return waiting(`${ready} of ${wanted} replicas are ready`);
  const hasDeadline = (numberAt(object, 'spec', 'progressDeadlineSeconds') ?? noDeadline) !== noDeadline;
  const isNew = progressing?.status === 'True' && progressing.reason === 'NewReplicaSetAvailable';
  if (hasDeadline && progressing !== undefined && !isNew) return waiting('its controller has not said that it is done');
  const isAvailable = (conditionOf(object, 'Available')?.status ?? 'True') === 'True';
  return isAvailable ? done : waiting('its controller does not call it available');
}

function statefulSetState(object: KubeObject): RolloutState {
  const { wanted, present, updated, ready } = countsOf(object);
  // Who deletes its pods renews them: nothing else is waited for than that they run.
  if (isOnDelete(object)) return ready < wanted ? waiting(`${ready} of ${wanted} replicas are ready`) : done;
  if (present < wanted) return waiting(`${present} of ${wanted} replicas are there`);
  if (ready < wanted) return waiting(`${ready} of ${wanted} replicas are ready`);
  if (present > wanted) return waiting(`${present - wanted} replicas more than wanted are still there`);
  const partition = numberAt(object, 'spec', 'updateStrategy', 'rollingUpdate', 'partition');
  if (partition !== undefined) {
    const due = wanted - partition;
    return updated < due ? waiting(`${updated} of ${due} replicas are updated`) : done;
  }
  const current = numberAt(object, 'status', 'currentReplicas') ?? 0;
  const isNewest = textAt(object, 'status', 'currentRevision') === textAt(object, 'status', 'updateRevision');
  return current < wanted || !isNewest ? waiting(`${updated} of ${wanted} replicas are updated`) : done;
}

function daemonSetState(object: KubeObject): RolloutState {
  const wanted = numberAt(object, 'status', 'desiredNumberScheduled');
  if (wanted === undefined) return waiting('its controller has not counted its nodes yet');
  const [present, updated, ready, available] = [
    'currentNumberScheduled',
    'updatedNumberScheduled',
    'numberReady',
    'numberAvailable',
  ].map((field) => numberAt(object, 'status', field) ?? 0) as [number, number, number, number];
  if (present < wanted) return waiting(`${present} of ${wanted} pods are there`);
  if (updated < wanted && !isOnDelete(object)) return waiting(`${updated} of ${wanted} pods are updated`);
  if (available < wanted) return waiting(`${available} of ${wanted} pods are available`);
  return ready < wanted ? waiting(`${ready} of ${wanted} pods are ready`) : done;
}

/** Whether the pods of a StatefulSet or DaemonSet are renewed only when somebody deletes them. */
export function isOnDelete(object: KubeObject): boolean {
  return textAt(object, 'spec', 'updateStrategy', 'type') === 'OnDelete';
}

function countsOf(object: KubeObject): Record<'wanted' | 'present' | 'updated' | 'ready' | 'available', number> {
  const count = (field: string): number => numberAt(object, 'status', field) ?? 0;
  return {
    wanted: numberAt(object, 'spec', 'replicas') ?? 1,
    present: count('replicas'),
    updated: count('updatedReplicas'),
    ready: count('readyReplicas'),
    available: count('availableReplicas'),
  };
}

const done: RolloutState = { complete: true, why: '' };

function waiting(why: string): RolloutState {
  return { complete: false, why };
}
