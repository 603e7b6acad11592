import { setTimeout as sleep } from 'node:timers/promises';

/** Waits, in ms. @throws the signal's reason, where the timer alone would only say that it was aborted */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch((error: unknown) => {
    signal.throwIfAborted();
    throw error;
  });
}
