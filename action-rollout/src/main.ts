import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import * as core from '@actions/core';
import { openConnection } from '../../shared/action/connection.js';
import { beginDeployment, type Deployment, deployedCommit } from '../../shared/action/deployment.js';
import { annotateFindings } from '../../shared/action/findings.js';
import { runContext } from '../../shared/action/github.js';
import { readInputs } from '../../shared/action/inputs.js';
import { log, setOutputs } from '../../shared/action/log.js';
import { hide, mask } from '../../shared/action/mask.js';
import { planSpelling } from '../../shared/action/plan-output.js';
import { readTarget, type Target } from '../../shared/action/profile.js';
import { runAction, SummedUp, withDeadline } from '../../shared/action/run.js';
import { McprtError, messageOf } from '../../shared/errors.js';
import { guarded, requirePermissions } from '../../shared/permissions/guard.js';
import type { OperationName } from '../../shared/permissions/operations.js';
import { changesOf, commitOf } from '../../shared/platform/source-commit.js';
import { newRecord, type RolloutRecord } from '../../shared/rollout/record.js';
import { type RolloutOptions, type RolloutPorts, rollOut } from '../../shared/rollout/rollout.js';
import { openImageSource } from './image-source.js';
import { inputTypes, type RolloutInputs, states } from './inputs.js';
import { outputsOf, rolloutSummary } from './report.js';

/** The entry of action-rollout. */
export async function rolloutAction(version: string): Promise<void> {
  await runAction('action-rollout', async (signal) => {
    const inputs = readInputs(inputTypes);
    const isPlan = inputs.operation === 'plan';
    if (inputs['without-secrets'] && !isPlan) throw refuseBlind();
    for (const secret of Object.values(inputs['build-args'])) mask(secret);
    const given = [inputs.kubeconfig, inputs['github-token'], ...Object.values(inputs['build-args'])];
    const spelled = planSpelling(given, process.env);
    const target = await readTarget(inputs, {
      stage: 'rollout',
      env: process.env,
      mask,
      ...(isPlan ? {} : { destructive: 'rollout' }),
    });
    const { cluster: opened } = await openConnection(inputs, { env: process.env, mask, profile: target.kubeconfig });
    const allowed = requirePermissions(opened, {
      names: operationsOf(inputs),
      dryRun: false,
      warn: log.warning,
    });
    const cluster = guarded(opened, allowed);
    try {
      const limited = withDeadline(signal, inputs.timeout);
      const source = resolve(inputs.source);
      const commit = await commitOf(source);
      const sourceChanges = await changesOf(source, commit);
      const options = optionsOf(inputs, target, version);
      const progress = log.info;
      const ports: RolloutPorts = {
        progress,
        warn: log.warning,
        signal: limited,
        mask,
        hide,
        readSource: (path) => readManifest(source, path),
        imageSource: async (seen) =>
          openImageSource({
            cluster,
            inputs,
            target,
            source,
            commit,
            sourceChanges,
            seen,
            signal: limited,
            reach: options.reach,
            progress,
            env: process.env,
          }),
        onFirstWrite: () => core.saveState(states.written, 'yes'),
      };
      const record = newRecord();
      const deployment = isPlan ? undefined : await deploymentFor(inputs, target);
      const failure = await rollOut(cluster, ports, options, record)
        .then(() => {
          if (isPlan && record.plan !== undefined) {
            record.plan = { ...record.plan, digest: spelled(record.plan.digest) };
          }
        })
        .then(
          () => undefined,
          (error: unknown) => ({ error }),
        );
      record.writes = cluster.writes;
      await report(record, { inputs, target, failure, deployment });
      if (failure !== undefined) throw new SummedUp(failure.error);
    } finally {
      await cluster.close();
    }
  });
}

function refuseBlind(): McprtError {
  return new McprtError('input-invalid', {
    what: 'a rollout needs the platform’s Secrets',
    why: '`without-secrets` is for `operation: plan`, as of a pull request',
    next: 'leave `without-secrets` out, or plan only',
  });
}

/** The operation, and what its inputs need on top. */
function operationsOf({
  operation,
  permissions,
  'registry-access': access,
  'without-secrets': blind,
}: RolloutInputs): [OperationName, ...OperationName[]] {
  return [
    operation === 'rollout' ? operation : blind ? 'rollout-pull-request' : 'rollout-plan',
    ...(access === 'port-forward' && !blind ? (['rollout-port-forward'] as const) : []),
    ...(permissions.length > 0 ? (['rollout-permissions'] as const) : []),
  ];
}

async function report(
  record: RolloutRecord,
  {
    inputs,
    target,
    failure,
    deployment,
  }: {
    inputs: RolloutInputs;
    target: Target;
    failure: { error: unknown } | undefined;
    deployment: Deployment | undefined;
  },
): Promise<void> {
  const isPlan = inputs.operation === 'plan';
  annotateFindings(record.findings);
  const isBlind = inputs['without-secrets'];
  const outputs = outputsOf(record, { operation: inputs.operation, platform: target.hosts.platform, failure, isBlind });
  setOutputs(outputs);
  await rolloutSummary(record, { domain: target.domain, isPlan, failure, isBlind }).write();
  const isSettled = failure === undefined || record.rolledBack === undefined || record.isRollbackVerified;
  if (isSettled) core.saveState(states.ended, 'yes');
  await deployment?.tell(
    failure === undefined ? 'success' : 'failure',
    failure === undefined
      ? `${record.plan?.changes.length ?? 0} changes`
      : `${messageOf(failure.error)}${record.rolledBack === undefined ? '' : '; rolled back'}`,
  );
}

async function deploymentFor(inputs: RolloutInputs, { hosts, domain }: Target): Promise<Deployment | undefined> {
  if (inputs.environment === '') return undefined;
  const { env } = process;
  const event: unknown = env.GITHUB_EVENT_PATH
    ? JSON.parse(await readFile(env.GITHUB_EVENT_PATH, 'utf8').catch(() => '{}'))
    : {};
  const repository = env.GITHUB_REPOSITORY ?? '';
  return beginDeployment(
    {
      apiUrl: env.GITHUB_API_URL || 'https://api.github.com',
      token: inputs['github-token'],
      repository,
      sha: deployedCommit(event, env.GITHUB_SHA ?? ''),
      environment: inputs.environment,
      description: `Rollout of ${domain}`,
      logUrl: `${env.GITHUB_SERVER_URL || 'https://github.com'}/${repository}/actions/runs/${env.GITHUB_RUN_ID ?? ''}`,
      url: `https://${hosts.platform}`,
    },
    log.warning,
  );
}

async function readManifest(source: string, path: string): Promise<string> {
  return readFile(join(source, path), 'utf8').catch((cause: unknown) => {
    throw new McprtError('rollout-manifest', {
      what: `${path} cannot be read`,
      why: messageOf(cause),
      next: 'correct `permissions`: paths below `source`, or `auto` for those of the layout',
      cause,
    });
  });
}

function optionsOf(inputs: RolloutInputs, { hosts, domain, values }: Target, version: string): RolloutOptions {
  return {
    run: runContext(process.env, domain, `mcprt ${version}`),
    hosts,
    profile: values,
    layout: inputs.layout,
    targets: inputs.targets,
    images: inputs.images,
    permissions: inputs.permissions,
    policies: inputs.policies,
    expectedPlan: inputs['expect-plan'],
    rollback: inputs.rollback,
    overReconcilers: inputs.allow.includes('reconciler'),
    reach: { overrides: inputs.resolve, dnsServer: inputs['dns-server'], caBundle: inputs['ca-bundle'] },
    rolloutTimeout: inputs['rollout-timeout'],
    timeout: inputs.timeout,
    withoutSecrets: inputs['without-secrets'],
    dryRun: inputs.operation === 'plan',
  };
}
