import type { Blob, Blobs } from './blobs.js';

/** Entries that nobody reads for so long are removed. Rule: GitHub's documentation of dependency caching. */
const UNUSED_DAYS = 7;

export interface CacheEntry {
  readonly id: number;
  readonly key: string;
  readonly version: string;
  /** The ref whose runs own it. */
  readonly scope: string;
  readonly createdAt: Date;
  readonly blob: Blob;
  lastAccessedAt: Date;
  /** Whether its upload was finalized; before that nobody can read it. */
  isComplete: boolean;
}

/** The size of an entry in bytes. */
export function sizeOf({ blob }: CacheEntry): number {
  return blob.bytes?.length ?? 0;
}

export interface Lookup {
  readonly key: string;
  readonly restoreKeys: readonly string[];
  readonly version: string;
  /** The scopes to search, in order. */
  readonly scopes: readonly string[];
}

/**
 * The entry that a lookup gets. In each scope: the key itself, then the key as a prefix, then each restore key as a
 * prefix; of several the newest. Rule: GitHub's documentation of dependency caching.
 */
export function findEntry(entries: readonly CacheEntry[], { key, restoreKeys, version, scopes }: Lookup) {
  for (const scope of scopes) {
    const readable = entries.filter((each) => each.isComplete && each.scope === scope && each.version === version);
    const newestFirst = readable.sort((a, b) => b.id - a.id);
    const found =
      newestFirst.find((each) => each.key === key) ??
      [key, ...restoreKeys].map((prefix) => newestFirst.find((each) => each.key.startsWith(prefix))).find(Boolean);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The entries to remove: those unused for too long, then the least recently used ones until the rest fits. */
export function entriesToEvict(entries: readonly CacheEntry[], limitBytes: number, now: Date): readonly CacheEntry[] {
  const oldest = now.getTime() - UNUSED_DAYS * 86_400_000;
  const isUnused = (entry: CacheEntry) => entry.lastAccessedAt.getTime() <= oldest;
  const evicted = entries.filter(isUnused);
  const rest = entries.filter((entry) => !isUnused(entry));
  rest.sort((a, b) => a.lastAccessedAt.getTime() - b.lastAccessedAt.getTime() || a.id - b.id);
  let total = rest.reduce((sum, entry) => sum + sizeOf(entry), 0);
  for (const entry of rest) {
    if (total <= limitBytes) break;
    evicted.push(entry);
    total -= sizeOf(entry);
  }
  return evicted;
}

export interface CacheStoreOptions {
  readonly blobs: Blobs;
  readonly limitBytes: number;
  readonly now: () => Date;
  readonly nextId: () => number;
}

/** The caches of one repository. */
export class CacheStore {
  #entries: readonly CacheEntry[] = [];
  readonly #options: CacheStoreOptions;

  constructor(options: CacheStoreOptions) {
    this.#options = options;
  }

  /** The entries that can be read; those unused for too long are gone. */
  get entries(): readonly CacheEntry[] {
    this.#evictSome();
    return this.#entries.filter(({ isComplete }) => isComplete);
  }

  /** A new entry to upload to; undefined when key, version and scope are taken, be it by an unfinished upload. */
  reserve(key: string, version: string, scope: string): CacheEntry | undefined {
    this.#evictSome();
    const isTaken = this.#entries.some((each) => each.key === key && each.version === version && each.scope === scope);
    if (isTaken) return undefined;
    const { blobs, now, nextId } = this.#options;
    const time = now();
    const blob = blobs.create('cache');
    const entry = { id: nextId(), key, version, scope, blob, createdAt: time, lastAccessedAt: time, isComplete: false };
    this.#entries = [...this.#entries, entry];
    return entry;
  }

  /** Makes an uploaded entry readable; undefined when there is no such upload of this size. */
  finalize(key: string, version: string, scope: string, sizeBytes: number): CacheEntry | undefined {
    const entry = this.#entries.find(
      (each) => !each.isComplete && each.key === key && each.version === version && each.scope === scope,
    );
    if (entry?.blob.bytes?.length !== sizeBytes) return undefined;
    entry.isComplete = true;
    entry.blob.isSealed = true;
    this.#evictSome();
    return entry;
  }

  /** What a lookup gets; reading counts as use. */
  find(lookup: Lookup): CacheEntry | undefined {
    const found = findEntry(this.entries, lookup);
    if (found !== undefined) found.lastAccessedAt = this.#options.now();
    return found;
  }

  /** Removes every entry of this key and gives how many there were. */
  evict(key: string): number {
    return this.#remove(this.#entries.filter((entry) => entry.key === key));
  }

  /** Removes one entry, and gives whether it was there. */
  remove(id: number): boolean {
    return this.#remove(this.#entries.filter((entry) => entry.isComplete && entry.id === id)) > 0;
  }

  #evictSome(): void {
    this.#remove(entriesToEvict(this.#entries, this.#options.limitBytes, this.#options.now()));
  }

  #remove(evicted: readonly CacheEntry[]): number {
    for (const { blob } of evicted) this.#options.blobs.remove(blob);
    this.#entries = this.#entries.filter((entry) => !evicted.includes(entry));
    return evicted.length;
  }
}
