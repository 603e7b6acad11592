import type { KeyObject } from 'node:crypto';
import type { Cluster } from '../cluster/cluster.js';
import { observe } from '../facts/observation.js';
import type { RunContext } from '../run-context.js';
import { chooseBackup, type Overrides } from './choose-backup.js';
import type { RestoreKey } from './keys.js';
import type { Ports } from './ports.js';
import { openBackup } from './seal.js';
import type { Snapshot } from './snapshot.js';
import type { BackupContext } from './statement.js';
import type { Store } from './stores/store.js';
import type { Candidate } from './walk.js';

export interface VerifyOptions {
  signers: KeyObject[];
  /** With it, the backup is also decrypted and its content checked; nothing of it is shown. */
  key?: RestoreKey;
  run: RunContext;
  overrides: Overrides;
  /** In ms. */
  maxAge: number;
}

export interface VerifyResult {
  found: Candidate[];
  context: BackupContext;
  name: string;
  /** Stores that hold the verified backup. */
  stores: Store['name'][];
  decrypted: boolean;
  snapshot: Snapshot | undefined;
}

/**
 * Checks a backup as a restore would choose it, and changes nothing.
 *
 * @throws McprtError as a restore would; a store that lacks what another has is warned about
 */
export async function verifyBackups(cluster: Cluster, ports: Ports, options: VerifyOptions): Promise<VerifyResult> {
  const { key, ...wish } = options;
  const looking = observe(cluster);
  const open = async (one: Parameters<typeof openBackup>[0]): Promise<Snapshot | undefined> =>
    key === undefined ? undefined : openBackup(one, key);
  const [{ backup, name, opened, found }] = await Promise.all([
    chooseBackup(ports, { ...wish, open }, looking),
    looking,
  ]);
  const stores: Store['name'][] = [];
  for (const { name: store } of ports.stores) {
    const own = found.filter((one) => one.store === store);
    if (own.some((one) => one.backup?.digest === backup.digest)) stores.push(store);
    else ports.warn(`${store} does not hold generation ${backup.context.generation}: ${whyNot(own)}`);
  }
  return { found, context: backup.context, name, stores, decrypted: opened !== undefined, snapshot: opened };
}

function whyNot(own: readonly Candidate[]): string {
  const usable = own.find(({ backup }) => backup !== undefined)?.backup;
  if (usable !== undefined) return `its newest is generation ${usable.context.generation}`;
  const error = own.find(({ standing }) => standing !== 'foreign')?.error;
  return `${error?.message}: ${error?.why}`;
}
