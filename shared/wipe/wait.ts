import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '../cluster/cluster.js';
import { type KubeObject, kinds } from '../cluster/objects.js';
import { count } from './targets.js';

/** How often people are told how many are left, and how long one watch may be believed, in ms. */
const progressEvery = 5000;
const watchAtMost = 60_000;

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
  let left: Map<string, KubeObject> | undefined;
  const started = Date.now();
  const tell = setInterval(() => {
    if (left !== undefined) progress(leftLine(left, Math.round((Date.now() - started) / 1000)));
  }, progressEvery);
  try {
    for (;;) {
      signal.throwIfAborted();
      const { items, resourceVersion } = await cluster.list(kinds.namespace);
      const present = items.filter(({ metadata }) => wanted.has(metadata.uid ?? ''));
      left = new Map(present.map((one) => [one.metadata.uid ?? '', one]));
      const remaining = deadline - Date.now();
      if (left.size === 0 || remaining <= 0) return [...left.values()];
      await follow(
        cluster,
        left,
        resourceVersion,
        AbortSignal.any([signal, AbortSignal.timeout(Math.min(remaining, watchAtMost))]),
      );
      if (left.size === 0) return [];
    }
  } finally {
    clearInterval(tell);
  }
}

/** Follows changes until none is left or the watch ends; the caller looks again, so that a lost event loses nothing. */
async function follow(
  cluster: Cluster,
  left: Map<string, KubeObject>,
  resourceVersion: string,
  signal: AbortSignal,
): Promise<void> {
  const done = new AbortController();
  try {
    const changes = cluster.watch(kinds.namespace, {
      resourceVersion,
      signal: AbortSignal.any([signal, done.signal]),
    });
    for await (const { type, object } of changes) {
      const uid = object.metadata.uid ?? '';
      if (type === 'DELETED') left.delete(uid);
      else if (left.has(uid)) left.set(uid, object);
      if (left.size === 0) return;
    }
    // A server that closes every watch at once is not to be asked without pause.
    if (!signal.aborted) await sleep(200);
  } catch {
    // Too old a version, a cut connection, a role without `watch`: the caller's next list makes up for all of them.
    if (!signal.aborted) await sleep(500);
  } finally {
    done.abort();
  }
}

function leftLine(left: ReadonlyMap<string, KubeObject>, seconds: number): string {
  const names = [...left.values()].map(({ metadata }) => metadata.name);
  return `${count(names.length, 'namespace')} left after ${seconds} s${names.length <= 3 ? `: ${names.join(', ')}` : ''}`;
}
