import { X509Certificate } from 'node:crypto';
import { objectOf } from '../../../shared/cluster/cluster.js';
import { isTrue } from '../../../shared/cluster/fields.js';
import { type Kind, type KubeObject, kinds } from '../../../shared/cluster/objects.js';
import { messageOf } from '../../../shared/errors.js';
import { namespaces } from '../names.js';
import { createObject } from '../objects.js';
import { operatorName, webhookSecret } from '../operator/objects.js';
import { isRolledOut, waitUntil } from '../waits.js';
import { type Client, earlyKubeconfig, openClient } from './client.js';
import { CliError } from './errors.js';
import { type Flag, parseFlags } from './flags.js';
import type { Surroundings } from './setup.js';

interface Check {
  name: string;
  what: string;
  remedy: string;
  /** What is fine. @throws CliError with what is not */
  look(client: Client): Promise<string>;
}

const check = (name: string, what: string, remedy: string, look: Check['look']): Check => ({
  name,
  what,
  remedy,
  look,
});

const exists = (title: string, kind: Kind, name: string, remedy = rerun): Check =>
  check(
    title,
    'it exists',
    remedy,
    async ({ cluster }) => demand(await cluster.get(kind, { name }), 'not found') && 'found',
  );

type Ingress = KubeObject & {
  spec?: { ingressClassName?: string };
  status?: { loadBalancer?: { ingress?: unknown[] } };
};
type Secret = KubeObject & { data?: Record<string, string> };
type Pod = KubeObject & { status?: { phase?: string } };
type Node = KubeObject & { status?: { allocatable?: Record<string, string> } };

const rerun = 'run mcp-runtime setup again';
const helperSeconds = 90;
/** The real one waits up to 150 s. */
const smokeSeconds = 5;

export const doctorFlags: readonly Flag[] = [
  { name: 'for-setup', kind: 'bool', env: [], usage: 'Check only what setup needs' },
];

/**
 * The checks of `cluster doctor` that a lab without real pods can make, with its output and its exit code. As the real
 * one it looks at no certificate but the operator's, and it makes and deletes a helper pod.
 *
 * @throws CliError when any check fails
 */
export async function doctor(argv: readonly string[], { env, console, settings }: Surroundings): Promise<void> {
  const forSetup = parseFlags(doctorFlags, argv).get('for-setup') === 'true';
  const client = await openClient(earlyKubeconfig('', env), env);
  const checks = forSetup ? setupChecks(env) : platformChecks(settings.pollMilliseconds);
  let failed = 0;
  try {
    for (const [index, { name, what, remedy, look }] of checks.entries()) {
      console.info(`Checking ${index + 1}/${checks.length} ${name} — ${what}`);
      try {
        console.success(`${name} — ${await look(client)}`);
      } catch (error) {
        failed += 1;
        console.error(`${name} — ${messageOf(error)}`);
        console.info(`  Remedy: ${remedy}`);
      }
    }
  } finally {
    await client.close();
  }
  if (failed > 0) throw new CliError('cluster doctor found unmet prerequisites; see docs/cluster-readiness.md');
}

function platformChecks(poll: number): Check[] {
  const sentinel = ['kafka', 'mcp-sentinel-ingest', 'mcp-platform-api', 'mcp-runtime-api', 'mcp-analytics-api'];
  return [
    ...[namespaces.runtime, namespaces.registry, namespaces.sentinel, namespaces.servers].map((name) =>
      exists(`namespace ${name}`, kinds.namespace, name),
    ),
    exists('MCPServer CRD', kinds.crd, 'mcpservers.mcpruntime.org'),
    check(
      `namespace ${namespaces.servers} quota/limitrange`,
      'nothing in it can hold smoke pods back',
      `kubectl describe quota,limitrange -n ${namespaces.servers}`,
      async ({ cluster }) => {
        const inside = { namespace: namespaces.servers };
        const lists = await Promise.all(
          [kinds.resourceQuota, kinds.limitRange].map((one) => cluster.list(one, inside)),
        );
        return `${lists.flatMap(({ items }) => items).length} found`;
      },
    ),
    check(
      `namespace ${namespaces.servers} pod admission`,
      'a pod would be admitted',
      `kubectl get events -n ${namespaces.servers}`,
      async ({ cluster }) => {
        const metadata = { namespace: namespaces.servers, name: 'mcp-runtime-doctor-admission' };
        await cluster.create(kinds.pod, helperPod(metadata), { dryRun: true });
        return 'admitted';
      },
    ),
    rollout('operator readiness', 'deployment', namespaces.runtime, operatorName),
    check(
      'operator reconcile errors (last 10m)',
      'its log has none',
      'inspect operator logs directly and fix reconcile failures',
      async ({ cluster, logs }) => {
        const { items } = await cluster.list(kinds.pod, {
          namespace: namespaces.runtime,
          labelSelector: 'control-plane=controller-manager',
        });
        const { name } = demand(items[0], 'no pod found').metadata;
        await logs({ namespace: namespaces.runtime, name });
        return 'none';
      },
    ),
    exists('operator ClusterRole rules', kinds.clusterRole, 'mcp-runtime-operator-role'),
    check(
      'MCPServer registry image refs',
      'none names the registry by an address',
      'deploy these servers again',
      async ({ cluster }) => `${(await cluster.list(kinds.mcpServer)).items.length} servers`,
    ),
    check('operator webhook TLS', 'its certificate has not expired', rerun, async ({ cluster }) => {
      const secret = await cluster.get<Secret>(kinds.secret, { namespace: namespaces.runtime, name: webhookSecret });
      const certificate = new X509Certificate(
        Buffer.from(demand(secret, 'Secret not found').data?.['tls.crt'] ?? '', 'base64'),
      );
      if (certificate.validToDate.getTime() < Date.now()) throw new CliError(`expired at ${certificate.validTo}`);
      return `valid until ${certificate.validTo}`;
    }),
    traefikClass,
    rollout('Traefik readiness', 'deployment', 'kube-system', 'traefik'),
    check(
      'ingress LoadBalancer status',
      'Ingresses have an address',
      'check that Traefik publishes its Service:\nkubectl get service -n kube-system traefik',
      async ({ cluster }) => {
        const { items } = await cluster.list<Ingress>(kinds.ingress);
        const own = items.filter(({ spec }) => spec?.ingressClassName === 'traefik');
        const empty = own.filter(({ status }) => (status?.loadBalancer?.ingress?.length ?? 0) === 0);
        if (empty.length > 0) {
          const names = empty.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
          throw new CliError([`${empty.length}/${own.length} Ingresses have no address`, ...names].join('\n'));
        }
        return `${own.length} Ingresses`;
      },
    ),
    rollout('registry readiness', 'deployment', namespaces.registry, 'registry'),
    ...sentinel.map((name) =>
      rollout(`${name} readiness`, name === 'kafka' ? 'statefulSet' : 'deployment', namespaces.sentinel, name),
    ),
    ...['mcp-sentinel-ui', 'mcp-sentinel-gateway'].map((name) => single(name)),
    check('mcp-sentinel-secrets', 'its keys have values', rerun, async ({ cluster }) => {
      const ref = { namespace: namespaces.sentinel, name: 'mcp-sentinel-secrets' };
      const secret = await cluster.get<Secret>(kinds.secret, ref);
      const { data = {} } = demand(secret, 'not found');
      const empty = ['API_KEYS', 'ADMIN_API_KEYS', 'INGEST_API_KEYS', 'UI_API_KEY', 'POSTGRES_PASSWORD'].filter(
        (key) => !data[key],
      );
      if (empty.length > 0) throw new CliError(`empty keys: ${empty.join(', ')}`);
      return 'all keys have values';
    }),
    check(
      'team pull secrets',
      'every team namespace can pull',
      'recreate the team, or copy the pull Secret',
      async ({ cluster }) => {
        const { items } = await cluster.list(kinds.namespace, { labelSelector: 'mcpruntime.org/scope=team' });
        for (const { metadata } of items) {
          const ref = { namespace: metadata.name, name: 'mcp-runtime-registry-pull' };
          demand(await cluster.get(kinds.secret, ref), `Secret ${ref.namespace}/${ref.name} not found`);
        }
        return `${items.length} team namespaces`;
      },
    ),
    check(
      'node capacity',
      'nodes have room for images',
      'add a node, or free ephemeral storage',
      async ({ cluster }) => {
        const { items } = await cluster.list<Node>(kinds.node);
        const lacking = items.filter(({ status }) => status?.allocatable?.['ephemeral-storage'] === undefined);
        if (items.length === 0 || lacking.length > 0) throw new CliError('no allocatable ephemeral-storage');
        return `${items.length} nodes`;
      },
    ),
    check('pending pods', 'no pod of the platform waits', 'kubectl describe pod', async ({ cluster }) => {
      const { items } = await cluster.list<Pod>(kinds.pod, { namespace: namespaces.sentinel });
      const pending = items.filter(({ status }) => status?.phase === 'Pending');
      if (pending.length > 0)
        throw new CliError(`${pending.length} pods are Pending, for example ${pending[0]?.metadata.name}`);
      return 'none';
    }),
    check(
      'mcp-servers DNS/network',
      'a helper pod runs',
      'check the NetworkPolicies of mcp-servers',
      async ({ cluster }) => {
        const metadata = { namespace: namespaces.servers, name: `mcp-runtime-doctor-curl-${Date.now()}` };
        await cluster.create(kinds.pod, helperPod(metadata));
        // A killed doctor leaves its pod behind; one that only fails does not.
        try {
          const ready = async (): Promise<boolean> => isTrue(await cluster.get(kinds.pod, metadata), 'Ready');
          if (!(await waitUntil(ready, helperSeconds, poll))) throw new CliError('helper pod did not succeed: Pending');
        } finally {
          await cluster.delete(kinds.pod, metadata);
        }
        return 'the helper pod ran';
      },
    ),
    check(
      'MCPServer reconcile smoke',
      'a temporary server gets its resources',
      'look at the operator, and at its webhook',
      async ({ cluster }) => {
        const ref = { namespace: namespaces.servers, name: `doctor-smoke-${Date.now() % 1_000_000}` };
        const spec = { image: 'registry.k8s.io/pause:3.9', publicPathPrefix: ref.name, ingressClass: 'traefik' };
        // kubectl apply looks before it makes.
        await cluster.get(kinds.mcpServer, ref);
        try {
          await createObject(cluster, kinds.mcpServer, { metadata: ref, spec });
          const made = async (): Promise<boolean> => (await cluster.get(kinds.deployment, ref)) !== undefined;
          if (!(await waitUntil(made, smokeSeconds, poll))) throw new CliError('deployment not found before timeout');
        } finally {
          if ((await cluster.get(kinds.mcpServer, ref)) !== undefined) await cluster.delete(kinds.mcpServer, ref);
        }
        return 'all resources were made';
      },
    ),
  ];
}

/** What `--for-setup` can look at without a resolver and a port 80 of its own. */
function setupChecks(env: NodeJS.ProcessEnv): Check[] {
  const issuer = env.MCP_TLS_CLUSTER_ISSUER ?? '';
  return [
    traefikClass,
    rollout('Traefik readiness', 'deployment', 'kube-system', 'traefik'),
    check('public hosts', 'a domain is set', 'export MCP_PLATFORM_DOMAIN=<your domain>', async () =>
      demand(env.MCP_PLATFORM_DOMAIN || undefined, 'MCP_PLATFORM_DOMAIN is not set'),
    ),
    ...(issuer === ''
      ? []
      : [
          check(
            'ClusterIssuer',
            `${issuer} is Ready`,
            `kubectl describe clusterissuer ${issuer}`,
            async ({ cluster }: Client) => {
              const found = await cluster.get(kinds.clusterIssuer, { name: issuer });
              if (!isTrue(demand(found, 'not found'), 'Ready')) throw new CliError('not Ready');
              return 'Ready';
            },
          ),
        ]),
  ];
}

const traefikClass = exists('IngressClass traefik', kinds.ingressClass, 'traefik', 'restart k3s on the control plane');

function rollout(name: string, kind: 'deployment' | 'statefulSet', namespace: string, workload: string): Check {
  return check(name, `${namespace}/${workload} has its replicas`, rerun, async ({ cluster }) => {
    const ref = { namespace, name: workload };
    const found = await cluster.get<KubeObject & { spec?: { replicas?: number }; status?: { readyReplicas?: number } }>(
      kinds[kind],
      ref,
    );
    const { spec, status } = demand(found, 'not found');
    const replicas = `"${status?.readyReplicas || ''}/${spec?.replicas ?? 1}"`;
    if (!(await isRolledOut(cluster, kind, ref)) || spec?.replicas === 0) {
      throw new CliError(`unexpected replica status ${replicas}`);
    }
    return `replicas ${replicas}`;
  });
}

/** The user interface and the gateway keep sessions in memory, so that a second replica breaks sign-in. */
function single(workload: string): Check {
  return check(
    `${workload} replicas`,
    'it has exactly one',
    `kubectl scale deployment ${workload} -n ${namespaces.sentinel} --replicas=1`,
    async ({ cluster }) => {
      const ref = { namespace: namespaces.sentinel, name: workload };
      const found = await cluster.get<KubeObject & { spec?: { replicas?: number } }>(kinds.deployment, ref);
      const replicas = demand(found, 'not found').spec?.replicas;
      if (replicas !== 1) throw new CliError(`${replicas} replicas`);
      return '1 replica';
    },
  );
}

function helperPod(metadata: { namespace: string; name: string }): KubeObject {
  return objectOf(kinds.pod, {
    metadata,
    spec: {
      restartPolicy: 'Never',
      containers: [
        {
          name: 'curl',
          image: 'curlimages/curl:8.10.1',
          securityContext: {
            allowPrivilegeEscalation: false,
            runAsNonRoot: true,
            capabilities: { drop: ['ALL'] },
            seccompProfile: { type: 'RuntimeDefault' },
          },
        },
      ],
    },
  });
}

function demand<T>(found: T | undefined, otherwise: string): T {
  if (found === undefined) throw new CliError(otherwise);
  return found;
}
