import type { KeyObject } from 'node:crypto';
import type { Cluster } from '../cluster/cluster.js';
import type { RestoreKey } from './keys.js';
import { observe } from './observe.js';
import type { Ports, RunContext } from './ports.js';
import { openBackup } from './seal.js';
import { type Candidate, candidates, chooseFor, type Overrides } from './select.js';
import type { Snapshot } from './snapshot.js';
import type { BackupContext } from './statement.js';

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
  decrypted: boolean;
  snapshot: Snapshot | undefined;
}

/**
 * Checks the newest backup in every store as a restore would, and changes nothing.
 *
 * @throws McprtError as a restore would; a store that lacks what another has is warned about
 */
export async function verifyBackups(cluster: Cluster, ports: Ports, options: VerifyOptions): Promise<VerifyResult> {
  const [found, seen] = await Promise.all([candidates(ports, options.run.domain, options.signers), observe(cluster)]);
  const { backup } = chooseFor(found, seen, options);
  const snapshot = options.key === undefined ? undefined : await openBackup(backup, options.key);
  const behind = found.filter((one) => one.backup?.digest !== backup.digest);
  for (const one of behind) {
    const why = one.error
      ? `${one.error.message}: ${one.error.why}`
      : `its newest is generation ${one.backup?.context.generation}`;
    ports.warn(`${one.store} does not hold generation ${backup.context.generation}: ${why}`);
  }
  return { found, context: backup.context, decrypted: snapshot !== undefined, snapshot };
}
