import type { Method } from '../../shared/cluster/transport.js';

/** One request that must be refused. Writes are dry runs: they are authorised and admitted for real. */
export interface Attempt {
  name: string;
  method: Method;
  path: string;
  body?: unknown;
  contentType?: string;
  headers?: Record<string, string>;
}

const dry = '?dryRun=All';
const rbac = '/apis/rbac.authorization.k8s.io/v1';
const admin = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' };
const everything = [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }];
const applying = 'application/apply-patch+yaml';
const merging = 'application/merge-patch+json';

/** What the thief would make. */
const thiefs = (apiVersion: string, kind: string, more: object = {}): object => ({
  apiVersion,
  kind,
  metadata: { name: 'thief' },
  ...more,
});
const roles = 'rbac.authorization.k8s.io/v1';
const subjects = [{ kind: 'User', apiGroup: admin.apiGroup, name: 'thief' }];

const secret = (name: string, namespace: string, type: string, more: object = {}): Attempt => ({
  name,
  method: 'POST',
  path: `/api/v1/namespaces/${namespace}/secrets${dry}`,
  body: { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'thief', namespace, ...more }, type },
});

/** The known ways from some rights to more of them. */
export const escalations: readonly Attempt[] = [
  {
    name: 'a binding to cluster-admin',
    method: 'POST',
    path: `${rbac}/clusterrolebindings${dry}`,
    body: thiefs(roles, 'ClusterRoleBinding', { roleRef: admin, subjects }),
  },
  {
    name: 'a binding in kube-system',
    method: 'POST',
    path: `${rbac}/namespaces/kube-system/rolebindings${dry}`,
    body: thiefs(roles, 'RoleBinding', { roleRef: admin, subjects }),
  },
  {
    name: 'a role with everything',
    method: 'POST',
    path: `${rbac}/clusterroles${dry}`,
    body: thiefs(roles, 'ClusterRole', { rules: everything }),
  },
  ...['mcprt-backup', 'mcprt-restore', 'view'].map(
    (name): Attempt => ({
      name: `more rights for role ${name}`,
      method: 'PATCH',
      path: `${rbac}/clusterroles/${name}${dry}&fieldManager=thief&force=true`,
      contentType: applying,
      body: thiefs(roles, 'ClusterRole', { metadata: { name }, rules: everything }),
    }),
  ),
  {
    name: 'a group',
    method: 'GET',
    path: '/api/v1/namespaces',
    headers: { 'impersonate-user': 'thief', 'impersonate-group': 'system:masters' },
  },
  {
    name: 'a token of kube-system’s own account',
    method: 'POST',
    path: '/api/v1/namespaces/kube-system/serviceaccounts/clusterrole-aggregation-controller/token',
    body: {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      metadata: { name: 'clusterrole-aggregation-controller', namespace: 'kube-system' },
      spec: {},
    },
  },
  secret('a Secret that the cluster fills with a token', 'kube-system', 'kubernetes.io/service-account-token', {
    annotations: { 'kubernetes.io/service-account.name': 'clusterrole-aggregation-controller' },
  }),
  secret('a Secret with a token of an app', 'mcp-sentinel', 'kubernetes.io/service-account-token', {
    annotations: { 'kubernetes.io/service-account.name': 'default' },
  }),
  secret('a Secret that lets a node join', 'kube-system', 'bootstrap.kubernetes.io/token'),
  {
    name: 'the token of a dashboard, by a patch that changes nothing',
    method: 'PATCH',
    path: `/api/v1/namespaces/kube-system/secrets/dashboard-token${dry}`,
    contentType: merging,
    body: { metadata: { labels: { thief: 'yes' } } },
  },
  {
    name: 'a pod in kube-system',
    method: 'POST',
    path: `/api/v1/namespaces/kube-system/pods${dry}`,
    body: thiefs('v1', 'Pod', {
      spec: {
        serviceAccountName: 'clusterrole-aggregation-controller',
        containers: [{ name: 'thief', image: 'thief' }],
      },
    }),
  },
  {
    name: 'a command in a pod of kube-system',
    method: 'POST',
    path: '/api/v1/namespaces/kube-system/pods/coredns/exec?command=sh&stdout=true',
  },
  { name: 'a way through a node', method: 'GET', path: '/api/v1/nodes/lab-node/proxy/pods' },
  {
    name: 'a certificate of the cluster’s CA',
    method: 'POST',
    path: `/apis/certificates.k8s.io/v1/certificatesigningrequests${dry}`,
    body: thiefs('certificates.k8s.io/v1', 'CertificateSigningRequest', {
      spec: { request: 'eA==', signerName: 'kubernetes.io/kube-apiserver-client', usages: ['client auth'] },
    }),
  },
  {
    name: 'the end of the policy of the accounts',
    method: 'DELETE',
    path: `/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/mcprt-accounts${dry}`,
  },
  {
    name: 'the end of the binding of that policy',
    method: 'DELETE',
    path: `/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings/mcprt-accounts${dry}`,
  },
  {
    name: 'another content of that policy',
    method: 'PATCH',
    path: `/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/mcprt-accounts${dry}`,
    contentType: merging,
    body: { spec: { failurePolicy: 'Ignore' } },
  },
  {
    name: 'a webhook that sees every Secret',
    method: 'POST',
    path: `/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations${dry}`,
    body: thiefs('admissionregistration.k8s.io/v1', 'MutatingWebhookConfiguration'),
  },
  {
    name: 'an API server of its own',
    method: 'POST',
    path: `/apis/apiregistration.k8s.io/v1/apiservices${dry}`,
    body: thiefs('apiregistration.k8s.io/v1', 'APIService', {
      metadata: { name: 'v1.thief.dev' },
      spec: { group: 'thief.dev', version: 'v1', groupPriorityMinimum: 1, versionPriority: 1 },
    }),
  },
  {
    name: 'another image in kube-system',
    method: 'PATCH',
    path: `/apis/apps/v1/namespaces/kube-system/deployments/coredns${dry}`,
    contentType: merging,
    body: { spec: { template: { spec: { serviceAccountName: 'clusterrole-aggregation-controller' } } } },
  },
  { name: 'all Secrets of kube-system', method: 'GET', path: '/api/v1/namespaces/kube-system/secrets' },
  { name: 'all Secrets', method: 'GET', path: '/api/v1/secrets' },
];
