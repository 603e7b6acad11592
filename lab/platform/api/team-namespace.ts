import { type Cluster, objectOf } from '../../../shared/cluster/cluster.js';
import { type Kind, type KubeObject, kinds } from '../../../shared/cluster/objects.js';
import { namespaces } from '../names.js';
import { applyObject, pairOf } from '../objects.js';
import { pullSecret } from '../resources.js';
import type { Team } from './accounts.js';

const manager = 'mcp-runtime-api';
const rbac = 'rbac.authorization.k8s.io';

/** Makes a team's namespace with everything in it that the platform puts there, or makes it so again. */
export async function provisionNamespace(
  cluster: Cluster,
  team: Pick<Team, 'id' | 'slug' | 'namespace'>,
  { domain, key }: { domain: string; key: string },
): Promise<void> {
  for (const [kind, object] of objectsOf(team, domain, key))
    await cluster.apply(kind, object, { force: true, manager });
}

/** What the first deployment by a user who is no administrator adds: his rights in the namespace. */
export async function provisionOwner(cluster: Cluster, namespace: string, userId: string): Promise<void> {
  const metadata = { name: 'platform-namespace-owner', namespace };
  const rules = [
    { apiGroups: ['apps'], resources: ['deployments'], verbs: ['*'] },
    { apiGroups: [''], resources: ['services'], verbs: ['*'] },
  ];
  await applyObject(cluster, kinds.role, { metadata, rules }, { force: true, manager });
  const binding = objectOf(kinds.roleBinding, {
    metadata,
    roleRef: { apiGroup: rbac, kind: 'Role', name: metadata.name },
    subjects: [{ apiGroup: rbac, kind: 'User', name: `platform:user:${userId}` }],
  });
  await cluster.apply(kinds.roleBinding, binding, { force: true, manager });
}

function objectsOf(
  { id, slug, namespace }: Pick<Team, 'id' | 'slug' | 'namespace'>,
  domain: string,
  key: string,
): [Kind, KubeObject][] {
  const inside = (kind: Kind, name: string, content: Record<string, unknown>): [Kind, KubeObject] => [
    kind,
    objectOf(kind, { metadata: { name, namespace }, ...content }),
  ];
  const level = (mode: string): [string, string] => [`pod-security.kubernetes.io/${mode}`, 'restricted'];
  const labels = {
    'mcpruntime.org/scope': 'team',
    'mcpruntime.org/team-id': id,
    'mcpruntime.org/team-slug': slug,
    'platform.mcpruntime.org/managed': 'true',
    ...Object.fromEntries(['enforce', 'audit', 'warn'].map(level)),
  };
  const secretsRole = 'mcp-runtime-api-team-secrets';
  const pull = 'mcp-runtime-registry-pull';
  return [
    pairOf(kinds.namespace, { metadata: { name: namespace, labels } }),
    inside(kinds.resourceQuota, 'platform-default-quota', {
      spec: {
        hard: {
          pods: '20',
          'requests.cpu': '4',
          'limits.cpu': '8',
          'requests.memory': '8Gi',
          'limits.memory': '16Gi',
          persistentvolumeclaims: '4',
        },
      },
    }),
    inside(kinds.limitRange, 'platform-default-limits', {
      spec: {
        limits: [
          {
            type: 'Container',
            default: { cpu: '500m', memory: '512Mi' },
            defaultRequest: { cpu: '100m', memory: '128Mi' },
          },
        ],
      },
    }),
    inside(kinds.serviceAccount, 'mcp-workload', {
      automountServiceAccountToken: false,
      imagePullSecrets: [{ name: pull }],
    }),
    inside(kinds.roleBinding, secretsRole, {
      roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: secretsRole },
      subjects: [{ kind: 'ServiceAccount', name: 'mcp-runtime-api', namespace: namespaces.sentinel }],
    }),
    [kinds.secret, pullSecret(namespace, `registry.${domain}`, Buffer.from(key).toString('base64'))],
    inside(kinds.networkPolicy, 'platform-default-deny', { spec: defaultDeny() }),
  ];
}

function defaultDeny(): Record<string, unknown> {
  const named = (name: string): Record<string, unknown> => ({
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } },
  });
  const ports = (protocols: readonly string[], ...numbers: number[]): Record<string, unknown>[] =>
    numbers.flatMap((port) => protocols.map((protocol) => ({ protocol, port })));
  const dns = { ...named('kube-system'), podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } } };
  return {
    podSelector: {},
    policyTypes: ['Ingress', 'Egress'],
    ingress: [{ from: [{ podSelector: {} }, named('kube-system'), named(namespaces.sentinel)] }],
    egress: [
      { to: [dns], ports: ports(['UDP', 'TCP'], 53) },
      { to: [named(namespaces.sentinel)], ports: ports(['TCP'], 8081, 4318) },
      { to: [named(namespaces.registry)], ports: ports(['TCP'], 5000) },
      { to: [{ podSelector: {} }] },
    ],
  };
}
