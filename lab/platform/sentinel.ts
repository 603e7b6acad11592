import { objectOf } from '../../shared/cluster/cluster.js';
import { type Kind, type KubeObject, kinds } from '../../shared/cluster/objects.js';
import { namespaces } from './names.js';
import { pairOf } from './objects.js';
import { clusterRole } from './operator/objects.js';
import { ingressOf } from './resources.js';
import { claimSpec } from './workloads.js';

const namespace = namespaces.sentinel;
export const platformTls = 'mcp-sentinel-platform-tls';

/** The Jobs that prepare Kafka and ClickHouse; the installer deletes the old ones and waits for the new ones. */
export function initJobs(): KubeObject[] {
  return ['kafka-topic-init', 'clickhouse-init'].map((name) =>
    objectOf(kinds.job, {
      metadata: { name, namespace },
      spec: {
        backoffLimit: 3,
        template: {
          spec: {
            restartPolicy: 'OnFailure',
            containers: [{ name: 'init', image: `${name}:lab`, command: ['/init'] }],
          },
        },
      },
    }),
  );
}

export function grafanaClaim(): [Kind, KubeObject] {
  return pairOf(kinds.persistentVolumeClaim, { metadata: { name: 'grafana-pvc', namespace }, spec: claimSpec('5Gi') });
}

/** Service accounts, roles and network policies of mcp-sentinel. */
export function sentinelPermissions(): [Kind, KubeObject][] {
  const read = { verbs: ['get', 'list', 'watch'] };
  const accounts = ['mcp-runtime-api', 'mcp-sentinel-gateway', 'prometheus', 'promtail'];
  const roles: [string, string][] = [
    ['mcp-runtime-api', 'mcp-runtime-api'],
    ['mcp-runtime-api-registry-push', 'mcp-runtime-api'],
    ['mcp-sentinel-gateway', 'mcp-sentinel-gateway'],
  ];
  return [
    ...accounts.map((name): [Kind, KubeObject] => pairOf(kinds.serviceAccount, { metadata: { name, namespace } })),
    ...roles.flatMap(([name, account]) => role(name, account)),
    ...clusterRole('mcp-runtime-api', 'mcp-runtime-api', namespace, [
      { apiGroups: ['', 'apps', 'mcpruntime.org', 'rbac.authorization.k8s.io'], resources: ['*'], verbs: ['*'] },
    ]),
    pairOf(kinds.clusterRole, {
      metadata: { name: 'mcp-runtime-api-team-secrets' },
      rules: [{ apiGroups: [''], resources: ['secrets'], verbs: ['get', 'list', 'create', 'update', 'delete'] }],
    }),
    ...clusterRole('mcp-sentinel-gateway-ingressclass', 'mcp-sentinel-gateway', namespace, [
      { apiGroups: ['networking.k8s.io'], resources: ['ingressclasses'], ...read },
    ]),
    ...clusterRole('mcp-sentinel-prometheus-discovery', 'prometheus', namespace, [
      { apiGroups: [''], resources: ['pods', 'services', 'endpoints'], ...read },
    ]),
    ...clusterRole('promtail', 'promtail', namespace, [{ apiGroups: [''], resources: ['pods', 'nodes'], ...read }]),
    platformAdmins(),
    ...['mcp-runtime-api-platform-egress', 'mcp-analytics-api-platform-egress', 'mcp-platform-api-egress'].map(
      (name): [Kind, KubeObject] =>
        pairOf(kinds.networkPolicy, {
          metadata: { name, namespace },
          spec: {
            podSelector: { matchLabels: { app: name.replace(/(?:-platform)?-egress$/, '') } },
            policyTypes: ['Egress'],
            egress: [
              {
                ports: [
                  { protocol: 'TCP', port: 5432 },
                  { protocol: 'UDP', port: 53 },
                ],
              },
            ],
          },
        }),
    ),
  ];
}

/** The binding of the platform's administrators: a group, to the API's own role. There is no role of its name. */
export function platformAdmins(): [Kind, KubeObject] {
  const apiGroup = 'rbac.authorization.k8s.io';
  return pairOf(kinds.clusterRoleBinding, {
    metadata: { name: 'mcp-sentinel-platform-admin' },
    roleRef: { apiGroup, kind: 'ClusterRole', name: 'mcp-runtime-api' },
    subjects: [{ kind: 'Group', name: 'platform:role:admin', apiGroup }],
  });
}

/** The platform's public Ingresses; only the first asks cert-manager for a Certificate. */
export function platformIngresses(host: string, issuer: string): [Kind, KubeObject][] {
  const ui = ingressOf(namespace, 'mcp-sentinel-platform-ui', host, platformTls, 'mcp-sentinel-ui', true);
  ui.metadata.annotations = {
    'cert-manager.io/cluster-issuer': issuer,
    'traefik.ingress.kubernetes.io/router.entrypoints': 'websecure',
  };
  const observability = ingressOf(
    namespace,
    'mcp-sentinel-platform-observability',
    host,
    platformTls,
    'grafana',
    false,
    '/grafana',
  );
  observability.metadata.annotations = {
    'traefik.ingress.kubernetes.io/router.entrypoints': 'websecure',
    'traefik.ingress.kubernetes.io/router.middlewares': 'sentinel-admin-auth@file',
  };
  const plain = ingressOf(namespace, 'mcp-sentinel-platform-ui-http', host, undefined, 'mcp-sentinel-ui', false);
  // Without a middleware: the dashboard itself sends to https.
  plain.metadata.annotations = { 'traefik.ingress.kubernetes.io/router.entrypoints': 'web' };
  return [ui, observability, plain].map((ingress) => [kinds.ingress, ingress]);
}

/** Ingresses by path that every run makes, and deletes again where the platform has a host of its own. */
export function pathIngresses(): KubeObject[] {
  return ['', '-api', '-grafana', '-prometheus', '-ui'].map((suffix) =>
    objectOf(kinds.ingress, {
      metadata: { name: `mcp-sentinel-gateway${suffix}`, namespace },
      spec: {
        ingressClassName: 'traefik',
        rules: [
          {
            http: {
              paths: [
                {
                  path: `/${suffix.slice(1)}`,
                  pathType: 'Prefix',
                  backend: { service: { name: 'mcp-sentinel-gateway', port: { number: 8083 } } },
                },
              ],
            },
          },
        ],
      },
    }),
  );
}

function role(name: string, account: string): [Kind, KubeObject][] {
  const rules = [{ apiGroups: [''], resources: ['configmaps', 'secrets', 'pods'], verbs: ['get', 'list'] }];
  return [
    pairOf(kinds.role, { metadata: { name, namespace }, rules }),
    pairOf(kinds.roleBinding, {
      metadata: { name, namespace },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
      subjects: [{ kind: 'ServiceAccount', name: account, namespace }],
    }),
  ];
}
