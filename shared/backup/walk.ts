import type { KeyObject } from 'node:crypto';
import { McprtError, messageOf } from '../errors.js';
import type { Ports } from './ports.js';
import { type AuthenticBackup, authenticate } from './seal.js';
import type { BackupContext } from './statement.js';
import {
  type Entry,
  generationOf,
  isNameOf,
  type Listing,
  nextWhenMissing,
  prefixOf,
  type Store,
} from './stores/store.js';

/**
 * What an entry of a store turned out to be. `usable`: authentic, for here, and readable as far as that was asked.
 * `doubtful`: it cannot be used, and may all the same be the newest real one. `misfit`: authentic, and for elsewhere.
 * `foreign`: no run that may hold the keys has made it. `unread`: the store, or the rest of it, could not be seen.
 * `absent`: the store has nothing.
 */
export type Standing = 'usable' | 'doubtful' | 'misfit' | 'foreign' | 'unread' | 'absent';

/** One entry of a store, or why there is none to show. */
export interface Candidate<T = unknown> {
  store: Store['name'];
  /** Empty where it is about the store as a whole. */
  name: string;
  standing: Standing;
  /** Of a usable one only. */
  backup?: AuthenticBackup;
  opened?: T;
  error?: McprtError;
}

/** Exactly one backup, by what a person has named. */
export interface Named {
  generation?: number;
  name?: string;
}

/** What is looked for. */
export interface Search<T> {
  domain: string;
  signers: KeyObject[];
  named?: Named;
  /** Why an authentic backup is not for here; asked before it is opened. */
  misfit?: (context: BackupContext, signer: string) => Promise<McprtError | undefined>;
  /** Opens an authentic backup; when that fails the next one is looked at. */
  open?: (backup: AuthenticBackup) => Promise<T>;
}

/** Of one store: who fills it with junk must not keep a restore busy for hours. Bytes, and ms. */
export const walkLimits = { entries: 32, bytes: 256 * 1024 * 1024, time: 120_000 } as const;

/** Errors that are about what was given, and not about an entry. */
const notOfEntry: readonly string[] = ['key-invalid'];

/**
 * Looks into every store at once, and walks each down from the highest generation that a name claims until one can be
 * used. Names decide nothing but the order: an entry counts by the generation that was signed.
 *
 * @returns of each store what was passed over, then what can be used, if anything
 */
export async function candidates<T = unknown>(
  ports: Pick<Ports, 'stores'> & { signal?: AbortSignal },
  domain: string,
  signers: KeyObject[],
  more: Pick<Search<T>, 'named' | 'misfit' | 'open'> = {},
): Promise<Candidate<T>[]> {
  const search = { domain, signers, ...more };
  const walks = ports.stores.map((store) => walk(store, search, ports.signal));
  return (await Promise.all(walks)).flat();
}

async function walk<T>(store: Store, search: Search<T>, signal?: AbortSignal): Promise<Candidate<T>[]> {
  let listing: Listing;
  try {
    listing = await store.list(
      search.named?.name === undefined ? { prefix: prefixOf(search.domain) } : { name: search.named.name },
    );
  } catch (error) {
    signal?.throwIfAborted();
    const asked = asMcprtError(error);
    return [{ store: store.name, name: '', standing: asked.code === 'store-miss' ? 'absent' : 'unread', error: asked }];
  }
  const { own, foreign } = sorted(listing.entries, search);
  const found: Candidate<T>[] = foreign.map(({ name, why }) => foreignCandidate(store.name, name, why));
  const spent = { entries: 0, bytes: 0, end: Date.now() + walkLimits.time };
  let best = 0;
  for (const entry of own) {
    if (best > 0 && generationOf(entry.name) <= best) break;
    signal?.throwIfAborted();
    if (spent.entries >= walkLimits.entries || spent.bytes >= walkLimits.bytes || Date.now() > spent.end) {
      found.push({ store: store.name, name: '', standing: 'unread', error: walkCut(store.name, own.length, spent) });
      return found;
    }
    spent.entries += 1;
    const fetch = async (): Promise<Buffer> => {
      const bytes = await entry.fetch();
      spent.bytes += bytes.length;
      return bytes;
    };
    const seen = await examine(store.name, { ...entry, fetch }, search);
    signal?.throwIfAborted();
    found.push(seen);
    if (seen.backup !== undefined) best = Math.max(best, seen.backup.context.generation);
  }
  if (best > 0) return found;
  if (listing.cut !== undefined) {
    found.push({ store: store.name, name: '', standing: 'unread', error: listing.cut });
  } else if (own.length === 0) {
    found.push({ store: store.name, name: '', standing: 'absent', error: nothing(store.name, search, listing.where) });
  }
  return found;
}

/** Fetches, authenticates and opens one entry, and tells what came of it. @throws McprtError `key-invalid` */
export async function examine<T>(
  store: Store['name'],
  entry: Entry,
  { signers, named, misfit, open }: Omit<Search<T>, 'domain'>,
): Promise<Candidate<T>> {
  const base = { store, name: entry.name };
  try {
    const backup = await authenticate(await entry.fetch(), signers);
    const other = (await misfit?.(backup.context, backup.signer)) ?? renamed(entry.name, backup.context, named);
    if (other !== undefined) return { ...base, standing: 'misfit', error: other };
    return open === undefined
      ? { ...base, standing: 'usable', backup }
      : { ...base, standing: 'usable', backup, opened: await open(backup) };
  } catch (error) {
    const known = asMcprtError(error);
    if (notOfEntry.includes(known.code)) throw known;
    return { ...base, standing: 'doubtful', error: known };
  }
}

/** Splits what a store lists into what is looked at, in its order, and what cannot be ours. */
export function sorted(
  entries: readonly Entry[],
  { domain, named }: Pick<Search<unknown>, 'domain' | 'named'>,
): { own: Entry[]; foreign: { name: string; why: string }[] } {
  const judged = entries.map((entry) => ({
    entry,
    why: entry.foreign ?? (isNameOf(entry.name, domain) ? undefined : 'its name is not one that mcprt gives'),
  }));
  const inOrder = judged.sort(
    (a, b) =>
      generationOf(b.entry.name) - generationOf(a.entry.name) ||
      // Numbers of runs and attempts grow by digits.
      b.entry.name.localeCompare(a.entry.name, 'en', { numeric: true }),
  );
  const [own, others] = [
    inOrder.filter(({ why }) => why === undefined),
    inOrder.filter(({ why }) => why !== undefined),
  ];
  if (named === undefined) {
    return {
      own: own.map(({ entry }) => entry),
      foreign: others.map(({ entry, why = '' }) => ({ name: entry.name, why })),
    };
  }
  // What a person names is looked at wherever it comes from: its signature must hold all the same.
  const { generation } = named;
  const wanted = [...own, ...others].map(({ entry }) => entry);
  return {
    own: wanted.filter(({ name }) => generation === undefined || generationOf(name) === generation),
    foreign: [],
  };
}

/** A backup under the name of another generation is a replay, or somebody's mistake: who names one gets that one. */
function renamed(name: string, { generation }: BackupContext, named: Named | undefined): McprtError | undefined {
  const claimed = named?.generation ?? (named === undefined ? 0 : generationOf(name));
  if (claimed === 0 || claimed === generation) return undefined;
  return new McprtError('backup-renamed', {
    what: `what is stored as generation ${claimed} is another one`,
    why: `${name} holds generation ${generation}, as its signature says`,
    next: `find out who stored it under that name. To use what it holds, set \`generation: ${generation}\``,
  });
}

/** Why an entry that cannot be ours was passed over. */
function foreignCandidate<T>(store: Store['name'], name: string, why: string): Candidate<T> {
  const error = new McprtError('backup-foreign-run', {
    what: 'no backup job of this repository has stored this',
    why,
    next: `delete it when nobody needs it; if it is a backup of yours all the same, ${generationOf(name) === 0 ? 'give it back the name that it was stored with' : `set \`name: ${name}\``}`,
  });
  return { store, name, standing: 'foreign', error };
}

function nothing(store: Store['name'], { domain, named }: Search<unknown>, where: string): McprtError {
  const { generation, name } = named ?? {};
  const wanted =
    name ?? (generation === undefined ? `that begins with ${prefixOf(domain)}` : `of generation ${generation}`);
  return new McprtError('store-miss', {
    what: `the ${store} has no entry ${wanted}`,
    why: where,
    next: nextWhenMissing[store],
  });
}

function walkCut(
  store: Store['name'],
  there: number,
  { entries, bytes }: { entries: number; bytes: number },
): McprtError {
  return new McprtError('store-cut', {
    what: `the ${store} holds more entries that cannot be used than are looked at`,
    why: `${entries} of ${there} entries with ${bytes} bytes were read without finding one; no more than ${walkLimits.entries} entries, ${walkLimits.bytes} bytes and ${walkLimits.time / 1000} s are spent on a store`,
    next: 'see what is there with `operation: list` of action-backup, then name the backup with `generation` or `name`, and delete what was planted',
  });
}

/** A failure of a store as an error of ours, whatever it was. */
export function asMcprtError(error: unknown): McprtError {
  return error instanceof McprtError
    ? error
    : new McprtError('store-read', {
        what: 'the store cannot be read',
        why: messageOf(error),
        next: 'run the operation again',
        cause: error,
      });
}
