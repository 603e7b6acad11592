import { resolve } from 'node:path';
import * as core from '@actions/core';
import { annotateFindings } from '../../shared/action/findings.js';
import { hide } from '../../shared/action/mask.js';
import { connectionOf, failureOf, type Opened, type Report, runOperation } from '../../shared/action/operation.js';
import { messageOf } from '../../shared/errors.js';
import { changesOf, commitOf } from '../../shared/platform/source-commit.js';
import { newRolloutRecord } from '../../shared/rollout/record.js';
import { type RolloutPorts, rollOut } from '../../shared/rollout/rollout.js';
import { deploymentFor } from './deployment.js';
import { openImageSource } from './image-source.js';
import { operationsOf, type RolloutInputs, readRolloutInputs, states } from './inputs.js';
import { optionsOf, readManifest } from './options.js';
import { outputsOf, rolloutSummary } from './report.js';

/** The entry of action-rollout. */
export async function rolloutAction(version: string): Promise<void> {
  await runOperation(
    {
      title: 'action-rollout',
      version,
      stage: 'rollout',
      read: readRolloutInputs,
      secrets: (inputs) => [inputs.kubeconfig, inputs['github-token'], ...Object.values(inputs['build-args'])],
      destructive: ({ operation }) => (operation === 'plan' ? undefined : 'rollout'),
      connection: (inputs) => inputs,
      permissions: (inputs) => ({ names: operationsOf(inputs) }),
    },
    operate,
  );
}

async function operate(opened: Opened<RolloutInputs>): Promise<Report> {
  const { inputs, target, signal, progress, warn, env } = opened;
  const { cluster } = connectionOf(opened);
  const isPlan = inputs.operation === 'plan';
  const isBlind = inputs['without-secrets'];
  const source = resolve(inputs.source);
  const commit = await commitOf(source);
  const sourceChanges = await changesOf(source, commit);
  const options = optionsOf(opened);
  const { reach } = options;
  const ports: RolloutPorts = {
    progress,
    warn,
    signal,
    mask: opened.mask,
    hide,
    readSource: (path) => readManifest(source, path),
    imageSource: async (seen) =>
      openImageSource({ cluster, inputs, target, source, commit, sourceChanges, seen, signal, reach, progress, env }),
    onFirstWrite: () => core.saveState(states.written, 'yes'),
  };
  const record = newRolloutRecord();
  const deployment = isPlan ? undefined : await deploymentFor(opened);
  const failure = await failureOf(async () => {
    await rollOut(cluster, ports, options, record);
    if (isPlan && record.plan !== undefined)
      record.plan = { ...record.plan, digest: opened.spelled(record.plan.digest) };
  });
  record.writes = cluster.writes;
  annotateFindings(record.findings);
  const { operation } = inputs;
  return {
    ...outputsOf(record, { operation, platform: target.hosts.platform, failure, isBlind }),
    summary: rolloutSummary(record, { domain: target.domain, isPlan, failure, isBlind }),
    failure,
    async afterwards() {
      const isSettled = failure === undefined || record.rolledBack === undefined || record.isRollbackVerified;
      if (isSettled) core.saveState(states.ended, 'yes');
      await deployment?.tell(
        failure === undefined ? 'success' : 'failure',
        failure === undefined
          ? `${record.plan?.changes.length ?? 0} changes`
          : `${messageOf(failure.error)}${record.rolledBack === undefined ? '' : '; rolled back'}`,
      );
    },
  };
}
