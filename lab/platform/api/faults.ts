import { setTimeout as sleep } from 'node:timers/promises';

/** A call as a fault is told of it. */
export interface FaultyCall {
  method: string;
  path: string;
  /** JSON of the body; undefined when it is none, or is streamed. */
  body: unknown;
  /** E-mail of the caller, `service-key`, or empty. */
  as: string;
}

/** What goes wrong with some calls. */
export interface Fault {
  when(call: FaultyCall): boolean;
  /** Answered instead of what would have been. */
  reply?: { status: number; body: unknown; headers?: Readonly<Record<string, string>> };
  delayMs?: number;
  /** The call is never answered. */
  hang?: boolean;
  /** Makes another JSON body of the one that would have been answered. */
  change?(body: unknown): unknown;
  /** How many calls it hits; all of them when left out. */
  times?: number;
}

/** The faults that are switched on. */
export class Faults {
  #active: { fault: Fault; left: number }[] = [];

  /** @returns what switches it off again */
  add(fault: Fault): () => void {
    const one = { fault, left: fault.times ?? Number.POSITIVE_INFINITY };
    this.#active.push(one);
    return () => {
      this.#active = this.#active.filter((other) => other !== one);
    };
  }

  /** The first fault that a call meets, after its delay. Counts as one of its times. */
  async meet(call: FaultyCall): Promise<Fault | undefined> {
    const found = this.#active.find(({ fault, left }) => left > 0 && fault.when(call));
    if (found === undefined) return undefined;
    found.left -= 1;
    await sleep(found.fault.delayMs ?? 0);
    return found.fault;
  }
}

/** A call that was answered: nothing of its headers and bodies. */
export interface AnsweredCall {
  method: string;
  path: string;
  status: number;
}
