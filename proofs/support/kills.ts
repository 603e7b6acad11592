import { setTimeout as sleep } from 'node:timers/promises';
import type { ActionRun } from '../../lab/driver/action.js';
import type { Gate } from '../world/gate.js';

/** A moment of a run: before or after its k-th write, k from 1. */
export interface Moment {
  k: number;
  when: 'before' | 'after';
}

/** Every moment of a run with so many writes, or some of them. @param most how many are chosen, evenly */
export function momentsOf(writes: number, most = Number.POSITIVE_INFINITY): Moment[] {
  const all = Array.from({ length: writes }, (_, index) =>
    (['before', 'after'] as const).map((when): Moment => ({ k: index + 1, when })),
  ).flat();
  const step = Math.ceil(all.length / most) || 1;
  return all.filter((_, index) => index % step === 0);
}

/** Runs something through a gate and sends its process a signal at a moment; after a SIGKILL nothing of it arrives any more. */
export async function struckAt(
  gate: Gate,
  { k, when }: Moment,
  run: (onStart: (pid: number) => void) => Promise<ActionRun>,
  signal: 'SIGKILL' | 'SIGINT' = 'SIGKILL',
): Promise<ActionRun> {
  let pid = 0;
  const strike = (): void => void process.kill(pid, signal);
  gate.reset({
    beforeWrite(n) {
      if (when === 'before' && n === k) strike();
      return when === 'before' && n >= k ? 'drop' : undefined;
    },
    afterWrite(n) {
      if (when === 'after' && n === k) strike();
    },
  });
  const struck = await run((started) => {
    pid = started;
  });
  // The gate may still be passing on what the dead process had sent.
  await sleep(100);
  gate.reset({});
  return struck;
}
