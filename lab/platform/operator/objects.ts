import { objectOf } from '../../../shared/cluster/cluster.js';
import { type Kind, type KubeObject, kinds } from '../../../shared/cluster/objects.js';
import { namespaces } from '../names.js';
import { pairOf } from '../objects.js';
import { type Images, serviceOf, type Workload, workloadOf } from '../workloads.js';

const namespace = namespaces.runtime;
const account = 'mcp-runtime-operator-controller-manager';
const service = 'mcp-runtime-operator-webhook-service';
export const operatorName = 'mcp-runtime-operator-controller-manager';
export const webhookSecret = 'mcp-runtime-operator-webhook-server-cert';

/** Names that the webhook's certificate is made for. */
export const webhookNames = [`${service}.${namespace}.svc`, `${service}.${namespace}.svc.cluster.local`];

/** The operator with its permissions and its Service, in the installer's order. */
export function operatorObjects({ registry, tag }: Images, pullSecret: boolean): [Kind, KubeObject][] {
  const workload: Workload = {
    kind: 'deployment',
    namespace,
    name: operatorName,
    container: 'manager',
    image: `${registry}/mcp-runtime-operator:${tag}`,
    replicas: 2,
    ports: [9443],
    labels: { 'control-plane': 'controller-manager' },
    pullPolicy: 'Always',
    serviceAccount: account,
    env: [
      { name: 'MCP_REGISTRY_ENDPOINT', value: registry },
      ...(pullSecret ? [{ name: 'MCP_PLATFORM_IMAGE_PULL_SECRET', value: 'mcp-runtime-registry-pull' }] : []),
    ],
  };
  const [, deployment] = workloadOf(workload);
  const [, webhookService] = serviceOf(workload, { ports: [{ name: 'webhook', port: 443, targetPort: 9443 }] });
  webhookService.metadata.name = service;
  return [
    pairOf(kinds.serviceAccount, { metadata: { name: account, namespace } }),
    ...clusterRole('mcp-runtime-operator-role', account, namespace, [
      { apiGroups: ['mcpruntime.org'], resources: ['*'], verbs: ['*'] },
      {
        apiGroups: ['', 'apps', 'networking.k8s.io'],
        resources: ['*'],
        verbs: ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'],
      },
    ]),
    [kinds.deployment, deployment],
    [kinds.service, webhookService],
  ];
}

/** Both webhook configurations. Nothing routes to their Service in a lab, so that the failing ones always refuse. */
export function operatorWebhooks(caBundle: string): [Kind, KubeObject][] {
  const hook = (
    name: string,
    path: string,
    resource: string,
    failurePolicy: 'Fail' | 'Ignore',
  ): Record<string, unknown> => ({
    name,
    admissionReviewVersions: ['v1'],
    sideEffects: 'None',
    timeoutSeconds: 10,
    failurePolicy,
    clientConfig: { caBundle, service: { name: service, namespace, path } },
    rules: [
      {
        apiGroups: ['mcpruntime.org'],
        apiVersions: ['v1alpha1'],
        operations: ['CREATE', 'UPDATE'],
        resources: [resource],
      },
    ],
  });
  const validating = ['mcpserver', 'mcpaccessgrant', 'mcpagentsession'].map((kind) =>
    hook(`v${kind}.kb.io`, `/validate-mcpruntime-org-v1alpha1-${kind}`, `${kind}s`, 'Fail'),
  );
  const mutating = hook('mmcpserver.kb.io', '/mutate-mcpruntime-org-v1alpha1-mcpserver', 'mcpservers', 'Ignore');
  const configuration = (kind: Kind, prefix: string, webhooks: unknown[]): [Kind, KubeObject] => [
    kind,
    objectOf(kind, { metadata: { name: `mcp-runtime-${prefix}-webhook-configuration` }, webhooks }),
  ];
  return [
    configuration(kinds.mutatingWebhookConfiguration, 'mutating', [mutating]),
    configuration(kinds.validatingWebhookConfiguration, 'validating', validating),
  ];
}

/** A ClusterRole and its binding of the same name. None of the installer's carries a managed-by label. */
export function clusterRole(
  name: string,
  serviceAccount: string,
  inNamespace: string,
  rules: Record<string, unknown>[],
): [Kind, KubeObject][] {
  return [
    pairOf(kinds.clusterRole, { metadata: { name }, rules }),
    pairOf(kinds.clusterRoleBinding, {
      metadata: { name },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
      subjects: [{ kind: 'ServiceAccount', name: serviceAccount, namespace: inNamespace }],
    }),
  ];
}
