import { createPublicKey } from 'node:crypto';
import { type BackupOptions, type BackupResult, backUp, refreshBackup } from '../../shared/backup/backup.js';
import type { Ports } from '../../shared/backup/ports.js';
import { type Pruned, prune } from '../../shared/backup/prune.js';
import type { Cluster } from '../../shared/cluster/cluster.js';
import type { BackupInputs } from './inputs.js';
import { outputsOf, type Telltale } from './outputs.js';
import { backupSummary, heldSummary } from './report.js';
import type { backupTelling } from './result.js';

/** Makes a backup where one is due, and then deletes old ones. @throws McprtError of `backUp` */
export async function backupReport(
  cluster: Cluster,
  ports: Ports,
  options: BackupOptions,
  inputs: Pick<BackupInputs, 'refresh-after' | 'keep'>,
  now: () => Date,
): Promise<Telltale<typeof backupTelling>> {
  const refreshAfter = inputs['refresh-after'];
  const done =
    refreshAfter > 0
      ? await refreshBackup(cluster, ports, options, refreshAfter)
      : { made: await backUp(cluster, ports, options), because: [] };
  if ('held' in done) {
    const { context, name, stores } = done.held;
    return {
      outputs: { ...outputsOf(context), name, stores: stores.join(','), unchanged: true },
      details: {},
      summary: heldSummary(done.held, now()),
    };
  }
  const { made, because } = done;
  const { context, name, stored, bytes } = made;
  const pruned = inputs.keep > 0 ? await pruneAll(made, ports, options, inputs.keep) : [];
  return {
    outputs: {
      ...outputsOf(context),
      name,
      stores: stored.flatMap(({ store, kept }) => (kept ? [store] : [])).join(','),
      unchanged: false,
    },
    details: {
      bytes,
      because,
      warnings: made.warnings,
      leftOut: made.leftOut,
      failedStores: stored.flatMap(({ store, error }) => (error ? [{ store, code: error.code, why: error.why }] : [])),
      pruned: pruned.map(({ store, removed, odd, error }) => ({
        store,
        removed,
        odd,
        ...(error ? { code: error.code } : {}),
      })),
    },
    summary: backupSummary(made, { dryRun: options.dryRun, because, pruned, now: now() }),
  };
}

/** Deletes only where the new backup was read back: another store may hold nothing else that can be used. */
function pruneAll(
  { context, stored }: BackupResult,
  ports: Ports,
  { key }: BackupOptions,
  keep: number,
): Promise<Pruned[]> {
  const holding = ports.stores.filter(({ name }) => stored.some(({ store, kept }) => store === name && kept));
  const signers = [createPublicKey(key.signer)];
  return Promise.all(holding.map((store) => prune(store, context, { keep, signers, ports })));
}
