import { pairOf } from '../../lab/platform/objects.js';
import { platformAdmins } from '../../lab/platform/sentinel.js';
import { type Cluster, objectOf } from '../../shared/cluster/cluster.js';
import { type Kind, type KubeObject, kinds } from '../../shared/cluster/objects.js';

/** What MCP Runtime leaves outside of its namespaces, and what looks like it and is somebody else's. */
const ours: readonly [Kind, KubeObject][] = [
  pairOf(kinds.namespace, { metadata: { name: 'tools', labels: { 'platform.mcpruntime.org/managed': 'true' } } }),
  pairOf(kinds.mcpServer, { metadata: { name: 'stray', namespace: 'shop' }, spec: {} }),
  webhook(kinds.mutatingWebhookConfiguration, 'mcp-runtime-mutating-webhook-configuration', 'mcp-runtime'),
  webhook(kinds.validatingWebhookConfiguration, 'validating-webhook-configuration', 'mcp-runtime'),
  role('mcp-runtime-operator-role'),
  role('promtail'),
  role('mcp-runtime-api'),
  role('mcp-runtime-traefik-watch'),
  platformAdmins(),
  binding('mcp-runtime-operator-rolebinding', 'mcp-runtime-operator-role', 'mcp-runtime'),
  binding('promtail', 'promtail', 'mcp-sentinel'),
];

const others: readonly [Kind, KubeObject][] = [
  ...['shop', 'mcp-teamwork', 'traefik', 'kube-mcp'].map((name): [Kind, KubeObject] =>
    pairOf(kinds.namespace, { metadata: { name, labels: { 'app.kubernetes.io/managed-by': 'somebody' } } }),
  ),
  role('traefik-ingressclass'),
  binding('traefik-ingressclass', 'traefik-ingressclass', 'shop'),
  webhook(kinds.mutatingWebhookConfiguration, 'mutating-webhook-configuration', 'shop'),
  pairOf(kinds.persistentVolume, {
    metadata: { name: 'registry-data' },
    spec: {
      capacity: { storage: '1Gi' },
      accessModes: ['ReadWriteOnce'],
      persistentVolumeReclaimPolicy: 'Retain',
      hostPath: { path: '/registry-data' },
      claimRef: { namespace: 'registry', name: 'registry-data' },
    },
  }),
];

/** Namespaces that a wipe of scope `platform` takes of this world. */
export const ourNamespaces = ['registry', 'mcp-sentinel', 'mcp-runtime', 'mcp-servers', 'mcp-team-acme', 'tools'];

/** Puts into a cluster with the platform what its installer's stand-in does not make, and what must survive. */
export async function furnish(cluster: Cluster): Promise<void> {
  const apply = ([kind, object]: readonly [Kind, KubeObject]): Promise<unknown> =>
    cluster.apply(kind, object, { force: true, manager: 'world' });
  for (const one of others) await apply(one);
  for (const one of ours) await apply(one);
}

/** `Kind name` and UID of everything that a wipe of scope `platform` must leave as it is. */
export async function bystanders(cluster: Cluster): Promise<[string, string][]> {
  const { items } = await cluster.list(kinds.namespace);
  const namespaces = items.filter(({ metadata }) => !ourNamespaces.includes(metadata.name));
  const rest = await Promise.all(others.map(([kind, object]) => cluster.get(kind, object.metadata)));
  const issuers = await cluster.list(kinds.clusterIssuer);
  const crds = await cluster.list(kinds.crd);
  const all = [...namespaces, ...rest.flatMap((one) => one ?? []), ...issuers.items, ...crds.items];
  return all.map(({ kind, metadata }): [string, string] => [`${kind} ${metadata.name}`, metadata.uid ?? '']).sort();
}

/** What is left of MCP Runtime; empty after a wipe. */
export async function remains(cluster: Cluster): Promise<string[]> {
  const namespaces = ourNamespaces.map((name): [Kind, KubeObject] => pairOf(kinds.namespace, { metadata: { name } }));
  const found = await Promise.all(
    [...namespaces, ...ours].map(async ([kind, { metadata }]) => {
      const object = await cluster.get(kind, metadata);
      return object === undefined ? [] : [`${kind.kind} ${metadata.name}`];
    }),
  );
  return [...new Set(found.flat())];
}

function role(name: string): [Kind, KubeObject] {
  const rules = [{ apiGroups: [''], resources: ['pods'], verbs: ['list'] }];
  return pairOf(kinds.clusterRole, { metadata: { name }, rules });
}

function binding(name: string, roleName: string, namespace: string): [Kind, KubeObject] {
  return pairOf(kinds.clusterRoleBinding, {
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: roleName },
    subjects: [{ kind: 'ServiceAccount', name: 'default', namespace }],
  });
}

/** A configuration that matches nothing of this world, so that its missing Service does no harm. */
function webhook(kind: Kind, name: string, namespace: string): [Kind, KubeObject] {
  return [
    kind,
    objectOf(kind, {
      metadata: { name },
      webhooks: [
        {
          name: 'hook.mcpruntime.org',
          sideEffects: 'None',
          admissionReviewVersions: ['v1'],
          clientConfig: { service: { namespace, name: 'hook', path: '/hook' } },
          rules: [
            { apiGroups: ['nothing.invalid'], apiVersions: ['*'], operations: ['CREATE'], resources: ['nothing'] },
          ],
        },
      ],
    }),
  ];
}
