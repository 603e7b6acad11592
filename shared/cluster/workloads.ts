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

/**
 * Whether a pod is over, or on its way out: evicted, turned away by its node, ended with its node, completed. Its
 * controller has made another one, and what its containers say is about the past.
 */
export function isOver({ metadata, status }: KubeObject): boolean {
  const phase = textAt(status, 'phase');
  return metadata.deletionTimestamp !== undefined || phase === 'Failed' || phase === 'Succeeded';
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
