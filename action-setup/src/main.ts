import { tmpdir } from 'node:os';
import * as core from '@actions/core';
import { annotateFindings } from '../../shared/action/findings.js';
import { proxiesOf } from '../../shared/action/github.js';
import { foldedLog } from '../../shared/action/log.js';
import { connectionOf, failureOf, type Opened, type Report, runOperation } from '../../shared/action/operation.js';
import { openStores } from '../../shared/action/stores.js';
import { nowOf } from '../../shared/cluster/cluster.js';
import { messageOf } from '../../shared/errors.js';
import { observeRules } from '../../shared/permissions/backup-rules.js';
import { beginRules } from '../../shared/permissions/setup-rules.js';
import { newSetupRecord, type SetupPorts } from '../../shared/setup/options.js';
import { requireParts } from '../../shared/setup/prepare.js';
import { closeRegistry } from '../../shared/setup/registry-push-proxy.js';
import { releaseNamespace } from '../../shared/setup/release-namespace.js';
import { setUp } from '../../shared/setup/setup.js';
import { check } from './check.js';
import { kubeconfigState, readSetupInputs, type SetupInputs, startedState } from './inputs.js';
import { optionsOf } from './options.js';
import { outputsOf, setupSummary } from './report.js';

/** The entry of action-setup. */
export async function setupAction(version: string): Promise<void> {
  await runOperation(
    {
      title: 'action-setup',
      version,
      stage: 'setup',
      read: readSetupInputs,
      secrets: (inputs) => [inputs.kubeconfig, inputs['restore-key'], inputs['github-token']],
      destructive: (inputs) => (isChange(inputs) ? 'setup' : undefined),
      connection: (inputs) => inputs,
      permissions: (inputs) => ({
        names: [isChange(inputs) || inputs.operation === 'check' ? inputs.operation : 'setup-plan'],
        // What is given up first cannot be had back: then everything must be allowed before.
        ...(releases(inputs) ? {} : { essential: inputs.operation === 'install' ? beginRules : observeRules }),
      }),
    },
    (opened) => (opened.inputs.operation === 'check' ? check(opened) : install(opened)),
  );
}

function isChange({ operation, 'dry-run': dryRun }: SetupInputs): boolean {
  return operation === 'install' && !dryRun;
}

function releases({ 'release-namespace': namespace, 'dry-run': dryRun }: SetupInputs): boolean {
  return namespace !== '' && !dryRun;
}

async function install(opened: Opened<SetupInputs>): Promise<Report> {
  const { inputs, target, signal, env, progress, warn, mask } = opened;
  const { cluster, credentials } = connectionOf(opened);
  const dryRun = inputs['dry-run'];
  const ports: SetupPorts = {
    stores: openStores({ ...inputs, 'retention-days': 0, 's3-lock-days': 0 }, env, signal),
    progress,
    warn,
    signal,
    mask,
    log: foldedLog(),
    env,
    proxies: proxiesOf(env),
    folder: env.RUNNER_TEMP || tmpdir(),
    onInstaller: () => core.saveState(startedState, 'yes'),
    onKubeconfig: (folder) => core.saveState(kubeconfigState, folder),
  };
  const record = newSetupRecord();
  const options = optionsOf(opened);
  const failure = await failureOf(async () => {
    if (releases(inputs)) {
      await requireParts(ports, options);
      await releaseNamespace(cluster, inputs['release-namespace'], ports);
    }
    await setUp(cluster, credentials, ports, options, record);
    if (dryRun && record.plan !== undefined) record.plan = opened.spelled(record.plan);
  });
  // The runner gives a cancelled job seconds: the registry is closed first, and the post step looks again.
  if (failure !== undefined && record.installerBegun) {
    await closeRegistry(cluster).catch((cause: unknown) =>
      warn(`the registry may ask for no password; the post step tries again: ${messageOf(cause)}`),
    );
  }
  annotateFindings(record.findings);
  const now = nowOf(cluster);
  return {
    ...outputsOf(record, dryRun),
    summary: setupSummary(record, { domain: target.domain, dryRun, now, error: failure?.error }),
    failure,
  };
}
