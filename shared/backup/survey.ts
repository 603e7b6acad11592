import type { KeyObject } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import pMap from 'p-map';
import { McprtError } from '../errors.js';
import type { RunContext } from '../run-context.js';
import { misfitOf, noneOf } from './choose-backup.js';
import type { RestoreKey } from './keys.js';
import type { Ports } from './ports.js';
import { openBackup } from './seal.js';
import type { BackupContext } from './statement.js';
import { type Entry, generationOf, prefixOf, type Store } from './stores/store.js';
import { asMcprtError, examine, sorted } from './walk.js';

/** One backup, or something that lies where one would, and the stores that hold it. */
export interface Surveyed {
  name: string;
  stores: Store['name'][];
  /** What is signed; undefined where nothing is that this job can believe. */
  context: BackupContext | undefined;
  /** Whether the signature is one of a key that is trusted here; undefined where it was not looked at. */
  isSigned: boolean | undefined;
  /** Which of the trusted keys has signed it (see `keyId`); undefined where that was not looked at. */
  signer: string | undefined;
  /** Whether the given key can read it; undefined where none was given. */
  isReadable: boolean | undefined;
  /** Why a restore of this repository would not take it as it is. */
  error: McprtError | undefined;
}

export interface Survey {
  /** The newest first. */
  backups: Surveyed[];
  /** What cannot be ours: not fetched, and no more than `mostForeign` of them. */
  foreign: { store: Store['name']; name: string; why: string }[];
  foreignCount: number;
  /** Stores of which not all was seen, with the reason. */
  unread: { store: Store['name']; error: McprtError }[];
  /** Stores that were read and have nothing of that name, and where that was looked for. */
  empty: { store: Store['name']; where: string }[];
}

export interface SurveyOptions {
  signers: KeyObject[];
  key?: RestoreKey;
  run: RunContext;
}

const parallelReads = 4;
/** Of one store. */
const mostReads = 200;
const mostForeign = 20;

/**
 * Looks at every backup in every store, as far as the keys at hand can, and chooses none.
 *
 * @throws McprtError where none was seen and a store could not be read: its reason, as a restore would tell it
 */
export async function survey(
  { stores, signal }: Pick<Ports, 'stores' | 'signal'>,
  options: SurveyOptions,
): Promise<Survey> {
  const seen = await Promise.all(stores.map((store) => surveyStore(store, signal, options)));
  const foreign = seen.flatMap((one) => one.foreign);
  const backups = merged(seen.flatMap((one) => one.backups));
  // Of one that is cut something was seen: what is in the way is in the list.
  const unreadable = seen.flatMap(({ failed }) => failed);
  if (backups.length === 0 && unreadable.length > 0) {
    throw noneOf(unreadable.map((one) => ({ ...one, name: '', standing: 'unread' })));
  }
  return {
    backups,
    foreign: foreign.slice(0, mostForeign),
    foreignCount: foreign.length,
    unread: [...unreadable, ...seen.flatMap(({ unread }) => unread)],
    empty: seen.flatMap(({ empty }) => empty),
  };
}

async function surveyStore(
  store: Store,
  signal: AbortSignal,
  options: SurveyOptions,
): Promise<Pick<Survey, 'backups' | 'foreign' | 'unread' | 'empty'> & { failed: Survey['unread'] }> {
  const { domain } = options.run;
  try {
    const { entries, cut, where } = await store.list({ prefix: prefixOf(domain) });
    const { own, foreign } = sorted(entries, { domain });
    const backups = await pMap(own.slice(0, mostReads), (entry) => surveyed(store.name, entry, options), {
      concurrency: parallelReads,
      signal,
    });
    const tooMany = own.length > mostReads ? more(store.name, own.length) : undefined;
    const unread = [cut, tooMany].flatMap((error) => (error === undefined ? [] : [{ store: store.name, error }]));
    const empty = entries.length === 0 && cut === undefined ? [{ store: store.name, where }] : [];
    return { backups, foreign: foreign.map((one) => ({ store: store.name, ...one })), unread, empty, failed: [] };
  } catch (error) {
    signal.throwIfAborted();
    const known = asMcprtError(error);
    if (known.code === 'key-invalid') throw known;
    return { backups: [], foreign: [], unread: [], empty: [], failed: [{ store: store.name, error: known }] };
  }
}

async function surveyed(store: Store['name'], entry: Entry, { signers, key, run }: SurveyOptions): Promise<Surveyed> {
  let context: BackupContext | undefined;
  let signer: string | undefined;
  let isReadable: boolean | undefined;
  const { error } = await examine(store, entry, {
    signers,
    misfit: async (signed, by) => {
      context = signed;
      signer = by;
      return undefined;
    },
    open: async (backup) => {
      if (key === undefined) return;
      isReadable = false;
      await openBackup(backup, key);
      isReadable = true;
    },
  });
  const isSigned = context !== undefined ? true : error?.code === 'backup-unsigned' ? false : undefined;
  const misfit = context && misfitOf(context, { run, fingerprint: undefined }, { older: false });
  return { name: entry.name, stores: [store], context, isSigned, signer, isReadable, error: error ?? misfit };
}

/** One line for what several stores hold alike. */
function merged(all: readonly Surveyed[]): Surveyed[] {
  const found: Surveyed[] = [];
  for (const one of all) {
    const same = found.find(
      ({ name, context, error }) =>
        name === one.name && error?.code === one.error?.code && isDeepStrictEqual(context, one.context),
    );
    if (same === undefined) found.push({ ...one });
    else same.stores = [...new Set([...same.stores, ...one.stores])];
  }
  const generation = ({ name, context }: Surveyed): number => context?.generation ?? generationOf(name);
  return found.sort((a, b) => generation(b) - generation(a) || b.name.localeCompare(a.name));
}

function more(store: Store['name'], there: number): McprtError {
  return new McprtError('store-cut', {
    what: `the ${store} has more entries than are read for a list`,
    why: `the ${mostReads} newest by name of ${there} were read`,
    next: 'name an older one by its `name`, or have `keep` of the backups delete what is old',
  });
}
