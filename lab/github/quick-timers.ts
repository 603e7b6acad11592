import { jest } from '@jest/globals';

/** Pauses this long are the clients' pauses between two attempts; shorter ones guard connections and stay. */
const SHORTEST_PAUSE = 3000;
const LONGEST_PAUSE = 20_000;

/** Makes the clients' pauses between attempts end at once. `jest.restoreAllMocks` puts them back. */
export function quickTimers(): void {
  const { setTimeout: wait } = globalThis;
  jest.spyOn(globalThis, 'setTimeout').mockImplementation((callback, delay = 0) => {
    const isPause = delay >= SHORTEST_PAUSE && delay <= LONGEST_PAUSE;
    return wait(callback, isPause ? 1 : delay);
  });
}
