import { setTimeout as sleep } from 'node:timers/promises';

/** Waits, in ms. @throws the signal's reason, where the timer alone would only say that it was aborted */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch((error: unknown) => {
    signal.throwIfAborted();
    throw error;
  });
}

/** Waits until work has ended, and no longer than that, in ms. The work may go on. @throws what the work throws meanwhile */
export async function atMost(ms: number, work: Promise<unknown>): Promise<void> {
  const ended = new AbortController();
  try {
    await Promise.race([work, sleep(ms, undefined, { signal: ended.signal })]);
  } finally {
    // The timer that was not needed would keep the process from its end.
    ended.abort();
  }
}
