import { createPublicKey } from 'node:crypto';
import { type BackupOptions, type BackupResult, backUp, NotStored } from '../backup/backup.js';
import type { BackupKey } from '../backup/keys.js';
import type { Ports } from '../backup/ports.js';
import type { AuthenticBackup } from '../backup/seal.js';
import type { BackupContext } from '../backup/statement.js';
import type { Store } from '../backup/stores/store.js';
import { candidates } from '../backup/walk.js';
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
  const found = await candidates({ stores }, domain, signers, { named: { name: backup.name } });
  const held = found.flatMap(({ store, backup: one }): [Store['name'], AuthenticBackup][] => {
    const isSame = one?.digest === backup.statement && one.context.domain === domain;
    return isSame && one.context.fingerprint === fingerprint ? [[store, one]] : [];
  });
  const first = held[0]?.[1];
  return (
    first && {
      name: backup.name,
      statement: backup.statement,
      context: first.context,
      stores: held.map(([store]) => store),
    }
  );
}

/** What of a fresh backup the rest of a wipe needs. */
export function proofOf({ name, statement, context, stored }: BackupResult): ProofBackup {
  return { name, statement, context, stores: stored.flatMap(({ store, kept }) => (kept ? [store] : [])) };
}
