import { setTimeout as sleep } from 'node:timers/promises';
import { atMost } from '../pause.js';
import { ApiError } from './api-error.js';
import type { Cluster, ListOptions } from './cluster.js';
import { type Kind, type KubeObject, keyOf } from './objects.js';

/** What a mirror follows: the objects of one kind, and whether it may be left out where it must not be read. */
export interface Followed extends ListOptions {
  kind: Kind;
  optional?: boolean;
}

/** The objects of each followed kind as they are now. */
export type Mirrored<K extends string> = Readonly<Record<K, readonly KubeObject[]>>;

export interface Mirror<K extends string> {
  objects(): Mirrored<K>;
  /**
   * Waits until a judgement is made: `judge` is asked at once, after each change, and once a second, as some things
   * are told by the time that passes.
   *
   * @returns undefined when the deadline (in ms) has passed
   * @throws the signal's reason; what `judge` throws; ApiError of a kind that must be read and may not
   */
  until<T>(judge: (objects: Mirrored<K>) => T | undefined, deadline: number): Promise<T | undefined>;
  /** Ends every watch, and waits until they have ended: a connection must not be closed under them. */
  close(): Promise<void>;
}

/** In ms. */
const watchAtMost = 300_000;
const pause = 200;
const tick = 1_000;
const closeWithin = 1_000;

/**
 * Follows several kinds at once, each by one list and a watch that goes on from it. A watch that ends (an API server
 * that restarts, a version too old) is begun anew by a list.
 *
 * @returns once everything has been listed
 */
export async function openMirror<K extends string>(
  cluster: Cluster,
  followed: Readonly<Record<K, Followed>>,
  signal: AbortSignal,
): Promise<Mirror<K>> {
  const closed = new AbortController();
  const ends = AbortSignal.any([signal, closed.signal]);
  const stores = new Map<string, Map<string, KubeObject>>();
  const listeners = new Set<() => void>();
  const loops: Promise<void>[] = [];
  let broken: unknown;
  let isDue = false;
  const changed = (): void => {
    if (isDue) return;
    isDue = true;
    // Events come in bunches: what is asked after each of them is asked once for all that have come.
    setImmediate(() => {
      isDue = false;
      for (const listener of listeners) listener();
    });
  };

  const follow = async (name: string, { kind, optional, ...options }: Followed, listed: () => void): Promise<void> => {
    const store = new Map<string, KubeObject>();
    stores.set(name, store);
    let isListed = false;
    while (!ends.aborted) {
      try {
        const { items, resourceVersion } = await cluster.list(kind, options);
        store.clear();
        for (const object of items) store.set(keyOf(object.metadata), object);
        isListed = true;
        listed();
        changed();
        const watching = AbortSignal.any([ends, AbortSignal.timeout(watchAtMost)]);
        for await (const { type, object } of cluster.watch(kind, { ...options, resourceVersion, signal: watching })) {
          if (type === 'DELETED') store.delete(keyOf(object.metadata));
          else store.set(keyOf(object.metadata), object);
          changed();
        }
      } catch (error) {
        const isForbidden = error instanceof ApiError && (error.status === 403 || error.status === 401);
        if (isForbidden && optional) {
          listed();
          return;
        }
        if (isForbidden || (!isListed && !ends.aborted)) throw error;
      }
      await sleep(pause, undefined, { signal: ends }).catch(() => undefined);
    }
  };
  const entries = Object.entries<Followed>(followed);
  await Promise.race([
    Promise.all(
      entries.map(
        ([name, one]) =>
          new Promise<void>((resolve, reject) => {
            const loop = follow(name, one, resolve).then(resolve, (error: unknown) => {
              broken = error;
              changed();
              reject(error);
            });
            loops.push(loop);
          }),
      ),
    ),
    rejected(ends),
  ]).catch((error: unknown) => {
    closed.abort();
    throw error;
  });

  const objects = (): Mirrored<K> =>
    Object.fromEntries([...stores].map(([name, store]) => [name, [...store.values()]])) as unknown as Mirrored<K>;
  return {
    objects,
    until: (judge, deadline) =>
      new Promise((resolve, reject) => {
        const timers: NodeJS.Timeout[] = [];
        const done = (finish: () => void): void => {
          listeners.delete(ask);
          timers.forEach(clearTimeout);
          signal.removeEventListener('abort', ask);
          finish();
        };
        const ask = (): void => {
          try {
            signal.throwIfAborted();
            if (broken !== undefined) throw broken;
            const verdict = judge(objects());
            if (verdict !== undefined) done(() => resolve(verdict));
          } catch (error) {
            done(() => reject(error as Error));
          }
        };
        timers.push(
          setInterval(ask, tick),
          setTimeout(() => done(() => resolve(undefined)), deadline),
        );
        listeners.add(ask);
        signal.addEventListener('abort', ask, { once: true });
        ask();
      }),
    async close() {
      closed.abort();
      // A list of an API server that does not answer may go on; nobody waits for that.
      await atMost(closeWithin, Promise.all(loops));
    },
  };
}

function rejected(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason as Error);
    else signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}
