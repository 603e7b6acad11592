/** A part of an operation, on the clock of the run. */
export interface Phase {
  name: string;
  /** Seconds since the beginning. */
  from: number;
  seconds: number;
  /** RFC 3339, by the runner's clock. */
  endedAt: string;
}

/** Does a part of the work, and notes when and how long, also when it failed. */
export type Timed = <T>(name: string, work: () => Promise<T>) => Promise<T>;

/** Notes parts of the work as they end. @param signal begins no further part when the job was cancelled */
export function timedInto(phases: Phase[], signal?: AbortSignal, begun = performance.now()): Timed {
  return async (name, work) => {
    signal?.throwIfAborted();
    const started = performance.now();
    try {
      return await work();
    } finally {
      phases.push({
        name,
        from: (started - begun) / 1000,
        seconds: (performance.now() - started) / 1000,
        endedAt: new Date().toISOString(),
      });
    }
  };
}
