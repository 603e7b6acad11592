/** The API server's clock, as its answers tell it. */
export interface ServerClock {
  /** Told of the `Date` header of an answer that has just come. */
  hear(date: string): void;
  /** Undefined before the first answer. */
  now(): Date | undefined;
}

/** A difference that neither a slow answer nor the header's whole seconds explain, in ms. */
const setAnew = 60_000;

/**
 * Reckons that clock. The header is cut to whole seconds, and an answer may have waited before it is read, so that each puts the
 * clock too early, and none too late: the one that puts it latest counts, until the clock has been set back.
 *
 * @param passed time of this process in ms, never set back
 */
export function serverClock(passed: () => number = () => performance.now()): ServerClock {
  /** How far it is ahead of this process' time, in ms. */
  let ahead: number | undefined;
  return {
    hear(date) {
      const seen = Date.parse(date) - passed();
      if (Number.isNaN(seen)) return;
      if (ahead === undefined || seen > ahead || seen < ahead - setAnew) ahead = seen;
    },
    now: () => (ahead === undefined ? undefined : new Date(ahead + passed())),
  };
}
