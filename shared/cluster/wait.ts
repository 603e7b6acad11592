import { setTimeout as sleep } from 'node:timers/promises';
import { McprtError } from '../errors.js';
import type { Cluster, ListOptions } from './cluster.js';
import { type Kind, type KubeObject, keyOf } from './objects.js';

export interface WaitOptions extends ListOptions {
  /** What is waited for, for messages: `cert-manager to be available`. */
  what: string;
  /** In ms. */
  deadline: number;
  signal: AbortSignal;
  /** Told why it is not there yet: at first, and then at most every few seconds, when the reason has changed. */
  progress: (why: string) => void;
}

/** In ms. */
const tellEvery = 3_000;
const watchAtMost = 60_000;
const pause = 200;

/**
 * Waits until objects are as wanted, by one list and a watch that goes on from it.
 *
 * @param missing says what is still missing, in words; empty when nothing is
 * @throws McprtError `cluster-wait`, with what was still missing; the signal's reason
 */
export async function waitUntil(
  cluster: Cluster,
  kind: Kind,
  missing: (objects: readonly KubeObject[]) => string,
  options: WaitOptions,
): Promise<void> {
  const { what, deadline, signal, progress, ...selection } = options;
  const late = AbortSignal.timeout(deadline);
  const both = AbortSignal.any([signal, late]);
  let why = '';
  let told = { why: '', at: Number.NEGATIVE_INFINITY };
  const isThere = (objects: Iterable<KubeObject>): boolean => {
    why = missing([...objects]);
    if (why === '') return true;
    if (why !== told.why && performance.now() - told.at > tellEvery) {
      progress(why);
      told = { why, at: performance.now() };
    }
    return false;
  };
  signal.throwIfAborted();
  for (let last = false; ; ) {
    // The last look is at what there is when the time is up: a watch that has died says nothing.
    last = both.aborted;
    const { items, resourceVersion } = await cluster.list(kind, selection);
    const objects = new Map(items.map((object) => [keyOf(object.metadata), object]));
    if (isThere(objects.values())) return;
    if (last) break;
    const watching = AbortSignal.any([both, AbortSignal.timeout(watchAtMost)]);
    // What is missing may say for how long: it is told also while nothing changes.
    const tell = setInterval(() => isThere(objects.values()), tellEvery);
    try {
      for await (const { type, object } of cluster.watch(kind, { ...selection, resourceVersion, signal: watching })) {
        if (type === 'DELETED') objects.delete(keyOf(object.metadata));
        else objects.set(keyOf(object.metadata), object);
        if (isThere(objects.values())) return;
      }
    } catch {
      // A watch ends for many reasons (an API server that restarts, a version too old): the list says if it is serious.
    } finally {
      clearInterval(tell);
    }
    signal.throwIfAborted();
    if (!both.aborted) await sleep(pause);
  }
  signal.throwIfAborted();
  throw new McprtError('cluster-wait', {
    what: `waited ${Math.round(deadline / 1000)} s for ${what}`,
    why,
    next: 'see the findings for the cause; then run the operation again: it continues from what is there',
  });
}
