/** A Kubernetes object as the API server sends it. Nothing in it is renamed, converted or dropped. */
export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
  [field: string]: unknown;
}

export interface ObjectMeta {
  name: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: OwnerReference[];
  finalizers?: string[];
  managedFields?: unknown[];
  [field: string]: unknown;
}

export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

/** A condition of an object's status, in the shape that every built-in kind and cert-manager use. */
export interface Condition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
  lastTransitionTime?: string;
}

/** Where a kind lives in the API: enough to build its paths. */
export interface Kind {
  readonly kind: string;
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly namespaced: boolean;
}

/** A kind by its API version; its plural is made as Kubernetes makes it where nobody says (UnsafeGuessKindToResource). */
function kind(name: string, apiVersion: string, namespaced = true): Kind {
  const [version = '', group = ''] = apiVersion.split('/').reverse();
  const small = name.toLowerCase();
  const plural = small.endsWith('s') ? `${small}es` : small.endsWith('y') ? `${small.slice(0, -1)}ies` : `${small}s`;
  return Object.freeze({ kind: name, group, version, plural, namespaced });
}

/** The kinds that mcprt reads or writes. */
export const kinds = {
  namespace: kind('Namespace', 'v1', false),
  secret: kind('Secret', 'v1'),
  configMap: kind('ConfigMap', 'v1'),
  node: kind('Node', 'v1', false),
  pod: kind('Pod', 'v1'),
  service: kind('Service', 'v1'),
  event: kind('Event', 'v1'),
  endpointSlice: kind('EndpointSlice', 'discovery.k8s.io/v1'),
  serviceAccount: kind('ServiceAccount', 'v1'),
  resourceQuota: kind('ResourceQuota', 'v1'),
  limitRange: kind('LimitRange', 'v1'),
  persistentVolumeClaim: kind('PersistentVolumeClaim', 'v1'),
  persistentVolume: kind('PersistentVolume', 'v1', false),
  deployment: kind('Deployment', 'apps/v1'),
  replicaSet: kind('ReplicaSet', 'apps/v1'),
  statefulSet: kind('StatefulSet', 'apps/v1'),
  daemonSet: kind('DaemonSet', 'apps/v1'),
  job: kind('Job', 'batch/v1'),
  storageClass: kind('StorageClass', 'storage.k8s.io/v1', false),
  networkPolicy: kind('NetworkPolicy', 'networking.k8s.io/v1'),
  apiService: kind('APIService', 'apiregistration.k8s.io/v1', false),
  role: kind('Role', 'rbac.authorization.k8s.io/v1'),
  roleBinding: kind('RoleBinding', 'rbac.authorization.k8s.io/v1'),
  clusterRole: kind('ClusterRole', 'rbac.authorization.k8s.io/v1', false),
  clusterRoleBinding: kind('ClusterRoleBinding', 'rbac.authorization.k8s.io/v1', false),
  mutatingWebhookConfiguration: kind('MutatingWebhookConfiguration', 'admissionregistration.k8s.io/v1', false),
  validatingWebhookConfiguration: kind('ValidatingWebhookConfiguration', 'admissionregistration.k8s.io/v1', false),
  mcpServer: kind('MCPServer', 'mcpruntime.org/v1alpha1'),
  mcpAccessGrant: kind('MCPAccessGrant', 'mcpruntime.org/v1alpha1'),
  mcpAgentSession: kind('MCPAgentSession', 'mcpruntime.org/v1alpha1'),
  ingress: kind('Ingress', 'networking.k8s.io/v1'),
  // Its definition has the plural of English.
  gateway: Object.freeze({ ...kind('Gateway', 'gateway.networking.k8s.io/v1'), plural: 'gateways' }),
  ingressClass: kind('IngressClass', 'networking.k8s.io/v1', false),
  lease: kind('Lease', 'coordination.k8s.io/v1'),
  crd: kind('CustomResourceDefinition', 'apiextensions.k8s.io/v1', false),
  certificate: kind('Certificate', 'cert-manager.io/v1'),
  certificateRequest: kind('CertificateRequest', 'cert-manager.io/v1'),
  issuer: kind('Issuer', 'cert-manager.io/v1'),
  clusterIssuer: kind('ClusterIssuer', 'cert-manager.io/v1', false),
  order: kind('Order', 'acme.cert-manager.io/v1'),
  challenge: kind('Challenge', 'acme.cert-manager.io/v1'),
  admissionPolicy: kind('ValidatingAdmissionPolicy', 'admissionregistration.k8s.io/v1', false),
  admissionPolicyBinding: kind('ValidatingAdmissionPolicyBinding', 'admissionregistration.k8s.io/v1', false),
  selfSubjectAccessReview: kind('SelfSubjectAccessReview', 'authorization.k8s.io/v1', false),
  selfSubjectRulesReview: kind('SelfSubjectRulesReview', 'authorization.k8s.io/v1', false),
} as const satisfies Record<string, Kind>;

/** `v1` or `group/version`, as an object of that kind carries it. */
export function apiVersionOf(kindOf: Kind): string {
  return kindOf.group === '' ? kindOf.version : `${kindOf.group}/${kindOf.version}`;
}

/** How an object is called in messages: `Secret registry/registry-tls`. */
export function nameOf(object: { kind: string; metadata: { name: string; namespace?: string } }): string {
  const { name, namespace } = object.metadata;
  return `${object.kind} ${namespace === undefined ? name : `${namespace}/${name}`}`;
}

/** What tells an object from the others of its kind: `namespace/name`. */
export function keyOf({ namespace, name }: { namespace?: string; name: string }): string {
  return `${namespace ?? ''}/${name}`;
}
