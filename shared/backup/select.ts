import type { KeyObject } from 'node:crypto';
import { McprtError, messageOf } from '../errors.js';
import type { Observation } from './observe.js';
import type { Ports, RunContext } from './ports.js';
import { type AuthenticBackup, authenticate } from './seal.js';
import { generationOf, prefixOf, type Store } from './stores/store.js';

/** What a restore accepts although it is unusual; each names exactly what is accepted. */
export interface Overrides {
  /** Fingerprint of the cluster that the backup was made of, when it is not this one: after a cluster was lost. */
  fromCluster?: string;
  /** Accepts a backup older than the newest one that the cluster remembers or that a store lists. */
  older: boolean;
}

/** One backup found in a store: authentic, or with the reason why it is not. */
export interface Candidate {
  store: Store['name'];
  name: string;
  backup?: AuthenticBackup;
  error?: McprtError;
}

/** Looks into every store at once for the newest backup of a domain, and authenticates what is there. */
export async function candidates(
  ports: Pick<Ports, 'stores'>,
  domain: string,
  signers: KeyObject[],
): Promise<Candidate[]> {
  return Promise.all(
    ports.stores.map(async (store): Promise<Candidate> => {
      let name = '';
      try {
        const found = await store.newest(prefixOf(domain));
        name = found.name;
        return { store: store.name, name, backup: await authenticate(await found.fetch(), signers) };
      } catch (error) {
        return { store: store.name, name, error: asMcprtError(error) };
      }
    }),
  );
}

/**
 * Chooses the backup to restore: the highest generation that is authentic, unless something newer claims to exist.
 *
 * @throws McprtError the reason that all candidates share, `backup-none`, or `backup-newer-unreadable`
 */
export function choose(
  found: readonly Candidate[],
  { older }: Overrides,
): { store: Store['name']; name: string; backup: AuthenticBackup } {
  const authentic = found.flatMap(({ store, name, backup }) => (backup ? [{ store, name, backup }] : []));
  const best = authentic.reduce<(typeof authentic)[number] | undefined>(
    (newest, one) =>
      newest === undefined || one.backup.context.generation > newest.backup.context.generation ? one : newest,
    undefined,
  );
  const failed = found.filter(({ error }) => error !== undefined);
  if (best === undefined) {
    const telling = failed.filter(({ error }) => error?.code !== 'store-miss');
    // With the wrong key every store has the same to tell: that is the reason, and not that there is no backup.
    if (new Set(telling.map(({ error }) => error?.code)).size === 1 && telling[0]?.error) throw telling[0].error;
    throw new McprtError('backup-none', {
      what: 'there is no backup that can be used',
      why: failed.map(({ store, error }) => `${store}: ${error?.message}: ${error?.why}`).join('\n'),
      next: [...new Set(failed.map(({ error }) => error?.next ?? ''))].join('\n'),
    });
  }
  const newer = failed.find(({ name }) => generationOf(name) > best.backup.context.generation);
  if (newer !== undefined && !older) {
    throw new McprtError('backup-newer-unreadable', {
      what: `${newer.store} lists a newer backup than the newest that can be trusted`,
      why: `${newer.name}: ${newer.error?.message}; the newest authentic one is generation ${best.backup.context.generation} in ${best.store}`,
      next: 'find out who wrote the newer one; to go on with the older, set `allow: older-backup`',
    });
  }
  return best;
}

/**
 * The newest backup that is authentic and belongs to this cluster, from what the stores hold.
 *
 * @throws McprtError of `choose` and `checkContext`
 */
export function chooseFor(
  found: readonly Candidate[],
  seen: Pick<Observation, 'now' | 'anchor'> & { fingerprint: string | undefined },
  { run, overrides, maxAge }: { run: RunContext; overrides: Overrides; maxAge: number },
): ReturnType<typeof choose> {
  const best = choose(found, overrides);
  const { fingerprint, now, anchor } = seen;
  checkContext(best.backup, { run, fingerprint, now, anchored: anchor?.generation, maxAge }, overrides);
  return best;
}

/** What a backup is checked against before it is decrypted. */
export interface Expectation {
  run: RunContext;
  /** Of the cluster that it must belong to; undefined where none is at hand, and any of the repository's own will do. */
  fingerprint: string | undefined;
  now: Date;
  /** The newest generation that the cluster remembers. */
  anchored: number | undefined;
  /** Oldest age that is accepted, in ms. */
  maxAge: number;
}

/**
 * Checks that an authentic backup belongs here and is not a replay.
 *
 * @throws McprtError `backup-foreign-repository`, `backup-foreign-domain`, `backup-foreign-cluster`, `backup-rollback`,
 * `backup-too-old`, `backup-from-future`
 */
export function checkContext({ context }: AuthenticBackup, expected: Expectation, overrides: Overrides): void {
  const { run, fingerprint, now, anchored, maxAge } = expected;
  const refuse = (code: McprtError['code'], what: string, why: string, next: string): never => {
    throw new McprtError(code, { what, why, next });
  };
  if (context.repositoryId !== run.repositoryId) {
    refuse(
      'backup-foreign-repository',
      'the backup belongs to another repository',
      `it was made by ${context.repository} (${context.repositoryId}), and this is ${run.repository} (${run.repositoryId})`,
      'restore from a workflow of the repository that made it',
    );
  }
  if (context.domain !== run.domain) {
    refuse(
      'backup-foreign-domain',
      'the backup belongs to another domain',
      `it was made for ${context.domain}, and the profile says ${run.domain}`,
      'use the profile that the backup was made with',
    );
  }
  const wanted = overrides.fromCluster ?? fingerprint;
  if (wanted !== undefined && context.fingerprint !== wanted) {
    refuse(
      'backup-foreign-cluster',
      'the backup was made of another cluster',
      `its fingerprint is ${context.fingerprint}, and ${overrides.fromCluster === undefined ? 'this cluster’s' : 'the one in `from-cluster`'} is ${wanted}`,
      `if the old cluster is lost and this one takes its place, set \`from-cluster: ${context.fingerprint}\``,
    );
  }
  const hour = 3600_000;
  const age = now.getTime() - Date.parse(context.createdAt);
  if (age < -hour) {
    refuse(
      'backup-from-future',
      'the backup was made in the future',
      `it says ${context.createdAt}, and the API server’s clock says ${now.toISOString()}`,
      'correct the clock of the API server, or of the cluster that the backup was made of',
    );
  }
  if (anchored !== undefined && context.generation < anchored && !overrides.older) {
    refuse(
      'backup-rollback',
      'the backup is not the newest one of this cluster',
      `it is generation ${context.generation}, and the cluster remembers generation ${anchored}: it may be a replay that would bring back credentials that were changed since`,
      'restore the newest one from another store; if it is lost, set `allow: older-backup`',
    );
  }
  if (age > maxAge && !overrides.older) {
    refuse(
      'backup-too-old',
      'the backup is older than allowed',
      `it was made on ${context.createdAt}, ${Math.floor(age / (24 * hour))} days ago`,
      'look for a newer one; to use it all the same, raise `max-age` or set `allow: older-backup`',
    );
  }
}

function asMcprtError(error: unknown): McprtError {
  return error instanceof McprtError
    ? error
    : new McprtError('store-read', {
        what: 'the store cannot be read',
        why: messageOf(error),
        next: 'run the operation again',
        cause: error,
      });
}
