import { createPublicKey, type KeyObject } from 'node:crypto';
import { overridesOf } from '../../shared/action/choice.js';
import { openConnection } from '../../shared/action/connection.js';
import { diagnoseFailure } from '../../shared/action/diagnosis.js';
import { runContext, warnOfBranch } from '../../shared/action/github.js';
import { readInputs } from '../../shared/action/inputs.js';
import { log, setOutputs } from '../../shared/action/log.js';
import { mask } from '../../shared/action/mask.js';
import { planSpelling } from '../../shared/action/plan-output.js';
import { readTarget } from '../../shared/action/profile.js';
import { runAction, withDeadline } from '../../shared/action/run.js';
import { openStores } from '../../shared/action/stores.js';
import { fetchBackup } from '../../shared/backup/fetch.js';
import { type RestoreKey, readBackupKey, readRestoreKey } from '../../shared/backup/keys.js';
import type { Ports, RunContext } from '../../shared/backup/ports.js';
import { restore } from '../../shared/backup/restore.js';
import { directoryStore } from '../../shared/backup/stores/directory-store.js';
import { survey } from '../../shared/backup/survey.js';
import { verifyBackups } from '../../shared/backup/verify.js';
import type { Cluster } from '../../shared/cluster/cluster.js';
import { McprtError } from '../../shared/errors.js';
import { guarded, requirePermissions } from '../../shared/permissions/guard.js';
import { wipe } from '../../shared/wipe/wipe.js';
import { backupReport } from './backing-up.js';
import { type BackupInputs, inputTypes } from './inputs.js';
import { listingReport } from './listing.js';
import { outputsOf, type Report } from './outputs.js';
import { fetchSummary, restoreSummary, verifySummary } from './report.js';
import { underWatch, type Watch } from './watch.js';
import { wipeReport } from './wipe-report.js';

/** Version of the output `result`; it changes when a field changes its meaning or goes. */
const resultSchema = 'mcprt.result/1';

/** The entry of action-backup. */
export async function backupAction(version: string): Promise<void> {
  await runAction('action-backup', async (signal) => {
    const inputs = readInputs(inputTypes);
    const spelled = planSpelling(
      [inputs.kubeconfig, inputs['backup-key'], inputs['restore-key'], inputs['github-token']],
      process.env,
    );
    const { operation } = inputs;
    requireNoPlan(inputs);
    const changes = (operation === 'restore' || operation === 'wipe') && !inputs['dry-run'];
    const destructive = changes ? { destructive: operation } : {};
    const target = await readTarget(inputs, { stage: 'backup', env: process.env, mask, ...destructive });
    const within = withDeadline(signal, inputs.timeout);
    const warned: string[] = [];
    const warn = (line: string): void => {
      warned.push(line);
      log.warning(line);
    };
    const ports: Ports = {
      stores: openStores(inputs, process.env, within),
      progress: log.info,
      warn,
      signal: within,
      mask,
    };
    if (operation === 'backup' || operation === 'wipe') warnOfBranch(process.env, warn);
    const run = runContext(process.env, target.domain, `mcprt ${version}`);
    if (operation === 'fetch' || operation === 'list') {
      await tell(operation, await (operation === 'fetch' ? fetchReport : listReport)(ports, inputs, run), warned);
      return;
    }
    const work = async (): Promise<Report> => {
      const { cluster } = await openConnection(inputs, { env: process.env, mask, profile: target.kubeconfig });
      try {
        const dryRun = inputs['dry-run'] || operation === 'plan';
        const allowed = requirePermissions(cluster, {
          names: [operation === 'restore' && dryRun ? 'plan' : operation],
          dryRun,
          warn: log.warning,
        });
        return await operate(guarded(cluster, allowed), ports, inputs, { run, spelled });
      } catch (error) {
        await diagnoseFailure(error, cluster, target, mask);
        throw error;
      } finally {
        await cluster.close();
      }
    };
    const isWatched = operation === 'verify' && inputs.issue && !inputs['dry-run'];
    const report = isWatched ? await underWatch(work, watchOf(inputs, run, ports, process.env)) : await work();
    await tell(operation, report, warned);
  });
}

function watchOf(
  inputs: BackupInputs,
  { domain, repository, runId }: RunContext,
  { progress, warn }: Ports,
  env: NodeJS.ProcessEnv,
): Watch {
  return {
    api: { apiUrl: env.GITHUB_API_URL || 'https://api.github.com', token: inputs['github-token'], repository },
    domain,
    maxAge: inputs['max-age'],
    runUrl: `${env.GITHUB_SERVER_URL || 'https://github.com'}/${repository}/actions/runs/${runId}`,
    progress,
    warn,
  };
}

/** @param warned what was told on the way: whoever approves a plan looks at its summary, and not at the log */
async function tell(
  operation: string,
  { outputs, details, summary }: Report,
  warned: readonly string[],
): Promise<void> {
  setOutputs(outputs);
  setOutputs({ result: JSON.stringify({ schema: resultSchema, operation, ...outputs, ...details }) });
  if (warned.length > 0) summary.line('⚠️ **Told on the way**').list(warned);
  await summary.write();
}

/** Copies a backup without a cluster: whoever keeps copies, or drills, need not reach the production cluster. */
async function fetchReport(ports: Ports, inputs: BackupInputs, run: RunContext): Promise<Report> {
  if (inputs.directory === '' || inputs.stores.includes('directory')) {
    throw new McprtError('input-invalid', {
      what: 'a fetch needs a folder that is not one of its stores',
      why: `\`directory\` is ${inputs.directory === '' ? 'empty' : 'the target, and `stores` names it as a source'}`,
      next: 'give the folder for the copy in `directory`, and the sources in `stores`: cache, artifact',
    });
  }
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
async function listReport(ports: Ports, inputs: BackupInputs, run: RunContext): Promise<Report> {
  const trusted = trustedBy(inputs, ports.mask);
  const found = await survey(ports, { ...trusted, run });
  return listingReport(found, { run, hasKey: 'key' in trusted, now: new Date() });
}

/** The signers that a job trusts, by the key that it was given; a restore key reads backups too. */
function trustedBy(inputs: BackupInputs, mask: (secret: string) => void): { signers: KeyObject[]; key?: RestoreKey } {
  if (inputs['restore-key'] === '') {
    return { signers: [createPublicKey(readBackupKey(inputs['backup-key'], mask).signer)] };
  }
  const key = readRestoreKey(inputs['restore-key'], mask);
  return { signers: key.signers, key };
}

/** Who gives a plan to an operation that has none would think that it was held to it. */
function requireNoPlan({ operation, 'expect-plan': expected }: BackupInputs): void {
  if (expected === '' || operation === 'restore' || operation === 'plan') return;
  throw new McprtError('input-invalid', {
    what: `\`expect-plan\` is given, and \`operation: ${operation}\` has no plan`,
    why: 'only a restore is bound to a plan; a wipe is bound to its domain and to the fingerprint of the cluster',
    next: 'leave `expect-plan` out',
  });
}

async function operate(
  cluster: Cluster,
  ports: Ports,
  inputs: BackupInputs,
  { run, spelled }: { run: RunContext; spelled: (digest: string) => string },
): Promise<Report> {
  const now = (): Date => cluster.serverTime() ?? new Date();
  const overrides = overridesOf(inputs);
  const dryRun = inputs['dry-run'] || inputs.operation === 'plan';
  if (inputs.operation === 'backup') {
    const key = readBackupKey(inputs['backup-key'], ports.mask);
    const options = { key, run, allow: inputs.allow.rules, dryRun };
    return backupReport(cluster, ports, options, inputs, now);
  }
  if (inputs.operation === 'verify') {
    const trusted = trustedBy(inputs, ports.mask);
    const result = await verifyBackups(cluster, ports, { ...trusted, run, overrides, maxAge: inputs['max-age'] });
    const { context, name, stores, decrypted } = result;
    return {
      outputs: { ...outputsOf(context), name, stores: stores.join(',') },
      details: { decrypted },
      summary: verifySummary(result, now()),
    };
  }
  if (inputs.operation === 'wipe') {
    const key = readBackupKey(inputs['backup-key'], ports.mask);
    const { confirm, scope, also, cluster: expected, timeout } = inputs;
    const choice = { confirm, scope, also, cluster: expected, timeout };
    const result = await wipe(cluster, ports, { key, run, allow: inputs.allow.rules, ...choice, dryRun });
    return wipeReport(result, dryRun);
  }
  const key = readRestoreKey(inputs['restore-key'], ports.mask);
  const limits = { maxOrders: inputs['max-orders'], maxAge: inputs['max-age'], timeout: inputs.timeout };
  const expectPlan = inputs['expect-plan'];
  const found = await restore(cluster, ports, { key, run, overrides, ...limits, expectPlan, dryRun });
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
    summary: restoreSummary(result, dryRun, now()),
  };
}
