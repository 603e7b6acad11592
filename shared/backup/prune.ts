import type { KeyObject } from 'node:crypto';
import pMap from 'p-map';
import { McprtError, messageOf } from '../errors.js';
import type { Ports } from './ports.js';
import { authenticate } from './seal.js';
import type { BackupContext } from './statement.js';
import { type Entry, generationOf, nameFor, prefixOf, type Store } from './stores/store.js';

/** An entry of a store, with what its signature says; no context where it is none of this signer's. */
export interface Listed {
  name: string;
  context?: BackupContext;
}

export interface Pruned {
  store: Store['name'];
  removed: string[];
  /** Names that begin as ours do, and that are left because they are not certainly ours. */
  odd: string[];
  /** Why not all was deleted that should have been. */
  error?: McprtError;
}

const parallelReads = 8;
/** Entries that are read in one run to find the old ones among them. */
const mostReads = 200;

/**
 * Sorts what a store lists into what is kept, what goes, and what is not ours to judge. Only an authentic backup of the
 * same repository, domain and cluster counts, so that nothing planted can push a real one out; and one only goes under
 * the very name that it was stored with. What claims to be newer than the newest is left.
 *
 * @param keep generations that stay, the newest among them; at least 2
 */
export function sortListed<T extends Listed>(
  listed: readonly T[],
  newest: Omit<BackupContext, 'recipients'>,
  keep: number,
): { remove: T[]; odd: T[] } {
  const isNamedAsStored = ({ name, context }: T): boolean =>
    context !== undefined && name === nameFor(context.domain, context.generation, context);
  const isOfSame = ({ context }: T): boolean =>
    context?.repositoryId === newest.repositoryId &&
    context.domain === newest.domain &&
    context.fingerprint === newest.fingerprint;
  const generationIn = ({ context }: T): number => context?.generation ?? 0;
  const own = listed.filter((one) => isNamedAsStored(one) && isOfSame(one) && generationIn(one) <= newest.generation);
  const generations = [...new Set(own.map(generationIn))].sort((a, b) => b - a);
  const kept = new Set(generations.slice(0, Math.max(keep, 2)));
  return {
    remove: own.filter((one) => !kept.has(generationIn(one))),
    odd: listed.filter((one) => !isNamedAsStored(one) || generationIn(one) > newest.generation),
  };
}

/**
 * Deletes old generations from a store, each only after its signature was checked. A failure is told, never thrown: the
 * newest backup is stored.
 */
export async function prune(
  store: Store,
  newest: Omit<BackupContext, 'recipients'>,
  { keep, signers, ports }: { keep: number; signers: KeyObject[]; ports: Ports },
): Promise<Pruned> {
  const removed: string[] = [];
  let odd: string[] = [];
  try {
    const { entries, cut } = await store.list({ prefix: prefixOf(newest.domain) });
    // What another run has uploaded is not ours to judge; of the rest, the oldest go first when there are too many.
    const own = entries
      .filter(({ foreign }) => foreign === undefined)
      .sort((a, b) => generationOf(a.name) - generationOf(b.name));
    const listed = await pMap(own.slice(0, mostReads), (entry) => identified(entry, signers), {
      concurrency: parallelReads,
    });
    const sorted = sortListed(listed, newest, keep);
    odd = sorted.odd.map(({ name }) => name);
    for (const { entry, name } of sorted.remove.sort((a, b) => generationOf(a.name) - generationOf(b.name))) {
      ports.signal.throwIfAborted();
      const held = await entry.remove().then(() => undefined, heldBy);
      ports.progress(
        held === undefined
          ? `deleted from ${store.name}: ${name}`
          : `left in ${store.name}, as it is locked: ${held.why}: ${name}`,
      );
      if (held === undefined) removed.push(name);
    }
    if (cut !== undefined) throw cut;
    return { store: store.name, removed, odd };
  } catch (thrown) {
    if (ports.signal.aborted) throw thrown;
    const error = thrown instanceof McprtError ? thrown : pruneFailed(store, thrown);
    ports.warn(`${store.name}: ${error.message}: ${error.why}\nnext: ${error.next}`);
    return { store: store.name, removed, odd, error };
  }
}

/** What nobody can delete yet keeps nothing else from going. @throws every other error */
function heldBy(error: unknown): McprtError {
  if (error instanceof McprtError && error.code === 'store-locked') return error;
  throw error;
}

async function identified(entry: Entry, signers: KeyObject[]): Promise<Listed & { entry: Entry }> {
  try {
    const { context } = await authenticate(await entry.fetch(), signers);
    return { entry, name: entry.name, context };
  } catch {
    return { entry, name: entry.name };
  }
}

function pruneFailed({ name }: Store, cause: unknown): McprtError {
  return new McprtError('store-prune', {
    what: `older backups cannot be deleted from ${name}`,
    why: messageOf(cause),
    next: 'nothing: the next backup tries again',
    cause,
  });
}
