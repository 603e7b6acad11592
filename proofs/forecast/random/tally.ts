import type { Contest, Judgement } from './contest.js';

/** What both sides say of a case. */
export interface Sides {
  readonly own: Judgement;
  readonly real: Judgement;
}

/** How many cases there were, and of what kind. */
export interface Tally {
  readonly cases: number;
  readonly disagreements: number;
  /** cert-manager itself died of so many. */
  readonly crashes: number;
  /** By what cert-manager decided: the check and its reason. */
  readonly decided: Readonly<Record<string, number>>;
  /** Of the messages, the words of decoders included. */
  readonly messagesEqual: string;
}

/** How a contest tells two judgements apart. */
export type Difference = Contest<object, unknown>['difference'];

/** What differs, from what to what: cases of one kind mostly have one cause. Undefined where nothing does. */
export function kindOf({ own, real }: Sides, difference: Difference): string | undefined {
  const what = difference(own, real);
  return what && `${what}: ${own.verdict} ${own.reason} / ${real.verdict} ${real.reason}`;
}

/** Counts cases as they come. */
export class Counter {
  readonly #difference: Difference;
  readonly #decided = new Map<string, number>();
  readonly #kinds = new Map<string, number>();
  #cases = 0;
  #crashes = 0;
  #messages = 0;
  #equal = 0;

  constructor(difference: Difference) {
    this.#difference = difference;
  }

  /** Counts a case. @returns the kind of its disagreement, and how often there was one of that kind by now */
  add(sides: Sides): { kind: string; times: number } | undefined {
    const { own, real } = sides;
    this.#cases += 1;
    count(this.#decided, [real.verdict, real.reason].filter(Boolean).join(' '));
    if (real.verdict === 'crash') this.#crashes += 1;
    else if (real.message !== '') {
      this.#messages += 1;
      if (own.message === real.message) this.#equal += 1;
    }
    const kind = kindOf(sides, this.#difference);
    return kind === undefined ? undefined : { kind, times: count(this.#kinds, kind) };
  }

  get tally(): Tally {
    const sorted = [...this.#decided].sort(([first], [second]) => first.localeCompare(second));
    return {
      cases: this.#cases,
      disagreements: this.kinds.reduce((sum, [, times]) => sum + times, 0),
      crashes: this.#crashes,
      decided: Object.fromEntries(sorted),
      messagesEqual: `${this.#equal} of ${this.#messages}`,
    };
  }

  /** The kinds of disagreement, and how often there was one. */
  get kinds(): [kind: string, times: number][] {
    return [...this.#kinds];
  }

  /** The cases that a check decided, or that none did: `keep`. */
  decidedBy(check: string): number {
    return [...this.#decided].reduce((sum, [key, times]) => sum + (key.split(' ')[0] === check ? times : 0), 0);
  }
}

/** @returns how often the key has been counted */
function count(counts: Map<string, number>, key: string): number {
  const times = (counts.get(key) ?? 0) + 1;
  counts.set(key, times);
  return times;
}
