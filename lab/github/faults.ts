/** What can go wrong, and on which of the three services. */
export type FaultKind =
  /** 503 for every call. */
  | 'down'
  /** 429 with Retry-After. */
  | 'rate-limited'
  /** As if the call carried no token. */
  | 'missing-token'
  /** Cache: as if the token had no writable scope. */
  | 'read-only'
  /** Cache and artifacts: no room for another one. */
  | 'full'
  /** Cache and artifacts: as if another job had taken the name. */
  | 'duplicate'
  /** Cache and artifacts: the download ends in the middle. */
  | 'truncated-download'
  /** Cache and artifacts: the download has one byte in its middle changed. */
  | 'altered-download';

export type Service = 'cache' | 'artifacts' | 'rest';

export interface Fault {
  readonly kind: FaultKind;
  /** One service, or all of them when left out. */
  readonly on?: Service;
  /** How many calls it hits; all until it is cleared when left out. */
  readonly times?: number;
}

/** The faults that are switched on. */
export class Faults {
  #active: { fault: Fault; left: number }[] = [];

  get active(): readonly Fault[] {
    return this.#active.map(({ fault }) => fault);
  }

  inject(fault: Fault): void {
    this.#active.push({ fault, left: fault.times ?? Number.POSITIVE_INFINITY });
  }

  clear(): void {
    this.#active = [];
  }

  /** Whether a call to the service meets the fault. Counts as one of its times. */
  hits(kind: FaultKind, service: Service): boolean {
    const found = this.#active.find(({ fault }) => fault.kind === kind && (fault.on ?? service) === service);
    if (found === undefined) return false;
    found.left -= 1;
    this.#active = this.#active.filter(({ left }) => left > 0);
    return true;
  }
}
