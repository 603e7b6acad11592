import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import { type Cluster, objectOf } from '../shared/cluster/cluster.js';
import { textAt } from '../shared/cluster/fields.js';
import { type KubeObject, kinds } from '../shared/cluster/objects.js';
import { McprtError } from '../shared/errors.js';
import { applyGrant } from '../shared/permissions/apply.js';
import { manifestOf } from '../shared/permissions/manifest.js';
import { accountNamespace, accountOf, grants, type OperationName } from '../shared/permissions/operations.js';

const tokenWithin = 20_000;
const manager = 'mcprt';

export interface Account {
  environment: string;
  /** Text of its kubeconfig. It holds a token that does not end; deleting its Secret ends it. */
  kubeconfig: string;
  /** Namespaces of the platform that are not there yet, so that its Roles in them are not either. */
  missing: string[];
}

/** Where an API server is, as a kubeconfig says it. */
export interface Server {
  address: string;
  certificateAuthority: string | undefined;
}

/**
 * Makes the account of an environment with the RBAC of its operation, and gives its kubeconfig. What is there already
 * is kept, or brought up to this release.
 *
 * @throws McprtError `init-token` when the cluster makes no token for it
 */
export async function makeAccount(
  cluster: Cluster,
  environment: string,
  operation: OperationName,
  server: Server,
): Promise<Account> {
  const granted = grants.get(operation);
  const missing: string[] = [];
  for (const object of granted === undefined ? [] : manifestOf(operation, granted)) {
    if (!(await applyGrant(cluster, object, manager))) missing.push(object.metadata.namespace ?? '');
  }
  const token = await tokenOf(cluster, accountOf(operation));
  return { environment, kubeconfig: kubeconfigOf(environment, server, token), missing: [...new Set(missing)] };
}

/** Whether an address leads to the machine itself, as the kubeconfig that k3s writes does. */
export function isLoopback(address: string): boolean {
  const { hostname } = new URL(address);
  return hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.');
}

async function tokenOf(cluster: Cluster, account: string): Promise<string> {
  const ref = { namespace: accountNamespace, name: `${account}-token` };
  const annotations = { 'kubernetes.io/service-account.name': account };
  const secret = objectOf(kinds.secret, {
    metadata: { ...ref, annotations },
    type: 'kubernetes.io/service-account-token',
  });
  await cluster.apply(kinds.secret, secret, { manager });
  for (const end = Date.now() + tokenWithin; Date.now() < end; await sleep(100)) {
    const token = textAt(await cluster.get<KubeObject>(kinds.secret, ref), 'data', 'token');
    if (token !== '') return Buffer.from(token, 'base64').toString('utf8');
  }
  throw new McprtError('init-token', {
    what: `there is no token for ServiceAccount ${accountNamespace}/${account}`,
    why: `the controller that writes tokens into Secrets has not filled ${ref.name} within ${tokenWithin / 1000} s`,
    next: `see the events of that Secret, or make a token by kubectl create token -n ${accountNamespace} ${account}`,
  });
}

function kubeconfigOf(name: string, { address, certificateAuthority }: Server, token: string): string {
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name,
        cluster: {
          server: address,
          ...(certificateAuthority === undefined ? {} : { 'certificate-authority-data': certificateAuthority }),
        },
      },
    ],
    users: [{ name, user: { token } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    'current-context': name,
  });
}
