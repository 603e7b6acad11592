import { githubOf, warnOfBranch } from '../../shared/action/github.js';
import { readInputs } from '../../shared/action/inputs.js';
import { withCode } from '../../shared/action/markdown.js';
import { type Opened, type Report, runOperation } from '../../shared/action/operation.js';
import { noProfile } from '../../shared/action/profile.js';
import { openStores } from '../../shared/action/stores.js';
import { readBackupKey } from '../../shared/backup/keys.js';
import type { Ports } from '../../shared/backup/ports.js';
import type { Cluster } from '../../shared/cluster/cluster.js';
import { nowOf } from '../../shared/cluster/cluster.js';
import { McprtError } from '../../shared/errors.js';
import { rulesOf } from '../../shared/permissions/operations.js';
import { readsOf } from '../../shared/permissions/rule.js';
import { backupReport } from './backing-up.js';
import { type BackupInputs, inputTypes } from './inputs.js';
import { fetchReport, listReport, restoreReport, verifyReport } from './operations.js';
import { underWatch } from './watch.js';

/** The entry of action-backup. */
export async function backupAction(version: string): Promise<void> {
  await runOperation(
    {
      title: 'action-backup',
      version,
      stage: 'backup',
      read: () => requirePlatform(requireNoPlan(readInputs(inputTypes))),
      secrets: (inputs) => [inputs.kubeconfig, inputs['backup-key'], inputs['restore-key'], inputs['github-token']],
      destructive: ({ operation, 'dry-run': dryRun }) =>
        (operation === 'restore' || operation === 'wipe') && !dryRun ? operation : undefined,
      connection: (inputs) => (inputs.operation === 'fetch' || inputs.operation === 'list' ? undefined : inputs),
      permissions: (inputs) => {
        const { operation } = inputs;
        const name =
          operation === 'list' || operation === 'fetch' || (operation === 'restore' && isDry(inputs))
            ? 'plan'
            : operation;
        return { names: [name], ...(isDry(inputs) ? { rules: readsOf(rulesOf(name)) } : {}) };
      },
      diagnoses: true,
    },
    async (opened) => {
      const report = await operate(opened);
      const said = report.summary.text();
      const warned = opened.warned.filter((line) => !said.includes(withCode(line)));
      if (warned.length > 0) report.summary.line('⚠️ **Told on the way**').list(warned);
      return report;
    },
  );
}

function isDry({ operation, 'dry-run': dryRun }: BackupInputs): boolean {
  return dryRun || operation === 'plan';
}

async function operate(opened: Opened<BackupInputs>): Promise<Report> {
  const { inputs, connection, signal, run, env, progress, warn, mask } = opened;
  const { operation } = inputs;
  const ports: Ports = { stores: openStores(inputs, env, signal), progress, warn, signal, mask };
  if (operation === 'backup' || operation === 'wipe') warnOfBranch(env, warn);
  if (connection === undefined) return (operation === 'fetch' ? fetchReport : listReport)(ports, inputs, run);
  const work = (): Promise<Report> => onCluster(connection.cluster, ports, opened);
  if (operation !== 'verify' || !inputs.issue || inputs['dry-run']) return work();
  const api = githubOf(inputs['github-token'], env);
  return underWatch(work, { api, domain: run.domain, maxAge: inputs['max-age'], progress, warn });
}

async function onCluster(
  cluster: Cluster,
  ports: Ports,
  { inputs, run, spelled, target }: Pick<Opened<BackupInputs>, 'inputs' | 'run' | 'spelled' | 'target'>,
): Promise<Report> {
  const dryRun = isDry(inputs);
  const allow = inputs.allow.rules;
  if (inputs.operation === 'verify') return verifyReport(cluster, ports, inputs, run);
  if (inputs.operation === 'backup') {
    const key = readBackupKey(inputs['backup-key'], ports.mask);
    const own = target.isPlatform ? {} : { isOurs: () => true };
    return backupReport(cluster, ports, { key, run, allow, dryRun, ...own }, inputs, () => nowOf(cluster));
  }
  if (inputs.operation === 'wipe') {
    const key = readBackupKey(inputs['backup-key'], ports.mask);
    const { confirm, scope, also, cluster: expected, timeout } = inputs;
    const choice = { confirm, scope, also, cluster: expected, timeout };
    // Few runs wipe: what only they need is loaded when it is asked for.
    const [{ wipe }, { wipeReport }] = await Promise.all([
      import('../../shared/wipe/wipe.js'),
      import('./wipe-report.js'),
    ]);
    return wipeReport(await wipe(cluster, ports, { key, run, allow, ...choice, dryRun }), dryRun);
  }
  return restoreReport(cluster, { ports, inputs, run, spelled, dryRun });
}

/** What a wipe takes is MCP Runtime's, by its names and labels. */
function requirePlatform(inputs: BackupInputs): BackupInputs {
  if (inputs.operation !== 'wipe' || inputs.profile !== noProfile) return inputs;
  throw new McprtError('input-invalid', {
    what: '`operation: wipe` is for MCP Runtime, and `profile: none` says that it is not there',
    why: 'what else is on a cluster is not for an action to take away',
    next: 'delete what is to go yourself, after a `backup` and a `verify`; `operation: restore` brings the certificates back',
  });
}

/** Who gives a plan to an operation that has none would think that it was held to it. */
function requireNoPlan(inputs: BackupInputs): BackupInputs {
  const { operation, 'expect-plan': expected } = inputs;
  if (expected === '' || operation === 'restore' || operation === 'plan') return inputs;
  throw new McprtError('input-invalid', {
    what: `\`expect-plan\` is given, and \`operation: ${operation}\` has no plan`,
    why: 'only a restore is bound to a plan; a wipe is bound to its domain and to the fingerprint of the cluster',
    next: 'leave `expect-plan` out',
  });
}
