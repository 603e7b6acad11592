import { at, numberAt, recordsAt, textAt } from './fields.js';
import type { KubeObject } from './objects.js';

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

/** Whether all of a pod has ended: evicted, turned away by its node, ended with its node, completed. */
export function hasEnded({ status }: KubeObject): boolean {
  const phase = textAt(status, 'phase');
  return phase === 'Failed' || phase === 'Succeeded';
}

/**
 * Whether a pod has ended or is on its way out: its controller makes another one, and what its containers say is about the
 * past.
 */
export function isOver(pod: KubeObject): boolean {
  return pod.metadata.deletionTimestamp !== undefined || hasEnded(pod);
}

/** What a container is in its pod. A sidecar is an init container that goes on beside the others. */
export type ContainerRole = 'container' | 'init container' | 'sidecar';

/** What each container of a pod is, by its name. */
export function containerRoles(pod: KubeObject): Map<string, ContainerRole> {
  return new Map([
    ...recordsAt(pod, 'spec', 'containers').map((one) => [textAt(one, 'name'), 'container'] as const),
    ...recordsAt(pod, 'spec', 'initContainers').map(
      (one) => [textAt(one, 'name'), one.restartPolicy === 'Always' ? 'sidecar' : 'init container'] as const,
    ),
  ]);
}

/** What a container of a pod does instead of running. */
export interface ContainerTrouble {
  container: string;
  role: ContainerRole;
  image: string;
  /** Kubernetes' own word: `ImagePullBackOff`, `CrashLoopBackOff`, `Error`, … */
  reason: string;
  message: string;
  /** The word for how the last run ended: `OOMKilled`, `Error`, …; empty when none has. */
  ended: string;
  /** Of the last run that ended, if any. */
  exitCode: number | undefined;
  restarts: number;
}

/** The containers of a pod that wait or keep ending, init containers first. */
export function troublesOf(pod: KubeObject): ContainerTrouble[] {
  const roles = containerRoles(pod);
  return ['initContainerStatuses', 'containerStatuses'].flatMap((field) =>
    recordsAt(pod, 'status', field).flatMap((status): ContainerTrouble[] => {
      const reason = textAt(status, 'state', 'waiting', 'reason') || textAt(status, 'state', 'terminated', 'reason');
      if (['', 'ContainerCreating', 'PodInitializing', 'Completed'].includes(reason)) return [];
      return [
        {
          container: textAt(status, 'name'),
          role: roles.get(textAt(status, 'name')) ?? (field === 'containerStatuses' ? 'container' : 'init container'),
          image: textAt(status, 'image'),
          reason,
          message: [
            textAt(status, 'state', 'waiting', 'message') || textAt(status, 'state', 'terminated', 'message'),
            textAt(status, 'lastState', 'terminated', 'message'),
          ]
            .filter((text) => text !== '')
            .join(' | '),
          ended: textAt(status, 'state', 'terminated', 'reason') || textAt(status, 'lastState', 'terminated', 'reason'),
          exitCode:
            numberAt(status, 'state', 'terminated', 'exitCode') ??
            numberAt(status, 'lastState', 'terminated', 'exitCode'),
          restarts: numberAt(status, 'restartCount') ?? 0,
        },
      ];
    }),
  );
}
