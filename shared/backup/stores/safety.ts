import type { Hold, Store } from './store.js';

/** A copy of one backup, and what becomes of it. */
export interface Copy {
  store: Store['name'];
  fate: string;
  /** Undefined where the place could not tell. */
  hold: Hold | undefined;
}

/**
 * Why one event would take every copy; undefined where two have fates of their own. One copy alone is always at the mercy of one
 * event.
 */
export function sharedFate(copies: readonly Pick<Copy, 'store' | 'fate'>[]): string | undefined {
  const [first, ...others] = copies;
  if (first === undefined || others.some(({ fate }) => fate !== first.fate)) return undefined;
  const stores = copies.map(({ store }) => store).join(' and ');
  return `${others.length === 0 ? `the only copy is in ${stores}: it goes` : `all copies (${stores}) go together:`} with ${first.fate}`;
}

/** What is told of copies that share one fate, in the log and in the summary alike. */
export function fateWarning(together: string): string {
  return `${together}; a store elsewhere, as oci or s3, would outlive that`;
}

/** How long a copy is safe, in words. */
export function keptWords({ hold }: Pick<Copy, 'hold'>, now: Date): string {
  if (hold === undefined) return 'its place does not say';
  if (hold.until === undefined) return hold.words;
  const days = Math.floor((hold.until.getTime() - now.getTime()) / (24 * 3600_000));
  return `until ${hold.until.toISOString().slice(0, 10)} (${days === 1 ? '1 day' : `${Math.max(days, 0)} days`}): ${hold.words}`;
}
