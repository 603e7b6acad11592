import { objectOf } from '../cluster/cluster.js';
import { type KubeObject, kinds } from '../cluster/objects.js';
import { accountNamespace } from './operations.js';

const name = 'mcprt-accounts';

/**
 * What RBAC cannot say: an account that may create Secrets may make one that the cluster fills with the token of any
 * ServiceAccount of that namespace, and whoever may read it then is that account. So no account of ours makes such a Secret.
 * An API server without policies (before Kubernetes 1.30) has no such limit.
 */
export function accountPolicy(labels: Readonly<Record<string, string>>): KubeObject[] {
  const metadata = { name, labels: { ...labels } };
  return [
    objectOf(kinds.admissionPolicy, {
      metadata,
      spec: {
        failurePolicy: 'Fail',
        matchConstraints: {
          resourceRules: [
            { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['secrets'] },
          ],
        },
        matchConditions: [
          {
            name: 'by-an-account-of-mcprt',
            expression: `request.userInfo.username.startsWith('mcprt:repo:') || request.userInfo.username.startsWith('system:serviceaccount:${accountNamespace}:mcprt-')`,
          },
        ],
        validations: [
          {
            expression:
              "!has(object.type) || !(object.type in ['kubernetes.io/service-account-token', 'bootstrap.kubernetes.io/token'])",
            message: 'an account of mcprt makes no Secret that is a credential of the cluster',
            reason: 'Forbidden',
          },
        ],
      },
    }),
    objectOf(kinds.admissionPolicyBinding, {
      metadata,
      spec: { policyName: name, validationActions: ['Deny'] },
    }),
  ];
}
