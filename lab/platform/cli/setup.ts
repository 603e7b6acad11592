import { readFile } from 'node:fs/promises';
import { parseEnv } from 'node:util';
import { kinds } from '../../../shared/cluster/objects.js';
import { messageOf } from '../../../shared/errors.js';
import { namespaceOf } from '../resources.js';
import { type Client, earlyKubeconfig, lateKubeconfig, openClient, useContext } from './client.js';
import type { Console } from './console.js';
import { CliError } from './errors.js';
import { parseFlags } from './flags.js';
import { observe, preflightFindings, reportPreflight } from './preflight.js';
import type { Run } from './run.js';
import type { Settings } from './settings.js';
import { setupFlags } from './setup-flags.js';
import { readSetupOptions, type SetupOptions, waitNotice } from './setup-options.js';
import { clusterStep } from './step-cluster.js';
import { analyticsImages, imageTag, operatorImages } from './step-images.js';
import { operatorDeploy } from './step-operator.js';
import { disableRegistryAuth, enableRegistryAuth, registryStep } from './step-registry.js';
import { analyticsDeploy, verifyStep } from './step-sentinel.js';
import { tlsStep } from './step-tls.js';

export interface Surroundings {
  env: NodeJS.ProcessEnv;
  folder: string;
  settings: Settings;
  console: Console;
}

/**
 * The installer. Its first half looks at another kubeconfig than its second one where neither flag nor variable names
 * one, and signals end it wherever it is: both are the real one's faults.
 *
 * @throws CliError with the installer's words; UsageError for flags
 */
export async function setup(
  argv: readonly string[],
  { env: given, folder, settings, console }: Surroundings,
): Promise<void> {
  // Wrong flags end the command before it says anything.
  parseFlags(setupFlags, argv);
  console.title('MCP Runtime Setup');
  const env = await withEnvFile(argv, given);
  const options = readSetupOptions(argv, env, settings.floors);
  if (options.testMode) console.warning('test mode is on');
  await step('preflight', () => preflight(options, env, console));

  console.info(waitNotice(options));
  const kubeconfig = lateKubeconfig(options.kubeconfig, env);
  let client: Client | undefined;
  try {
    await step('cluster', async () => {
      console.section('Step 1: Initialize cluster');
      if (options.context !== '') await useContext(kubeconfig, options.context);
      client = await openClient(kubeconfig, env).catch((error: unknown) => {
        console.stderr(`error: ${messageOf(error)}`);
        throw new CliError('failed to install CRD: exit status 1');
      });
    });
    if (client === undefined) return;
    const images = { registry: options.registryEndpoint, tag: await imageTag(folder) };
    await install({ options, settings, console, client, env, folder, images });
  } finally {
    await client?.close();
  }
}

async function install(run: Run): Promise<void> {
  const { options, console, client } = run;
  await step('cluster', () => clusterStep(run));
  if (options.platformMode !== 'tenant') {
    await step('catalog-namespace', () =>
      client.merge(kinds.namespace, namespaceOf(`mcp-servers-${options.platformMode}`, 'restricted')),
    );
  }
  await step('tls', () => tlsStep(run));
  await step('registry', () => registryStep(run));
  await step('registry-auth-disable', () => disableRegistryAuth(run));
  try {
    await step('operator-image', () => operatorImages(run));
    await step('analytics-images', () => analyticsImages(run));
    await step('operator-deploy', () => operatorDeploy(run));
    await step('analytics-deploy', () => analyticsDeploy(run));
    await step('verify', () => verifyStep(run));
    console.success('Platform setup complete');
    console.plain('Platform is ready. Use mcp-runtime status to check it.');
    const { platform, registry, mcp } = options.hosts;
    console.plain(`Public entrypoints:\n  https://${platform}\n  https://${registry}\n  https://${mcp}`);
  } finally {
    await enableRegistryAuth(run);
  }
}

async function preflight(options: SetupOptions, env: NodeJS.ProcessEnv, console: Console): Promise<void> {
  let client: Client;
  try {
    client = await openClient(earlyKubeconfig(options.kubeconfig, env), env);
  } catch (error) {
    console.warning(`cannot connect to the cluster, skipping pre-flight checks: ${messageOf(error)}`);
    return;
  }
  try {
    reportPreflight(preflightFindings(await observe(client.cluster), options), console);
  } finally {
    await client.close();
  }
}

async function step<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new CliError(`setup step "${name}" failed: ${messageOf(error)}`);
  }
}

/** A variable that is set already is not overridden by the file. */
async function withEnvFile(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<NodeJS.ProcessEnv> {
  const index = argv.findIndex((argument) => /^--env-file(?:=|$)/.test(argument));
  if (index < 0) return env;
  const file = argv[index]?.split('=')[1] ?? argv[index + 1] ?? '';
  try {
    return { ...parseEnv(await readFile(file, 'utf8')), ...env };
  } catch (error) {
    throw new CliError(`failed to load env file: ${messageOf(error)}`);
  }
}
