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

const kind = (kindName: string, group: string, version: string, plural: string, namespaced = true): Kind =>
  Object.freeze({ kind: kindName, group, version, plural, namespaced });

/** The kinds that mcprt reads or writes. */
export const kinds = {
  namespace: kind('Namespace', '', 'v1', 'namespaces', false),
  secret: kind('Secret', '', 'v1', 'secrets'),
  configMap: kind('ConfigMap', '', 'v1', 'configmaps'),
  node: kind('Node', '', 'v1', 'nodes', false),
  pod: kind('Pod', '', 'v1', 'pods'),
  service: kind('Service', '', 'v1', 'services'),
  event: kind('Event', '', 'v1', 'events'),
  serviceAccount: kind('ServiceAccount', '', 'v1', 'serviceaccounts'),
  resourceQuota: kind('ResourceQuota', '', 'v1', 'resourcequotas'),
  limitRange: kind('LimitRange', '', 'v1', 'limitranges'),
  persistentVolumeClaim: kind('PersistentVolumeClaim', '', 'v1', 'persistentvolumeclaims'),
  persistentVolume: kind('PersistentVolume', '', 'v1', 'persistentvolumes', false),
  deployment: kind('Deployment', 'apps', 'v1', 'deployments'),
  replicaSet: kind('ReplicaSet', 'apps', 'v1', 'replicasets'),
  statefulSet: kind('StatefulSet', 'apps', 'v1', 'statefulsets'),
  daemonSet: kind('DaemonSet', 'apps', 'v1', 'daemonsets'),
  job: kind('Job', 'batch', 'v1', 'jobs'),
  storageClass: kind('StorageClass', 'storage.k8s.io', 'v1', 'storageclasses', false),
  networkPolicy: kind('NetworkPolicy', 'networking.k8s.io', 'v1', 'networkpolicies'),
  apiService: kind('APIService', 'apiregistration.k8s.io', 'v1', 'apiservices', false),
  role: kind('Role', 'rbac.authorization.k8s.io', 'v1', 'roles'),
  roleBinding: kind('RoleBinding', 'rbac.authorization.k8s.io', 'v1', 'rolebindings'),
  clusterRole: kind('ClusterRole', 'rbac.authorization.k8s.io', 'v1', 'clusterroles', false),
  clusterRoleBinding: kind('ClusterRoleBinding', 'rbac.authorization.k8s.io', 'v1', 'clusterrolebindings', false),
  mutatingWebhookConfiguration: kind(
    'MutatingWebhookConfiguration',
    'admissionregistration.k8s.io',
    'v1',
    'mutatingwebhookconfigurations',
    false,
  ),
  validatingWebhookConfiguration: kind(
    'ValidatingWebhookConfiguration',
    'admissionregistration.k8s.io',
    'v1',
    'validatingwebhookconfigurations',
    false,
  ),
  mcpServer: kind('MCPServer', 'mcpruntime.org', 'v1alpha1', 'mcpservers'),
  mcpAccessGrant: kind('MCPAccessGrant', 'mcpruntime.org', 'v1alpha1', 'mcpaccessgrants'),
  mcpAgentSession: kind('MCPAgentSession', 'mcpruntime.org', 'v1alpha1', 'mcpagentsessions'),
  ingress: kind('Ingress', 'networking.k8s.io', 'v1', 'ingresses'),
  ingressClass: kind('IngressClass', 'networking.k8s.io', 'v1', 'ingressclasses', false),
  lease: kind('Lease', 'coordination.k8s.io', 'v1', 'leases'),
  crd: kind('CustomResourceDefinition', 'apiextensions.k8s.io', 'v1', 'customresourcedefinitions', false),
  certificate: kind('Certificate', 'cert-manager.io', 'v1', 'certificates'),
  certificateRequest: kind('CertificateRequest', 'cert-manager.io', 'v1', 'certificaterequests'),
  issuer: kind('Issuer', 'cert-manager.io', 'v1', 'issuers'),
  clusterIssuer: kind('ClusterIssuer', 'cert-manager.io', 'v1', 'clusterissuers', false),
  order: kind('Order', 'acme.cert-manager.io', 'v1', 'orders'),
  challenge: kind('Challenge', 'acme.cert-manager.io', 'v1', 'challenges'),
  admissionPolicy: kind(
    'ValidatingAdmissionPolicy',
    'admissionregistration.k8s.io',
    'v1',
    'validatingadmissionpolicies',
    false,
  ),
  admissionPolicyBinding: kind(
    'ValidatingAdmissionPolicyBinding',
    'admissionregistration.k8s.io',
    'v1',
    'validatingadmissionpolicybindings',
    false,
  ),
  selfSubjectAccessReview: kind(
    'SelfSubjectAccessReview',
    'authorization.k8s.io',
    'v1',
    'selfsubjectaccessreviews',
    false,
  ),
  selfSubjectRulesReview: kind(
    'SelfSubjectRulesReview',
    'authorization.k8s.io',
    'v1',
    'selfsubjectrulesreviews',
    false,
  ),
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
