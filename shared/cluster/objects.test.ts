import { describe, expect, it } from '@jest/globals';
import { pathOf } from './cluster.js';
import { apiVersionOf, type Kind, keyOf, kinds, nameOf } from './objects.js';

/** As `kubectl api-resources` shows them: what a path is made of is written here again, and not taken from the table. */
const resources = `
namespaces v1 false Namespace
secrets v1 true Secret
configmaps v1 true ConfigMap
nodes v1 false Node
pods v1 true Pod
services v1 true Service
endpointslices discovery.k8s.io/v1 true EndpointSlice
events v1 true Event
serviceaccounts v1 true ServiceAccount
resourcequotas v1 true ResourceQuota
limitranges v1 true LimitRange
persistentvolumeclaims v1 true PersistentVolumeClaim
persistentvolumes v1 false PersistentVolume
deployments apps/v1 true Deployment
replicasets apps/v1 true ReplicaSet
statefulsets apps/v1 true StatefulSet
daemonsets apps/v1 true DaemonSet
jobs batch/v1 true Job
storageclasses storage.k8s.io/v1 false StorageClass
networkpolicies networking.k8s.io/v1 true NetworkPolicy
apiservices apiregistration.k8s.io/v1 false APIService
roles rbac.authorization.k8s.io/v1 true Role
rolebindings rbac.authorization.k8s.io/v1 true RoleBinding
clusterroles rbac.authorization.k8s.io/v1 false ClusterRole
clusterrolebindings rbac.authorization.k8s.io/v1 false ClusterRoleBinding
mutatingwebhookconfigurations admissionregistration.k8s.io/v1 false MutatingWebhookConfiguration
validatingwebhookconfigurations admissionregistration.k8s.io/v1 false ValidatingWebhookConfiguration
mcpservers mcpruntime.org/v1alpha1 true MCPServer
mcpaccessgrants mcpruntime.org/v1alpha1 true MCPAccessGrant
mcpagentsessions mcpruntime.org/v1alpha1 true MCPAgentSession
ingresses networking.k8s.io/v1 true Ingress
gateways gateway.networking.k8s.io/v1 true Gateway
ingressclasses networking.k8s.io/v1 false IngressClass
leases coordination.k8s.io/v1 true Lease
customresourcedefinitions apiextensions.k8s.io/v1 false CustomResourceDefinition
certificates cert-manager.io/v1 true Certificate
certificaterequests cert-manager.io/v1 true CertificateRequest
issuers cert-manager.io/v1 true Issuer
clusterissuers cert-manager.io/v1 false ClusterIssuer
orders acme.cert-manager.io/v1 true Order
challenges acme.cert-manager.io/v1 true Challenge
validatingadmissionpolicies admissionregistration.k8s.io/v1 false ValidatingAdmissionPolicy
validatingadmissionpolicybindings admissionregistration.k8s.io/v1 false ValidatingAdmissionPolicyBinding
selfsubjectaccessreviews authorization.k8s.io/v1 false SelfSubjectAccessReview
selfsubjectrulesreviews authorization.k8s.io/v1 false SelfSubjectRulesReview
`;

describe('the kinds', () => {
  it('are where the API server has them', () => {
    const own = Object.values<Kind>(kinds).map((kind) =>
      [kind.plural, apiVersionOf(kind), kind.namespaced, kind.kind].join(' '),
    );
    expect(own.sort()).toEqual(resources.trim().split('\n').sort());
  });

  it('have paths of core and of groups, in a namespace, across all, and of the cluster', () => {
    expect([
      pathOf(kinds.secret, { namespace: 'a', name: 'b' }),
      pathOf(kinds.secret, { namespace: 'a' }),
      pathOf(kinds.secret, {}),
      pathOf(kinds.certificate, { namespace: 'a', name: 'b' }),
      pathOf(kinds.namespace, { name: 'a' }),
      // What is of the cluster has no namespace, whoever gives one.
      pathOf(kinds.clusterRole, { namespace: 'a', name: 'My:Role/x' }),
    ]).toEqual([
      '/api/v1/namespaces/a/secrets/b',
      '/api/v1/namespaces/a/secrets',
      '/api/v1/secrets',
      '/apis/cert-manager.io/v1/namespaces/a/certificates/b',
      '/api/v1/namespaces/a',
      '/apis/rbac.authorization.k8s.io/v1/clusterroles/My%3ARole%2Fx',
    ]);
  });

  it('have objects that are called by their place', () => {
    const [inside, whole] = [{ namespace: 'a', name: 'b' }, { name: 'b' }];
    expect([inside, whole].map((metadata) => nameOf({ kind: 'K', metadata }))).toEqual(['K a/b', 'K b']);
    expect([inside, whole].map((metadata) => keyOf(metadata))).toEqual(['a/b', '/b']);
  });
});
