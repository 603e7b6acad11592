import { createPublicKey } from 'node:crypto';
import { type BackupOptions, type BackupResult, backUp, NotStored } from '../backup/backup.js';
import type { BackupKey } from '../backup/keys.js';
import type { Ports } from '../backup/ports.js';
import { type AuthenticBackup, authenticate } from '../backup/seal.js';
import type { BackupContext } from '../backup/statement.js';
import type { Store } from '../backup/stores/store.js';
import type { Cluster } from '../cluster/cluster.js';
import { McprtError } from '../errors.js';
import type { Journal } from './journal.js';

/** The backup that a wipe stands on. */
export interface ProofBackup {
  name: string;
  /** SHA-256 of its statement, in hex. */
  statement: string;
  context: Omit<BackupContext, 'recipients'>;
  stores: Store['name'][];
}

/**
 * Makes a fresh backup.
 *
 * @throws McprtError of `backUp`; `wipe-read-back` where a store took it and gave back something else
 */
export async function freshBackup(cluster: Cluster, ports: Ports, options: BackupOptions): Promise<BackupResult> {
  try {
    return await backUp(cluster, ports, options);
  } catch (error) {
    if (!(error instanceof NotStored)) throw error;
    const altered = error.stored.filter(
      ({ error: own }) => own !== undefined && /^(?:store-read-back$|backup-)/.test(own.code),
    );
    if (altered.length === 0) throw error;
    throw new McprtError('wipe-read-back', {
      what: `nothing was wiped: ${altered.map(({ store }) => store).join(' and ')} gave back another backup than was stored`,
      why: altered.map(({ store, error: own }) => `${store}: ${own?.message}: ${own?.why} (${own?.code})`).join('\n'),
      next: 'use another store, and find out who can write to this one',
      cause: error,
    });
  }
}

/** The stores that hold exactly the backup of a journal, authentic and made of this cluster; reads every store. */
export async function findProof(
  { stores }: Ports,
  { backup, domain }: Journal,
  key: BackupKey,
  fingerprint: string,
): Promise<ProofBackup | undefined> {
  const signers = [createPublicKey(key.signer)];
  const found = await Promise.all(
    stores.map(async (store): Promise<[Store['name'], AuthenticBackup][]> => {
      try {
        // By its whole name: a store may know how to look among other runs only when asked for the newest.
        const candidate = await store.newest(backup.name);
        const authentic = await authenticate(await candidate.fetch(), signers);
        const { context, digest } = authentic;
        const same = digest === backup.statement && context.domain === domain && context.fingerprint === fingerprint;
        return same ? [[store.name, authentic]] : [];
      } catch {
        return [];
      }
    }),
  );
  const first = found.flat()[0]?.[1];
  return (
    first && {
      name: backup.name,
      statement: backup.statement,
      context: first.context,
      stores: found.flat().map(([store]) => store),
    }
  );
}

/** What of a fresh backup the rest of a wipe needs. */
export function proofOf({ name, statement, context, stored }: BackupResult): ProofBackup {
  return { name, statement, context, stores: stored.flatMap(({ store, kept }) => (kept ? [store] : [])) };
}
