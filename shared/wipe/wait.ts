import type { Cluster } from '../cluster/cluster.js';
import { type KubeObject, kinds } from '../cluster/objects.js';
import { waitUntil } from '../cluster/wait.js';
import { McprtError } from '../errors.js';
import { count } from './targets.js';

export interface WaitOptions {
  /** When to stop waiting, on Date.now()'s clock. */
  deadline: number;
  signal: AbortSignal;
  progress: (line: string) => void;
}

/**
 * Waits until namespaces with these UIDs are gone, with one list and one watch for all of them.
 *
 * @returns those that are still there at the deadline, as they were last seen; none when all are gone
 */
export async function untilGone(
  cluster: Cluster,
  uids: readonly string[],
  { deadline, signal, progress }: WaitOptions,
): Promise<KubeObject[]> {
  const wanted = new Set(uids);
  const started = Date.now();
  let left: KubeObject[] = [];
  const missing = (objects: readonly KubeObject[]): string => {
    left = objects.filter(({ metadata }) => wanted.has(metadata.uid ?? ''));
    return left.length === 0 ? '' : leftLine(left, Math.round((Date.now() - started) / 1000));
  };
  try {
    const patience = Math.max(deadline - started, 0);
    await waitUntil(cluster, kinds.namespace, missing, {
      what: 'namespaces to be gone',
      deadline: patience,
      signal,
      progress,
    });
  } catch (error) {
    if (!(error instanceof McprtError && error.code === 'cluster-wait')) throw error;
  }
  return left;
}

function leftLine(left: readonly KubeObject[], seconds: number): string {
  const names = left.map(({ metadata }) => metadata.name);
  return `${count(names.length, 'namespace')} left after ${seconds} s${names.length <= 3 ? `: ${names.join(', ')}` : ''}`;
}
