import { isRecord } from '../../shared/json.js';

/** A group of concurrency, as a job or workflow names it. */
export interface Concurrency {
  group: string;
  cancelInProgress: boolean;
  /** How many may wait: one, whose place the next takes, or a hundred. */
  queue: 'single' | 'max';
}

interface Waiting {
  holder: string;
  answer: (refused: string) => void;
}

interface Group {
  running: string;
  waiting: Waiting[];
}

/** The most that wait with `queue: max`. */
const mostWaiting = 100;

/** `concurrency: name`, or `concurrency: {group, cancel-in-progress, queue}`; undefined for none. */
export function concurrencyOf(value: unknown): Concurrency | undefined {
  if (typeof value === 'string' && value !== '') return { group: value, cancelInProgress: false, queue: 'single' };
  if (!isRecord(value) || typeof value.group !== 'string') return undefined;
  return {
    group: value.group,
    cancelInProgress: value['cancel-in-progress'] === true || value['cancel-in-progress'] === 'true',
    queue: value.queue === 'max' ? 'max' : 'single',
  };
}

/**
 * The groups of a repository: one job or run has a group, and others wait for it. With `queue: single` each that comes
 * takes the place of the one that waits, which is cancelled. Whoever waits for a reviewer has its group meanwhile.
 *
 * What runs is not cancelled here, as nobody could end it: a request for that is refused as a whole.
 */
export class Groups {
  readonly #groups = new Map<string, Group>();

  /** @returns why it is cancelled in place of getting the group; empty when it has it */
  async take({ group: name, cancelInProgress, queue }: Concurrency, holder: string): Promise<string> {
    if (queue === 'max' && cancelInProgress) return 'queue: max and cancel-in-progress: true are not allowed together';
    const group = this.#groups.get(name.toLowerCase());
    if (group === undefined) {
      this.#groups.set(name.toLowerCase(), { running: holder, waiting: [] });
      return '';
    }
    // Its own run would have to end first.
    if (holder.startsWith(`${group.running}: `)) {
      return `Canceling since a deadlock for concurrency group '${name}' was detected between 'top level workflow' and '${holder}'`;
    }
    if (cancelInProgress) return `this lab cannot cancel ${group.running}, which runs in ${name}`;
    if (queue === 'single') {
      for (const { answer } of group.waiting.splice(0)) {
        answer(`Canceling since a higher priority waiting request for '${name}' exists`);
      }
    }
    if (group.waiting.length >= mostWaiting) return `the queue of '${name}' is full`;
    return new Promise((answer) => group.waiting.push({ holder, answer }));
  }

  /** Gives back what somebody has, or waits for: the one that has waited longest is next. */
  release(holder: string): void {
    for (const [name, group] of this.#groups) {
      group.waiting = group.waiting.filter((one) => one.holder !== holder);
      if (group.running !== holder) continue;
      const next = group.waiting.shift();
      if (next === undefined) {
        this.#groups.delete(name);
        continue;
      }
      group.running = next.holder;
      next.answer('');
    }
  }
}
