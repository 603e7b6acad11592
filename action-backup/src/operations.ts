import { createPublicKey, type KeyObject } from 'node:crypto';
import { overridesOf } from '../../shared/action/choice.js';
import { keyId, type RestoreKey, readBackupKey, readRestoreKey, requireEitherKey } from '../../shared/backup/keys.js';
import type { Ports } from '../../shared/backup/ports.js';
import { restore } from '../../shared/backup/restore.js';
import { directoryStore } from '../../shared/backup/stores/directory-store.js';
import type { Cluster } from '../../shared/cluster/cluster.js';
import { nowOf } from '../../shared/cluster/cluster.js';
import { McprtError } from '../../shared/errors.js';
import type { RunContext } from '../../shared/run-context.js';
import type { BackupInputs } from './inputs.js';
import { outputsOf, type Telltale } from './outputs.js';
import { fetchSummary, restoreSummary, verifySummary } from './report.js';
import type { fetchTelling, listTelling, restoreTelling, verifyTelling } from './result.js';

/** Copies a backup without a cluster: whoever keeps copies, or drills, need not reach the production cluster. */
export async function fetchReport(
  ports: Ports,
  inputs: BackupInputs,
  run: RunContext,
): Promise<Telltale<typeof fetchTelling>> {
  if (inputs.directory === '' || inputs.stores.includes('directory')) {
    throw new McprtError('input-invalid', {
      what: 'a fetch needs a folder that is not one of its stores',
      why: `\`directory\` is ${inputs.directory === '' ? 'empty' : 'the target, and `stores` names it as a source'}`,
      next: 'give the folder for the copy in `directory`, and the sources in `stores`: artifact, oci or s3, and within a job cache too',
    });
  }
  const { fetchBackup } = await import('../../shared/backup/fetch.js');
  const result = await fetchBackup(ports, directoryStore(inputs.directory), {
    ...trustedBy(inputs, ports.mask),
    run,
    overrides: overridesOf(inputs),
    maxAge: inputs['max-age'],
    now: new Date(),
  });
  const { context, name, source, kept } = result;
  return {
    outputs: { ...outputsOf(context), name, stores: source },
    details: { path: kept.where },
    summary: fetchSummary(result, new Date()),
  };
}

/** Tells what there is, and chooses none: who has lost a cluster has nothing else to look at. */
export async function listReport(
  ports: Ports,
  inputs: BackupInputs,
  run: RunContext,
): Promise<Telltale<typeof listTelling>> {
  const trusted = trustedBy(inputs, ports.mask);
  // Few runs list: what only they need is loaded when it is asked for.
  const [{ survey }, { listingReport }] = await Promise.all([
    import('../../shared/backup/survey.js'),
    import('./listing.js'),
  ]);
  const found = await survey(ports, { ...trusted, run });
  return listingReport(found, {
    run,
    hasKey: 'key' in trusted,
    signers: [...new Set(trusted.signers.map(keyId))],
    now: new Date(),
  });
}

/** The signers that a job trusts, by the key that it was given; a restore key reads backups too. */
function trustedBy(inputs: BackupInputs, mask: (secret: string) => void): { signers: KeyObject[]; key?: RestoreKey } {
  requireEitherKey(inputs['backup-key'], inputs['restore-key']);
  if (inputs['restore-key'] === '') {
    return { signers: [createPublicKey(readBackupKey(inputs['backup-key'], mask).signer)] };
  }
  const key = readRestoreKey(inputs['restore-key'], mask);
  return { signers: key.signers, key };
}

/** Verifies the newest backup. @throws McprtError of `verifyBackups` */
export async function verifyReport(
  cluster: Cluster,
  ports: Ports,
  inputs: BackupInputs,
  run: RunContext,
): Promise<Telltale<typeof verifyTelling>> {
  const trusted = trustedBy(inputs, ports.mask);
  const overrides = overridesOf(inputs);
  const { verifyBackups } = await import('../../shared/backup/verify.js');
  const result = await verifyBackups(cluster, ports, { ...trusted, run, overrides, maxAge: inputs['max-age'] });
  const { context, name, stores, copies, together, decrypted } = result;
  return {
    outputs: { ...outputsOf(context), name, stores: stores.join(',') },
    details: {
      decrypted,
      copies: copies.map(({ store, fate, hold }) => ({
        store,
        fate,
        ...(hold?.until === undefined ? {} : { until: hold.until.toISOString() }),
      })),
      ...(together === undefined ? {} : { together }),
    },
    summary: verifySummary(result, nowOf(cluster)),
  };
}

/** Restores, or plans a restore. @throws McprtError of `restore` */
export async function restoreReport(
  cluster: Cluster,
  {
    ports,
    inputs,
    run,
    spelled,
    dryRun,
  }: { ports: Ports; inputs: BackupInputs; run: RunContext; spelled: (digest: string) => string; dryRun: boolean },
): Promise<Telltale<typeof restoreTelling>> {
  const key = readRestoreKey(inputs['restore-key'], ports.mask);
  const limits = { maxOrders: inputs['max-orders'], maxAge: inputs['max-age'], timeout: inputs.timeout };
  const options = {
    key,
    run,
    overrides: overridesOf(inputs),
    ...limits,
    expectPlan: inputs['expect-plan'],
    dryRun,
    mayStopCertManager: inputs.allow.stop,
  };
  const found = await restore(cluster, ports, options);
  const result = dryRun ? { ...found, planDigest: spelled(found.planDigest) } : found;
  const { context, plan, applied, source, newOrders } = result;
  return {
    outputs: {
      ...outputsOf(context),
      name: source.name,
      stores: source.store,
      orders: dryRun ? plan.orders : newOrders.length,
      plan: result.planDigest,
    },
    details: {
      forecast: plan.certificates,
      objects: (dryRun ? plan.lines : applied).map(({ subject, action, reason }) => ({ subject, action, reason })),
      warnings: plan.warnings,
      otherOrders: result.otherOrders,
      brake: result.brake,
      takenOver: result.takenOver,
      verified: result.verified,
    },
    summary: restoreSummary(result, { dryRun, overrides: options.overrides, now: nowOf(cluster) }),
  };
}
