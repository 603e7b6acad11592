import { randomBytes } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import * as core from '@actions/core';
import { readInputs } from '../../shared/action/inputs.js';
import { log, setOutputs } from '../../shared/action/log.js';
import { hide, mask } from '../../shared/action/mask.js';
import { readTarget } from '../../shared/action/profile.js';
import { runAction, SummedUp, withDeadline } from '../../shared/action/run.js';
import { McprtError, messageOf } from '../../shared/errors.js';
import { MetadataError, readServersFile, type ServerMetadata } from '../../shared/platform/servers-file.js';
import { openWeb } from '../../shared/platform/web.js';
import { given } from '../../shared/profile/values.js';
import type { SmokeContext } from '../../shared/smoke/context.js';
import { healthSuite } from '../../shared/smoke/health.js';
import { Made } from '../../shared/smoke/made.js';
import { multitenancySuite } from '../../shared/smoke/multitenancy.js';
import { tenantSuite } from '../../shared/smoke/tenant.js';
import { cleanUpLeftovers } from './cleanup.js';
import { imageMaker } from './image.js';
import { inputTypes, type SmokeInputs, states } from './inputs.js';
import { clusterOf, platformOf, requireCluster, serialsOf } from './platform.js';
import { runPreview } from './preview.js';
import { annotateChecks, outputsOf, type SmokeReport, smokeSummary, writeJunit } from './report.js';
import { callOf, requirePassword, type SmokeRun } from './run.js';

/** The entry of action-smoke-test. */
export async function smokeTestAction(): Promise<void> {
  await runAction('action-smoke-test', async (signal) => {
    const inputs = readInputs(inputTypes);
    if (inputs.operation === 'test') requireInputs(inputs);
    const target = await readTarget(inputs, { stage: 'smoke-test', env: process.env, mask });
    const cluster = await clusterOf(inputs, mask);
    // What a tenant can do is seen without any way into the cluster.
    for (const name of Object.keys(process.env)) {
      if (/KUBECONFIG|^KUBERNETES_SERVICE_/.test(name)) delete process.env[name];
    }
    const limited = withDeadline(signal, inputs.timeout);
    const reach = { overrides: inputs.resolve, dnsServer: inputs['dns-server'], caBundle: inputs['ca-bundle'] };
    const web = openWeb(reach);
    const progress = log.info;
    const run = inputs['run-id'] || madeRunId(process.env);
    const maker = imageMaker({
      archive: inputs['image-archive'],
      source: inputs.source,
      dockerfile: inputs.dockerfile,
      platform: inputs['image-platform'] || (given(target.values, 'MCP_IMAGE_PLATFORM') ?? 'linux/amd64'),
      run,
      signal: limited,
      progress,
      env: process.env,
    });
    const ports = { web, signal: limited, mask, progress };
    const metadataErrors: MetadataError[] = [];
    const context: SmokeContext = {
      record: [],
      web,
      hosts: target.hosts,
      identity: { teamPrefix: inputs['team-prefix'], domain: target.domain, password: inputs['user-password'] },
      platform: platformOf(target.hosts, inputs, cluster, ports),
      image: () => maker.image(),
      run,
      pushLimit: inputs['push-limit'],
      waits: { deploy: inputs['deploy-timeout'], propagation: inputs['propagation-timeout'] },
      made: new Made((things) => core.saveState(states.made, JSON.stringify(things))),
      keep: inputs.keep || inputs.operation === 'preview',
      cluster,
      progress,
      hide,
      signal: limited,
    };
    const report: SmokeReport = {
      operation: inputs.operation,
      domain: target.domain,
      run,
      checks: context.record,
      names: [],
      cleanup: undefined,
      removed: 0,
      left: [],
      isDryRun: inputs['dry-run'],
      server: '',
      url: '',
      junit: '',
      at: new Date(),
      seconds: 0,
      isKept: context.keep,
    };
    const smoke: SmokeRun = {
      inputs,
      context,
      report,
      metadata: (isForeign) => readMetadata(inputs, isForeign, metadataErrors),
    };
    try {
      const failure = await operate(smoke, reach).then(
        () => undefined,
        (error: unknown) => ({ error }),
      );
      // What is to stay is not for the post step to remove.
      if (context.keep) context.made.drop(() => true);
      await tell(smoke, metadataErrors);
      if (failure !== undefined) throw context.record.length === 0 ? failure.error : new SummedUp(failure.error);
      requirePassed(report);
    } finally {
      web.close();
      await Promise.all([maker.close(), cluster?.close()]);
    }
  });
}

async function operate(smoke: SmokeRun, reach: Parameters<typeof healthSuite>[1]['reach']): Promise<void> {
  const { inputs, context, report } = smoke;
  if (context.cluster !== undefined) await requireCluster(context.cluster, inputs);
  if (inputs.operation === 'cleanup') {
    await cleanUpLeftovers(smoke);
    return;
  }
  if (inputs.operation === 'preview') {
    await runPreview(smoke);
    return;
  }
  if (inputs.suite.includes('health')) {
    report.names = await healthSuite(
      context.record,
      {
        hosts: context.hosts,
        reach,
        web: context.web,
        minDays: inputs['min-days'],
        serials: await serialsOf(context.cluster, context.hosts),
        now: new Date(),
      },
      context,
    );
  }
  if (inputs.suite.includes('tenant')) {
    const published = await tenantSuite(context, {
      suite: 'tenant',
      metadata: () => smoke.metadata(false),
      nameOf: () => `smoke-${context.run}-tenant`,
      call: callOf(inputs),
      replaces: false,
    });
    Object.assign(report, published);
  }
  if (inputs.suite.includes('multitenancy')) {
    await multitenancySuite(context, { skipSetup: inputs['skip-setup'], env: process.env });
  }
}

/** @throws McprtError `smoke-no-suite`, `smoke-no-password`, `smoke-no-run` */
function requireInputs(inputs: SmokeInputs): void {
  if (inputs.suite.length === 0) {
    throw new McprtError('smoke-no-suite', {
      what: 'nothing is to be tested',
      why: '`suite` is empty',
      next: 'give `suite`: health, tenant, multitenancy',
    });
  }
  if (inputs.suite.some((suite) => suite !== 'health')) requirePassword(inputs);
  if (inputs['skip-setup'] && inputs['run-id'] === '') {
    throw new McprtError('smoke-no-run', {
      what: 'it is not known whose servers and grants to take',
      why: '`skip-setup` is set, and `run-id` is empty',
      next: 'run it once with `keep: true`, and give its output `run-id`',
    });
  }
}

async function tell({ inputs, context, report }: SmokeRun, metadataErrors: readonly MetadataError[]): Promise<void> {
  if (context.record.length > 0) {
    const name = `mcprt-smoke-test-${context.run}.xml`;
    report.junit = inputs.junit || join(process.env.RUNNER_TEMP || '/tmp', name);
  }
  report.seconds = Math.round(Date.now() - report.at.getTime()) / 1000;
  annotateChecks(context.record, metadataErrors);
  setOutputs(outputsOf(report));
  await smokeSummary(report).write();
  if (report.junit !== '') await writeJunit(report);
}

/** Ends the step as failed. What failed has its annotation and its line in the summary. */
function requirePassed({ checks, left }: SmokeReport): void {
  const failed = checks.filter(({ status }) => status === 'failed').length;
  if (failed === 0 && left.length === 0) return;
  process.exitCode = 1;
  log.info(failed > 0 ? `${failed} of ${checks.length} checks failed` : `${left.length} things are left`);
}

async function readMetadata(inputs: SmokeInputs, isForeign: boolean, errors: MetadataError[]): Promise<ServerMetadata> {
  const file = inputs.metadata || join(inputs.source, '.mcp', 'servers.yaml');
  const text = await textAtMost(file, longestMetadata).catch((cause: unknown) => {
    throw new McprtError('smoke-metadata', {
      what: `${file} cannot be read`,
      why: messageOf(cause),
      next: 'correct `source` or `metadata`; `mcp-runtime server init` makes the file',
      cause,
    });
  });
  try {
    return readServersFile(text, { file, wanted: inputs.server, isForeign });
  } catch (error) {
    if (error instanceof MetadataError) errors.push(error);
    throw error;
  }
}

/** A larger file is refused by its beginning. In bytes. */
const longestMetadata = 2 * 1024 * 1024;

/** The beginning of a file. A pipe or a device has no size that could be asked for, and no end. */
async function textAtMost(file: string, most: number): Promise<string> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read({ buffer: Buffer.alloc(most), length: most, position: 0 });
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** Short, unlike that of any other run, and of what a name on the platform may have. */
function madeRunId(env: NodeJS.ProcessEnv): string {
  const run = BigInt(/^\d{1,18}$/.test(env.GITHUB_RUN_ID ?? '') ? (env.GITHUB_RUN_ID ?? '0') : '0').toString(36);
  return `${run}-${env.GITHUB_RUN_ATTEMPT || '1'}-${randomBytes(2).toString('hex')}`;
}
