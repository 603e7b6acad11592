import { pause as sleep } from '../pause.js';
import { WebError } from '../platform/web.js';
import { isPassingProxy } from '../proxy-error.js';

const poll = { first: 300, longest: 2_000, factor: 1.5 };

/**
 * Looks again and again, at growing distances. A connection that breaks counts as not yet: a restart looks so from outside.
 *
 * @param deadline in ms
 * @returns whether it came true before the deadline
 * @throws what the look throws, and the signal's reason
 */
export async function until(deadline: number, signal: AbortSignal, isSo: () => Promise<boolean>): Promise<boolean> {
  const end = Date.now() + deadline;
  for (let pause = poll.first; ; pause = Math.min(pause * poll.factor, poll.longest)) {
    const found = await isSo().catch((error: unknown) => {
      if (isPassingProxy(error) || (error instanceof WebError && error.layer === 'tcp')) return false;
      throw error;
    });
    if (found) return true;
    if (Date.now() + pause > end) return false;
    await sleep(pause, signal);
  }
}
