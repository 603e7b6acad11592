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
import { type Copy, fateWarning, sharedFate } from './stores/safety.js';
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
  /** What becomes of each copy. */
  copies: Copy[];
  /** Why one event would take all of them; undefined where two have fates of their own. */
  together: string | undefined;
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
  const copies: Promise<Copy>[] = [];
  for (const store of ports.stores) {
    const own = found.filter((one) => one.store === store.name);
    const held = own.find((one) => one.backup?.digest === backup.digest);
    if (held !== undefined) copies.push(copyIn(store, held.name));
    else ports.warn(`${store.name} does not hold generation ${backup.context.generation}: ${whyNot(own)}`);
  }
  const kept = await Promise.all(copies);
  const together = sharedFate(kept);
  if (together !== undefined) ports.warn(fateWarning(together));
  return {
    found,
    context: backup.context,
    name,
    stores: kept.map(({ store }) => store),
    copies: kept,
    together,
    decrypted: opened !== undefined,
    snapshot: opened,
  };
}

/** A place that cannot say how long it keeps a backup has it all the same. */
async function copyIn(store: Store, name: string): Promise<Copy> {
  const hold = await store.holds(name).catch(() => undefined);
  return { store: store.name, fate: store.fate, hold };
}

function whyNot(own: readonly Candidate[]): string {
  const usable = own.find(({ backup }) => backup !== undefined)?.backup;
  if (usable !== undefined) return `its newest is generation ${usable.context.generation}`;
  const error = own.find(({ standing }) => standing !== 'foreign')?.error;
  return `${error?.message}: ${error?.why}`;
}
