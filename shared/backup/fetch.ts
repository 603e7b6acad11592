import type { KeyObject } from 'node:crypto';
import { packArchive } from './archive.js';
import { keep } from './backup.js';
import type { Ports, RunContext } from './ports.js';
import { candidates, chooseFor, type Overrides } from './select.js';
import type { BackupContext } from './statement.js';
import { type Kept, nameFor, type Store } from './stores/store.js';

export interface FetchOptions {
  signers: KeyObject[];
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
 * Copies the newest backup that is authentic into another store, sealed as it is, and reads it back. Public keys are
 * enough, and no cluster is asked.
 *
 * @throws McprtError of `chooseFor`; `store-…` of the target
 */
export async function fetchBackup(ports: Ports, target: Store, options: FetchOptions): Promise<FetchResult> {
  const { run, signers, now } = options;
  const found = await candidates(ports, run.domain, signers);
  const { store, backup } = chooseFor(found, { fingerprint: undefined, now, anchor: undefined }, options);
  const { context, archive } = backup;
  // The name in a store is no part of what was signed: it must not choose where a file is written.
  const name = nameFor(context.domain, context.generation, context);
  const { kept, error } = await keep(target, name, await packArchive(archive), signers, ports);
  if (kept === undefined) throw error;
  return { context, name, source: store, kept };
}
