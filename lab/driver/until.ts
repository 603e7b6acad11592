import { setTimeout as sleep } from 'node:timers/promises';

/** How long is waited, in s, and how often is looked, in ms. */
export interface Patience {
  seconds?: number;
  every?: number;
}

type Found<T> = Exclude<T, undefined | false>;

/** Looks again until something is found. @returns undefined when the time is up */
export async function found<T>(
  look: () => Promise<T> | T,
  { seconds = 60, every = 100 }: Patience = {},
): Promise<Found<T> | undefined> {
  for (const end = Date.now() + seconds * 1000; ; await sleep(every)) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen as Found<T>;
    if (Date.now() > end) return undefined;
  }
}

/** Looks again until something is found. @throws Error when the time is up */
export async function until<T>(what: string, look: () => Promise<T> | T, patience: Patience = {}): Promise<Found<T>> {
  const seen = await found(look, patience);
  if (seen === undefined) throw new Error(`waited ${patience.seconds ?? 60} s for ${what}`);
  return seen;
}
