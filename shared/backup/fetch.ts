import type { KeyObject } from 'node:crypto';
import type { RunContext } from '../run-context.js';
import { packArchive } from './archive.js';
import { keep } from './backup.js';
import { chooseBackup, type Overrides } from './choose-backup.js';
import type { RestoreKey } from './keys.js';
import type { Ports } from './ports.js';
import { type AuthenticBackup, openBackup } from './seal.js';
import type { BackupContext } from './statement.js';
import { type Kept, nameFor, type Store } from './stores/store.js';

export interface FetchOptions {
  signers: KeyObject[];
  /** With it, a backup is taken that it can read. */
  key?: RestoreKey;
  run: RunContext;
  /** Without `fromCluster`, a backup of any cluster is taken that this repository made for the domain. */
  overrides: Overrides;
  /** In ms. */
  maxAge: number;
  now: Date;
}

export interface FetchResult {
  context: BackupContext;
  /** The name that it has in the target. */
  name: string;
  source: Store['name'];
  kept: Kept;
}

/**
 * Copies a backup, as a restore would choose it, into another store, sealed as it is, and reads it back. Public keys are
 * enough, and no cluster is asked.
 *
 * @throws McprtError of `chooseBackup`; `store-…` of the target
 */
export async function fetchBackup(ports: Ports, target: Store, options: FetchOptions): Promise<FetchResult> {
  const { key, now, ...wish } = options;
  const open = async (one: AuthenticBackup): Promise<void> => {
    if (key !== undefined) await openBackup(one, key);
  };
  const expected = { fingerprint: undefined, now, anchor: undefined };
  const { store, backup } = await chooseBackup(ports, { ...wish, open }, expected);
  const { context, archive } = backup;
  // The name in a store is no part of what was signed: it must not choose where a file is written.
  const name = nameFor(context.domain, context.generation, context);
  const { kept, error } = await keep(target, name, await packArchive(archive), options.signers, ports);
  if (kept === undefined) throw error;
  return { context, name, source: store, kept };
}
