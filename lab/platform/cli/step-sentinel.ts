import { objectOf } from '../../../shared/cluster/cluster.js';
import { isTrue } from '../../../shared/cluster/fields.js';
import { type KubeObject, kinds } from '../../../shared/cluster/objects.js';
import { messageOf } from '../../../shared/errors.js';
import { namespaces, privateIssuer } from '../names.js';
import { operatorName } from '../operator/objects.js';
import { namespaceOf, platformConfig, platformSecrets, pullSecret } from '../resources.js';
import { grafanaClaim, initJobs, pathIngresses, platformIngresses, sentinelPermissions } from '../sentinel.js';
import { waitUntil } from '../waits.js';
import { sentinelWorkloads, serviceOf, type Workload, workloadOf } from '../workloads.js';
import { CliError } from './errors.js';
import { publicIssuer } from './preflight.js';
import { type Run, rolledOut } from './run.js';
import { applyAll } from './step-registry.js';

type WithData = KubeObject & { data?: Record<string, string> };

const namespace = namespaces.sentinel;
/** Deployments that are younger have read the new configuration when they started. */
const restartAge = 5 * 60_000;

/** Configuration values that stay as they are when the environment says nothing, with the variables that do. */
const keptConfig: Record<string, readonly string[]> = {
  GOOGLE_CLIENT_ID: ['GOOGLE_CLIENT_ID', 'MCP_GOOGLE_CLIENT_ID'],
  OIDC_ISSUER: ['OIDC_ISSUER', 'MCP_OIDC_ISSUER'],
  OIDC_AUDIENCE: ['OIDC_AUDIENCE', 'MCP_OIDC_AUDIENCE'],
  OIDC_JWKS_URL: ['OIDC_JWKS_URL', 'MCP_OIDC_JWKS_URL'],
  PLATFORM_REGISTRY_URL: ['PLATFORM_REGISTRY_URL'],
  PLATFORM_TRAEFIK_NAMESPACE: ['PLATFORM_TRAEFIK_NAMESPACE'],
  PLATFORM_TEAM_TRAEFIK_WATCH: ['PLATFORM_TEAM_TRAEFIK_WATCH'],
};

/** mcp-sentinel: configuration, Secrets, databases, Jobs, services; then waits for one workload after the other. */
export async function analyticsDeploy(run: Run): Promise<void> {
  const { console, client, options, settings } = run;
  console.info('Deploying mcp-sentinel manifests');
  await client.merge(kinds.namespace, namespaceOf(namespace, 'privileged'));
  await applyConfig(run);
  await applySecrets(run);
  await syncPassword(run);
  const workloads = sentinelWorkloads(settings.layout, run.images);
  const databases = workloads.filter(({ name }) => name === 'clickhouse' || name === 'kafka');
  await applyWorkloads(run, databases);
  const failures: string[] = [];
  await awaitWorkloads(run, databases, failures);
  await runJobs(run, failures);
  await applyAll(run, [...sentinelPermissions(), grafanaClaim()]);
  const others = workloads.filter((one) => !databases.includes(one));
  await applyWorkloads(run, others);
  await restartOld(run, workloads);
  // Every run makes the Ingresses by path first and takes them away where the platform has a host.
  await applyAll(
    run,
    pathIngresses().map((ingress) => [kinds.ingress, ingress]),
  );
  await applyAll(run, platformIngresses(options.hosts.platform, publicIssuer(options) ?? privateIssuer));
  for (const { metadata } of pathIngresses()) await client.cluster.delete(kinds.ingress, metadata);
  await awaitWorkloads(run, others, failures);
  if (failures.length > 0) throw new CliError(`analytics components failed to roll out: ${failures.join('; ')}`);
  console.success('mcp-sentinel manifests deployed successfully');
}

/** The registry, the operator and the first CRD are there. */
export async function verifyStep(run: Run): Promise<void> {
  const { console, client } = run;
  console.section('Step 6: Verify platform components');
  for (const ref of [
    { namespace: namespaces.registry, name: 'registry' },
    { namespace: namespaces.runtime, name: operatorName },
  ]) {
    if (!(await rolledOut(run, ref))) throw new CliError(`deployment ${ref.namespace}/${ref.name} is not available`);
  }
  if ((await client.cluster.get(kinds.crd, { name: 'mcpservers.mcpruntime.org' })) === undefined) {
    throw new CliError('CRD mcpservers.mcpruntime.org not found');
  }
}

async function applyConfig({ client, options, settings, env }: Run): Promise<void> {
  const metadata = { name: 'mcp-sentinel-config', namespace };
  const present = (await client.cluster.get<WithData>(kinds.configMap, metadata))?.data ?? {};
  const rendered = platformConfig({ domain: options.domain, layout: settings.layout });
  const defaults: Record<string, string> = {
    PLATFORM_REGISTRY_URL: options.hosts.registry,
    PLATFORM_TRAEFIK_NAMESPACE: 'kube-system',
    PLATFORM_TEAM_TRAEFIK_WATCH: 'disabled',
  };
  const kept = Object.entries(keptConfig).map(([key, variables]) => {
    const given = variables.map((name) => env[name] ?? '').find((value) => value !== '');
    return [key, given ?? present[key] ?? defaults[key] ?? ''];
  });
  const mode = present.PLATFORM_MODE;
  const data = {
    ...rendered,
    ...Object.fromEntries(kept),
    MCP_MCP_INGRESS_HOST: options.hosts.mcp,
    MCP_REGISTRY_INGRESS_HOST: options.hosts.registry,
    MCP_REGISTRY_ENDPOINT: options.hosts.registry,
    PLATFORM_MODE: options.platformMode === 'tenant' && mode ? mode : options.platformMode,
  };
  await client.merge(kinds.configMap, objectOf(kinds.configMap, { metadata, data }));
}

async function applySecrets({ client, options, settings }: Run): Promise<void> {
  const metadata = { name: 'mcp-sentinel-secrets', namespace };
  const present = (await client.cluster.get<WithData>(kinds.secret, metadata))?.data ?? {};
  const data = platformSecrets(settings.layout, options.admin, present);
  await client.merge(kinds.secret, objectOf(kinds.secret, { metadata, type: 'Opaque', data }));
  const { registry } = options.hosts;
  await client.merge(
    kinds.secret,
    pullSecret(namespace, registry, data.UI_API_KEY ?? ''),
    pullSecret(namespaces.runtime, registry, data.UI_API_KEY ?? ''),
  );
  await client.cluster.patch(kinds.deployment, { namespace: namespaces.runtime, name: operatorName }, [
    { op: 'add', path: '/spec/template/spec/imagePullSecrets', value: [{ name: 'mcp-runtime-registry-pull' }] },
  ]);
}

/** The password of a database that runs is set to the Secret's, by psql inside of its pod. A failure only warns. */
async function syncPassword({ client, console }: Run): Promise<void> {
  const { items } = await client.cluster.list(kinds.pod, {
    namespace,
    labelSelector: 'app=mcp-sentinel-postgres',
  });
  const pod = items.find((one) => isTrue(one, 'Ready'));
  if (pod === undefined) return;
  try {
    await client.exec({ namespace, name: pod.metadata.name }, ['sh', '-c', 'psql -h localhost']);
  } catch (error) {
    console.warning(`Could not sync Postgres password (will retry on next run): ${messageOf(error)}`);
  }
}

async function applyWorkloads(run: Run, workloads: readonly Workload[]): Promise<void> {
  for (const workload of workloads) {
    await applyAll(run, [...(workload.ports ? [serviceOf(workload)] : []), workloadOf(workload)]);
  }
}

async function awaitWorkloads(run: Run, workloads: readonly Workload[], failures: string[]): Promise<void> {
  for (const { kind, name } of workloads) {
    const isDone = await rolledOut(run, { namespace, name }, kind);
    if (!isDone) failures.push(`${kind.toLowerCase()}/${name}: timed out waiting for the condition`);
  }
}

async function runJobs({ client, options, settings }: Run, failures: string[]): Promise<void> {
  for (const job of initJobs()) {
    const { name } = job.metadata;
    await client.cluster.delete(kinds.job, { namespace, name });
    const gone = async (): Promise<boolean> => (await client.cluster.get(kinds.job, { namespace, name })) === undefined;
    await waitUntil(gone, options.waits.deployment, settings.pollMilliseconds);
    await client.cluster.create(kinds.job, job);
    const complete = async (): Promise<boolean> =>
      isTrue(await client.cluster.get(kinds.job, { namespace, name }), 'Complete');
    if (!(await waitUntil(complete, options.waits.deployment, settings.pollMilliseconds))) {
      failures.push(`job/${name}: timed out waiting for the condition`);
    }
  }
}

async function restartOld({ client }: Run, workloads: readonly Workload[]): Promise<void> {
  const { items } = await client.cluster.list(kinds.deployment, { namespace });
  const now = client.cluster.serverTime()?.getTime() ?? Date.now();
  for (const { metadata } of items) {
    const age = now - Date.parse(metadata.creationTimestamp ?? '');
    if (age < restartAge || !workloads.some(({ name, envFrom }) => name === metadata.name && envFrom)) continue;
    await client.cluster.patch(kinds.deployment, metadata, [
      {
        op: 'add',
        path: '/spec/template/metadata/annotations',
        value: { 'kubectl.kubernetes.io/restartedAt': new Date(now).toISOString() },
      },
    ]);
  }
}
