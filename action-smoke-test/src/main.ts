import * as core from '@actions/core';
import { hide } from '../../shared/action/mask.js';
import { failureOf, type Opened, type Report, runOperation } from '../../shared/action/operation.js';
import { reachOf } from '../../shared/action/reach.js';
import type { MetadataError, ServerMetadata } from '../../shared/platform/servers-file.js';
import { openWeb } from '../../shared/platform/web.js';
import { given } from '../../shared/profile/values.js';
import type { SmokeContext } from '../../shared/smoke/context.js';
import { Made } from '../../shared/smoke/made.js';
import { told } from './ending.js';
import { imageMaker } from './image.js';
import { readSmokeInputs, type SmokeInputs, states } from './inputs.js';
import { readMetadata } from './metadata.js';
import { door, permissionsOf, platformOf } from './platform.js';
import { newReport } from './report.js';
import { madeRunId } from './run.js';
import { runSuites } from './suites.js';

/** The entry of action-smoke-test. */
export async function smokeTestAction(version: string): Promise<void> {
  const title = 'action-smoke-test';
  await runOperation({ ...door, title, version, read: readSmokeInputs, permissions: permissionsOf }, operate);
}

async function operate(opened: Opened<SmokeInputs>): Promise<Report> {
  const { inputs, target, signal, progress, mask, env } = opened;
  const { domain, hosts } = target;
  const cluster = opened.connection?.cluster;
  // What a tenant can do is seen without any way into the cluster.
  for (const name of Object.keys(env)) if (/KUBECONFIG|^KUBERNETES_SERVICE_/.test(name)) delete env[name];
  const reach = reachOf(inputs, env);
  const web = openWeb(reach);
  const run = inputs['run-id'] || madeRunId(env);
  const maker = imageMaker({
    archive: inputs['image-archive'],
    source: inputs.source,
    dockerfile: inputs.dockerfile,
    platform: inputs['image-platform'] || (given(target.values, 'MCP_IMAGE_PLATFORM') ?? 'linux/amd64'),
    run,
    signal,
    progress,
    env,
  });
  const metadataErrors: MetadataError[] = [];
  const context: SmokeContext = {
    record: [],
    web,
    hosts,
    identity: { teamPrefix: inputs['team-prefix'], domain, password: inputs['user-password'] },
    platform: platformOf(hosts, inputs, cluster, { web, signal, mask, progress }),
    image: () => maker.image(),
    run,
    pushLimit: inputs['push-limit'],
    waits: { deploy: inputs['deploy-timeout'], propagation: inputs['propagation-timeout'] },
    made: new Made((things) => core.saveState(states.made, JSON.stringify(things))),
    keep: inputs.keep || inputs.operation === 'preview',
    cluster,
    progress,
    hide,
    signal,
  };
  const report = newReport(inputs, { domain, run, checks: context.record, isKept: context.keep });
  const metadata = (isForeign: boolean): Promise<ServerMetadata> => readMetadata(inputs, isForeign, metadataErrors);
  try {
    const failure = await failureOf(async () => {
      // Nothing is made on the platform that could not be looked at.
      await opened.connection?.allowed;
      await runSuites({ inputs, context, report, metadata }, reach);
    });
    // What is to stay is not for the post step to remove.
    if (context.keep) context.made.drop(() => true);
    return told(report, { inputs, failure, metadataErrors, env });
  } finally {
    web.close();
    await maker.close();
  }
}
