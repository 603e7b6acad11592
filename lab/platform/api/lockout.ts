const longest = 300_000;

/** Shuts out addresses that fail to log in: from the third failure on, each time twice as long. */
export class Lockout {
  readonly #first: number;
  readonly #now: () => number;
  readonly #failures = new Map<string, { count: number; until: number }>();

  /** @param first milliseconds of the first lock */
  constructor(first: number, now: () => number = Date.now) {
    this.#first = first;
    this.#now = now;
  }

  isLocked(address: string): boolean {
    return (this.#failures.get(address)?.until ?? 0) > this.#now();
  }

  failed(address: string): void {
    const count = (this.#failures.get(address)?.count ?? 0) + 1;
    const wait = count < 3 ? 0 : Math.min(this.#first * 2 ** (count - 3), longest);
    this.#failures.set(address, { count, until: this.#now() + wait });
  }

  succeeded(address: string): void {
    this.#failures.delete(address);
  }
}
