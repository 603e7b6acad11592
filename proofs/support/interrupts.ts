import { stopStartedHere } from '../../lab/driver/processes.js';

const signals = ['SIGINT', 'SIGTERM'] as const;

/**
 * Has an interrupt take down what there is, and end this process. An interrupt comes twice where the terminal and the program
 * that started this one both tell of it: the second must not end what the first has begun.
 *
 * @returns takes that back
 */
export function onInterrupt(down: () => Promise<void>): () => void {
  let isEnding = false;
  const end = (): void => {
    if (isEnding) return;
    isEnding = true;
    void down()
      .then(stopStartedHere)
      .finally(() => process.exit(1));
  };
  for (const signal of signals) process.on(signal, end);
  return () => {
    for (const signal of signals) process.removeListener(signal, end);
  };
}
