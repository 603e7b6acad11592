import type { KeyObject } from 'node:crypto';
import { McprtError } from '../errors.js';
import type { Anchor } from '../facts/anchor.js';
import type { RunContext } from '../run-context.js';
import { clockTolerance } from './limits.js';
import type { Ports } from './ports.js';
import type { AuthenticBackup } from './seal.js';
import type { BackupContext } from './statement.js';
import { generationOf, prefixOf, type Store } from './stores/store.js';
import { type Candidate, candidates, type Named, type Search, sorted } from './walk.js';

/** What a restore accepts although it is unusual; each names exactly what is accepted. */
export interface Overrides extends Named {
  /** Fingerprint of the cluster that the backup was made of, when it is not this one: after a cluster was lost. */
  fromCluster?: string;
  /** Id of the repository that made the backup, when it is not this one: after a repository was lost. */
  fromRepository?: string;
  /** Accepts a backup older than the newest one that the cluster remembers or that a store lists. */
  older: boolean;
}

/** What is asked of a backup. */
export interface Wish<T> {
  signers: KeyObject[];
  run: RunContext;
  overrides: Overrides;
  /** Oldest age that is accepted, in ms. */
  maxAge: number;
  /** Opens it, as far as the keys at hand can. */
  open: (backup: AuthenticBackup) => Promise<T>;
}

/** What a backup is held against. */
export interface Expected {
  /** Of the cluster that it must belong to; undefined where none is at hand, and any of the repository's own will do. */
  fingerprint: string | undefined;
  now: Date;
  /** What the cluster remembers of its newest backup. */
  anchor: Pick<Anchor, 'generation' | 'statement'> | undefined;
}

export interface Chosen<T> {
  store: Store['name'];
  name: string;
  backup: AuthenticBackup;
  opened: T;
  /** All that was looked at. */
  found: Candidate<T>[];
}

/**
 * Chooses the backup to use: the one that is named, or else the newest that is authentic, belongs here and can be read.
 * What was passed over is told.
 *
 * @param looking what it is held against; the stores are walked meanwhile
 * @throws McprtError the reason that all candidates share, `backup-none`, `backup-missing`, `backup-newer-unreadable`,
 * `store-cut`, and those of `misfitOf` and `staleness`
 */
export async function chooseBackup<T>(
  ports: Pick<Ports, 'stores' | 'warn'> & { signal?: AbortSignal },
  wish: Wish<T>,
  looking: Expected | Promise<Expected>,
): Promise<Chosen<T>> {
  const { run, overrides, signers, open } = wish;
  const misfit = async (context: BackupContext): Promise<McprtError | undefined> =>
    misfitOf(context, { run, fingerprint: (await looking).fingerprint }, overrides);
  const search = { domain: run.domain, signers, open, misfit };
  const chosen = await chooseAmong(ports, search, overrides, looking);
  const stale = staleness(chosen.backup.context, { ...(await looking), maxAge: wish.maxAge });
  if (stale !== undefined) {
    const isAccepted = overrides.older || isNamed(overrides);
    if (stale.code === 'backup-from-future' || !isAccepted) throw stale;
    ports.warn(`${stale.message}: ${stale.why}`);
  }
  return chosen;
}

/**
 * Chooses among all that the stores hold, as `chooseBackup` does; of what time it is, is not asked.
 *
 * @throws McprtError the reason that all candidates share, `backup-none`, `backup-missing`, `backup-newer-unreadable`,
 * `store-cut`
 */
export async function chooseAmong<T>(
  ports: Pick<Ports, 'stores' | 'warn'> & { signal?: AbortSignal },
  { domain, signers, open, misfit }: Omit<Search<T>, 'named'>,
  overrides: Overrides,
  looking: Expected | Promise<Expected> | undefined,
): Promise<Chosen<T>> {
  const found = await candidates(ports, domain, signers, {
    ...(isNamed(overrides) ? { named: overrides } : {}),
    ...(open ? { open } : {}),
    ...(misfit ? { misfit } : {}),
  });
  if (isNamed(overrides) && found.every(({ standing }) => standing === 'absent')) {
    throw await missing(ports, domain, overrides);
  }
  const { best, warnings } = choose(found, overrides, await looking);
  for (const line of warnings) ports.warn(line);
  return { ...best, found };
}

interface Best<T> {
  store: Store['name'];
  name: string;
  backup: AuthenticBackup;
  opened: T;
}

/**
 * Of what the stores hold: the usable one with the highest signed generation, unless something newer may be real.
 *
 * @throws McprtError the reason that all candidates share, `backup-none`, `backup-newer-unreadable`, `store-cut`
 */
export function choose<T>(
  found: readonly Candidate<T>[],
  overrides: Overrides,
  expected: Pick<Expected, 'fingerprint' | 'anchor'> | undefined,
): { best: Best<T>; warnings: string[] } {
  const usable = found.flatMap(({ store, name, backup, opened }): Best<T>[] =>
    backup === undefined ? [] : [{ store, name, backup, opened: opened as T }],
  );
  const best = usable.reduce<Best<T> | undefined>(
    (newest, one) => (newest === undefined || isNewer(one, newest) ? one : newest),
    undefined,
  );
  if (best === undefined) throw noneOf(found);
  const { generation } = best.backup.context;
  const doubts = isNamed(overrides)
    ? []
    : found.filter(
        ({ standing, name }) =>
          (standing === 'doubtful' && generationOf(name) > generation) ||
          (standing === 'unread' && !isNewestOf(best.backup, expected)),
      );
  if (doubts.length > 0 && !overrides.older) {
    throw new McprtError('backup-newer-unreadable', {
      what: 'there may be a newer backup than the newest that can be used',
      why: [...doubts.map(described), `the newest that can be used is generation ${generation} in ${best.store}`].join(
        '\n',
      ),
      next: [
        'find out who wrote the newer one: after a change of keys, give the newer restore key too; delete what was planted.',
        `To continue with the older one, set \`generation: ${generation}\` for exactly that one, or \`allow: older-backup\``,
      ].join(' '),
    });
  }
  return { best, warnings: passedOver(found, best) };
}

function isNewer<T>(one: Best<T>, other: Best<T>): boolean {
  const [a, b] = [one.backup.context, other.backup.context];
  return a.generation > b.generation || (a.generation === b.generation && a.createdAt > b.createdAt);
}

/** Whether the cluster itself says that there is none newer of it. */
function isNewestOf(
  { context, digest }: AuthenticBackup,
  expected: Pick<Expected, 'fingerprint' | 'anchor'> | undefined,
): boolean {
  const { anchor } = expected ?? {};
  if (anchor === undefined || context.fingerprint !== expected?.fingerprint) return false;
  return context.generation > anchor.generation || digest === anchor.statement;
}

/** A line for each entry that was passed over, and one for all that cannot be ours. */
function passedOver<T>(found: readonly Candidate<T>[], best: Best<T>): string[] {
  const lines = found
    .filter(({ standing }) => standing === 'doubtful' || standing === 'misfit' || standing === 'unread')
    .map((one) => `passed over: ${described(one)}`);
  const foreign = found.filter(
    ({ standing, name }) =>
      standing === 'foreign' && (generationOf(name) === 0 || generationOf(name) > best.backup.context.generation),
  );
  const stores = [...new Set(foreign.map(({ store }) => store))];
  const summed = stores.flatMap((store) => {
    const own = foreign.filter((one) => one.store === store);
    const [first] = own;
    const count = own.length === 1 ? 'one entry' : `${own.length} entries`;
    return first === undefined
      ? []
      : [`passed over: ${count} of ${store} that cannot be ours. The first: ${described(first)}`];
  });
  return [...shortened(lines), ...summed];
}

/** What is told of a store that somebody has filled. */
const told = 8;

function shortened(lines: readonly string[]): string[] {
  return lines.length <= told ? [...lines] : [...lines.slice(0, told), `…and ${lines.length - told} more`];
}

function described({ store, name, error }: Candidate): string {
  const why = (error?.why ?? '').split('\n')[0];
  return `${store}${name === '' ? '' : `, ${name}`}: ${error?.message}: ${why} (${error?.code})`;
}

/** Why there is none: the reason that all share, or each one's. */
export function noneOf(found: readonly Candidate[]): McprtError {
  const telling = found.filter(({ standing }) => standing !== 'absent' && standing !== 'foreign');
  const [first] = telling;
  const codes = new Set(telling.map(({ error }) => error?.code));
  // With the wrong key every store has the same to tell: that is the reason, and not that there is no backup.
  if (codes.size === 1 && first?.error) return first.error;
  const foreign = found.filter(({ standing }) => standing === 'foreign');
  const shown = [...telling, ...found.filter(({ standing }) => standing === 'absent'), ...foreign];
  const why = shortened(shown.map(described)).join('\n');
  const nexts = [...new Set([...shown.filter((one) => !foreign.includes(one)), ...foreign.slice(0, 1)].map(nextOf))];
  const next = shortened(nexts).join('\n');
  const cut = telling.find(({ error }) => error?.code === 'store-cut')?.error;
  // Nobody has seen that there is none.
  return cut === undefined
    ? new McprtError('backup-none', { what: 'there is no backup that can be used', why, next })
    : new McprtError('store-cut', { what: cut.message, why, next });
}

function nextOf({ error }: Candidate): string {
  return error?.next ?? '';
}

/** What there is in place of a backup that was named; by names, as reading all of them would take long. */
async function missing(
  { stores }: Pick<Ports, 'stores'>,
  domain: string,
  { generation, name }: Named,
): Promise<McprtError> {
  const lists = await Promise.all(
    stores.map(async (store): Promise<string[]> => {
      const { own } = sorted((await store.list({ prefix: prefixOf(domain) })).entries, { domain });
      return own.length === 0 ? [`${store.name}: none`] : own.map((entry) => `${store.name}: ${entry.name}`);
    }),
  );
  return new McprtError('backup-missing', {
    what: `no store has ${name === undefined ? `a backup of generation ${generation}` : `a backup ${name}`}`,
    why: ['there is', ...lists.flatMap(shortened)].join('\n'),
    next: 'name one of those; `operation: list` of action-backup tells more of each',
  });
}

/** Whether a person has chosen the one backup. */
function isNamed({ generation, name }: Named): boolean {
  return generation !== undefined || name !== undefined;
}

/**
 * Why an authentic backup does not belong here.
 *
 * @returns McprtError `backup-foreign-repository`, `backup-foreign-domain`, `backup-foreign-cluster`
 */
export function misfitOf(
  context: BackupContext,
  { run, fingerprint }: { run: RunContext; fingerprint: string | undefined },
  { fromCluster, fromRepository }: Overrides,
): McprtError | undefined {
  if (!isOfRepository(context, run, fromRepository)) {
    return new McprtError('backup-foreign-repository', {
      what: 'the backup belongs to another repository',
      why: `it was made by ${withOrigin(context.repository || 'a machine that named no repository', originOf(context))}, and ${fromRepository === undefined ? `this is ${withOrigin(run.repository, run.repositoryId)}` : `\`from-repository\` says ${fromRepository}`}`,
      next:
        context.repository === run.repository && run.repositoryId === run.repository
          ? `say the number of that repository too, \`--repository-id ${originOf(context)}\`: by its name alone, another one of that name could be meant`
          : `restore where it was made: in a workflow of that repository, or on that machine; if this one takes its place, set \`from-repository: ${originOf(context)}\``,
    });
  }
  if (context.domain !== run.domain) {
    return new McprtError('backup-foreign-domain', {
      what: 'the backup belongs to another domain',
      why: `it was made for ${context.domain}, and the profile says ${run.domain}`,
      next: 'use the profile that the backup was made with',
    });
  }
  const wanted = fromCluster ?? fingerprint;
  if (wanted !== undefined && context.fingerprint !== wanted) {
    return new McprtError('backup-foreign-cluster', {
      what: 'the backup was made of another cluster',
      // What is put into the wrong input may be a key: it is not shown.
      why: `its fingerprint is ${context.fingerprint}, and ${fromCluster === undefined ? `this cluster’s is ${wanted}` : '`from-cluster` says another'}`,
      next: `if the old cluster is lost and this one takes its place, set \`from-cluster: ${context.fingerprint}\``,
    });
  }
  return undefined;
}

/** What `from-repository` calls the origin of a backup. */
export function originOf({ repositoryId }: Pick<BackupContext, 'repositoryId'>): string {
  return repositoryId || 'none';
}

/** A repository with its number; a machine has one name for both. */
export function withOrigin(repository: string, origin: string): string {
  return repository === origin ? repository : `${repository} (${origin})`;
}

/** Two backups of machines that named no repository are not of one because of that. */
function isOfRepository(context: BackupContext, run: RunContext, from: string | undefined): boolean {
  if (from !== undefined) return originOf(context) === from;
  if (context.repositoryId !== '') return context.repositoryId === run.repositoryId;
  // Made before such machines had a name: what this very setting would have made then.
  const isLocal = run.repositoryId.startsWith('local/');
  return context.repository === '' ? isLocal : run.repositoryId === context.repository;
}

/**
 * Why a backup that belongs here is not one of now.
 *
 * @returns McprtError `backup-from-future`, `backup-rollback`, `backup-too-old`
 */
export function staleness(
  { generation, createdAt }: BackupContext,
  { now, anchor, maxAge }: Expected & { maxAge: number },
): McprtError | undefined {
  const age = now.getTime() - Date.parse(createdAt);
  if (age < -clockTolerance) {
    return new McprtError('backup-from-future', {
      what: 'the backup was made in the future',
      why: `it says ${createdAt}, and the API server’s clock says ${now.toISOString()}`,
      next: 'correct the clock of the API server, or of the cluster that the backup was made of',
    });
  }
  if (anchor !== undefined && generation < anchor.generation) {
    return new McprtError('backup-rollback', {
      what: 'the backup is not the newest one of this cluster',
      why: `it is generation ${generation}, and the cluster remembers generation ${anchor.generation}: it may be a replay that would bring back credentials that were changed since`,
      next: `restore the newest one from another store; if it is lost, set \`allow: older-backup\`, or \`generation: ${generation}\` for exactly this one`,
    });
  }
  if (age > maxAge) {
    return new McprtError('backup-too-old', {
      what: 'the backup is older than allowed',
      why: `it was made on ${createdAt}, ${Math.floor(age / (24 * 3600_000))} days ago`,
      next: `look for a newer one; to use it all the same, raise \`max-age\`, or set \`allow: older-backup\` or \`generation: ${generation}\``,
    });
  }
  return undefined;
}
