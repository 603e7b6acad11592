import { createPublicKey } from 'node:crypto';
import * as core from '@actions/core';
import { diagnoseFailure } from '../../shared/action/diagnosis.js';
import { proxyOf, runContext } from '../../shared/action/github.js';
import { type Inputs, readInputs } from '../../shared/action/inputs.js';
import { plainLines } from '../../shared/action/log.js';
import { masker } from '../../shared/action/mask.js';
import { readTarget } from '../../shared/action/profile.js';
import { runAction, withDeadline } from '../../shared/action/run.js';
import { openStores } from '../../shared/action/stores.js';
import { backUp } from '../../shared/backup/backup.js';
import { type RestoreKey, readBackupKey, readRestoreKey } from '../../shared/backup/keys.js';
import type { Ports, RunContext } from '../../shared/backup/ports.js';
import { type RefusalRule, refusalRules } from '../../shared/backup/refusals.js';
import { restore } from '../../shared/backup/restore.js';
import { verifyBackups } from '../../shared/backup/verify.js';
import type { Cluster } from '../../shared/cluster/cluster.js';
import { connect } from '../../shared/cluster/connect.js';
import { guarded, requirePermissions } from '../../shared/permissions/guard.js';
import { wipe } from '../../shared/wipe/wipe.js';
import { inputTypes } from './inputs.js';
import type { Report } from './outputs.js';
import { backupSummary, restoreSummary, verifySummary } from './report.js';
import { wipeReport } from './wipe-report.js';

type BackupInputs = Inputs<typeof inputTypes>;

/** Version of the output `result`; it changes when a field changes its meaning or goes. */
const resultSchema = 'mcprt.result/1';

/** The entry of action-backup. */
export async function backupAction(version: string): Promise<void> {
  await runAction('action-backup', async (signal) => {
    const mask = masker();
    const inputs = readInputs(inputTypes);
    for (const secret of [inputs['backup-key'], inputs['restore-key'], inputs['github-token']]) mask(secret);
    const { operation } = inputs;
    const changes = (operation === 'restore' || operation === 'wipe') && !inputs['dry-run'];
    const destructive = changes ? { destructive: operation } : {};
    const target = await readTarget(inputs, { stage: 'backup', env: process.env, mask, ...destructive });
    const { cluster } = await connect({
      kubeconfig: inputs.kubeconfig || target.kubeconfig || (process.env.KUBECONFIG ?? ''),
      trusted: inputs['kubeconfig-trusted'],
      proxy: proxyOf(process.env),
      onSecrets: (secrets) => secrets.forEach(mask),
    });
    const ports: Ports = {
      stores: openStores(inputs, process.env),
      progress: (line) => core.info(plainLines(line)),
      warn: core.warning,
      signal: withDeadline(signal, inputs.timeout),
      mask,
    };
    const run = runContext(process.env, target.domain, `mcprt ${version}`);
    try {
      const dryRun = inputs['dry-run'] || operation === 'plan';
      const allowed = requirePermissions(cluster, {
        names: [operation === 'restore' && dryRun ? 'plan' : operation],
        dryRun,
        warn: core.warning,
      });
      const { outputs, details, summary } = await operate(guarded(cluster, allowed), ports, inputs, run);
      for (const [name, value] of Object.entries(outputs)) core.setOutput(name, value);
      core.setOutput(
        'result',
        JSON.stringify({ schema: resultSchema, operation: inputs.operation, ...outputs, ...details }),
      );
      await summary.write();
    } catch (error) {
      await diagnoseFailure(error, cluster, target, mask);
      throw error;
    } finally {
      await cluster.close();
    }
  });
}

async function operate(cluster: Cluster, ports: Ports, inputs: BackupInputs, run: RunContext): Promise<Report> {
  const now = (): Date => cluster.serverTime() ?? new Date();
  const overrides = {
    older: inputs.allow.includes('older-backup'),
    ...(inputs['from-cluster'] === '' ? {} : { fromCluster: inputs['from-cluster'] }),
  };
  const dryRun = inputs['dry-run'] || inputs.operation === 'plan';
  if (inputs.operation === 'backup') {
    const key = readBackupKey(inputs['backup-key'], ports.mask);
    const result = await backUp(cluster, ports, { key, run, allow: allowedRules(inputs), dryRun });
    const { context, name, stored } = result;
    return {
      outputs: {
        generation: context.generation,
        name,
        stores: stored.flatMap(({ store, kept }) => (kept ? [store] : [])).join(','),
        certificates: context.inventory.certificates,
        fingerprint: context.fingerprint,
        'expires-at': context.expiresAt,
      },
      details: {
        bytes: result.bytes,
        failedStores: stored.flatMap(({ store, error }) =>
          error ? [{ store, code: error.code, why: error.why }] : [],
        ),
      },
      summary: backupSummary(result, dryRun, now()),
    };
  }
  if (inputs.operation === 'verify') {
    const key: RestoreKey | undefined =
      inputs['restore-key'] === '' ? undefined : readRestoreKey(inputs['restore-key'], ports.mask);
    const signers = key?.signers ?? [createPublicKey(readBackupKey(inputs['backup-key'], ports.mask).signer)];
    const result = await verifyBackups(cluster, ports, {
      signers,
      run,
      overrides,
      maxAge: inputs['max-age'],
      ...(key ? { key } : {}),
    });
    const { context, found, decrypted } = result;
    return {
      outputs: {
        generation: context.generation,
        stores: found
          .flatMap(({ store, backup }) => (backup?.context.generation === context.generation ? [store] : []))
          .join(','),
        certificates: context.inventory.certificates,
        fingerprint: context.fingerprint,
        'expires-at': context.expiresAt,
      },
      details: { decrypted },
      summary: verifySummary(result, now()),
    };
  }
  if (inputs.operation === 'wipe') {
    const key = readBackupKey(inputs['backup-key'], ports.mask);
    const { confirm, scope, also, cluster: expected, timeout } = inputs;
    const choice = { confirm, scope, also, cluster: expected, timeout };
    const result = await wipe(cluster, ports, { key, run, allow: allowedRules(inputs), ...choice, dryRun });
    return wipeReport(result, dryRun);
  }
  const key = readRestoreKey(inputs['restore-key'], ports.mask);
  const limits = { maxOrders: inputs['max-orders'], maxAge: inputs['max-age'], timeout: inputs.timeout };
  const result = await restore(cluster, ports, { key, run, overrides, ...limits, dryRun });
  const { context, plan, applied, source, newOrders } = result;
  return {
    outputs: {
      generation: context.generation,
      name: source.name,
      stores: source.store,
      certificates: context.inventory.certificates,
      orders: dryRun ? plan.orders : newOrders.length,
      fingerprint: context.fingerprint,
      'expires-at': context.expiresAt,
    },
    details: {
      forecast: plan.certificates,
      objects: (dryRun ? plan.lines : applied).map(({ subject, action, reason }) => ({ subject, action, reason })),
      warnings: plan.warnings,
      brake: result.brake,
      takenOver: result.takenOver,
      verified: result.verified,
    },
    summary: restoreSummary(result, dryRun, now()),
  };
}

function allowedRules({ allow }: BackupInputs): RefusalRule[] {
  return refusalRules.filter((rule) => allow.some((word) => word === rule));
}
