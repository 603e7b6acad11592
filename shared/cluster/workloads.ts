import { at, conditionOf, numberAt, recordsAt, textAt } from './fields.js';
import type { KubeObject } from './objects.js';

/** How far a workload's rollout is. `why` is empty when it is complete. */
export interface RolloutState {
  complete: boolean;
  why: string;
}

/**
 * Whether every replica of a Deployment, StatefulSet or DaemonSet is of the newest generation and available, and no
 * old one is left (kstatus' rules; `kubectl rollout status` asks the same).
 */
export function rolloutState(object: KubeObject): RolloutState {
  const observed = numberAt(object, 'status', 'observedGeneration') ?? 0;
  if (observed < (object.metadata.generation ?? 0)) return waiting('its controller has not seen the newest change yet');
  if (object.kind === 'DaemonSet') return daemonSetState(object);
  const wanted = numberAt(object, 'spec', 'replicas') ?? 1;
  const [present, updated, ready, available] = [
    'replicas',
    'updatedReplicas',
    'readyReplicas',
    'availableReplicas',
  ].map((field) => numberAt(object, 'status', field) ?? 0) as [number, number, number, number];
  const progressing = conditionOf(object, 'Progressing');
  if (progressing?.reason === 'ProgressDeadlineExceeded') return waiting(progressing.message ?? 'it makes no progress');
  if (updated < wanted) return waiting(`${updated} of ${wanted} replicas are updated`);
  if (present > updated) return waiting(`${present - updated} old replicas are still there`);
  if (object.kind === 'StatefulSet') return ready < wanted ? waiting(`${ready} of ${wanted} replicas are ready`) : done;
  return available < wanted ? waiting(`${available} of ${wanted} replicas are available`) : done;
}

/** The pods of a workload, by its selector's labels, among the pods of its namespace. */
export function podsOf(workload: KubeObject, pods: readonly KubeObject[]): KubeObject[] {
  const selector = at(workload, 'spec', 'selector', 'matchLabels');
  const wanted = Object.entries(typeof selector === 'object' && selector !== null ? selector : {});
  return pods.filter(
    ({ metadata }) =>
      metadata.namespace === workload.metadata.namespace &&
      wanted.length > 0 &&
      wanted.every(([name, value]) => metadata.labels?.[name] === value),
  );
}

/** What a container of a pod does instead of running. */
export interface ContainerTrouble {
  container: string;
  image: string;
  /** Kubernetes' own word: `ImagePullBackOff`, `CrashLoopBackOff`, `Error`, … */
  reason: string;
  message: string;
  /** Of the last run that ended, if any. */
  exitCode: number | undefined;
  restarts: number;
}

/** The containers of a pod that wait or keep ending, init containers first. */
export function troublesOf(pod: KubeObject): ContainerTrouble[] {
  return ['initContainerStatuses', 'containerStatuses'].flatMap((field) =>
    recordsAt(pod, 'status', field).flatMap((status): ContainerTrouble[] => {
      const reason = textAt(status, 'state', 'waiting', 'reason') || textAt(status, 'state', 'terminated', 'reason');
      if (['', 'ContainerCreating', 'PodInitializing', 'Completed'].includes(reason)) return [];
      return [
        {
          container: textAt(status, 'name'),
          image: textAt(status, 'image'),
          reason,
          message: [
            textAt(status, 'state', 'waiting', 'message') || textAt(status, 'state', 'terminated', 'message'),
            textAt(status, 'lastState', 'terminated', 'message'),
          ]
            .filter((text) => text !== '')
            .join(' | '),
          exitCode:
            numberAt(status, 'lastState', 'terminated', 'exitCode') ??
            numberAt(status, 'state', 'terminated', 'exitCode'),
          restarts: numberAt(status, 'restartCount') ?? 0,
        },
      ];
    }),
  );
}

const done: RolloutState = { complete: true, why: '' };

function waiting(why: string): RolloutState {
  return { complete: false, why };
}

function daemonSetState(object: KubeObject): RolloutState {
  const wanted = numberAt(object, 'status', 'desiredNumberScheduled') ?? 0;
  const updated = numberAt(object, 'status', 'updatedNumberScheduled') ?? 0;
  const available = numberAt(object, 'status', 'numberAvailable') ?? 0;
  if (updated < wanted) return waiting(`${updated} of ${wanted} pods are updated`);
  return available < wanted ? waiting(`${available} of ${wanted} pods are available`) : done;
}
