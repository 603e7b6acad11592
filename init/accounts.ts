import { stringify } from 'yaml';
import { type Cluster, isNotFound } from '../shared/cluster/cluster.js';
import { requestToken } from '../shared/cluster/token-request.js';
import { McprtError } from '../shared/errors.js';
import { accountNamespace, accountOf, type OperationName } from '../shared/permissions/operations.js';
import { usersOf } from './authentication.js';
import { bindOperations, isAccount, retireAccounts } from './bindings.js';
import type { Wanted } from './identities.js';

/** In days: long enough to be renewed by hand, and short enough to be forgotten without harm. */
export const tokenDays = 90;

export interface Account {
  environment: string;
  /** Text of its kubeconfig. */
  kubeconfig: string;
  /** When its token ends: an API server may give a shorter one than it is asked for. */
  ends: Date;
  /** Namespaces of the platform that are not there yet, so that its Roles in them are not either. */
  missing: string[];
}

/** Where an API server is, as a kubeconfig says it. */
export interface Server {
  address: string;
  certificateAuthority: string | undefined;
  /** Name in its certificate, where that is not the one of the address. */
  name: string | undefined;
}

/**
 * Makes the accounts of environments with the RBAC of their operations, and gives their kubeconfigs, for an API server that
 * cannot be told to take GitHub's identities. What is there already is kept, or brought up to this release; what this
 * repository had and does not want any more goes. Tokens end, and are in no Secret of the cluster, where whoever reads
 * Secrets would find them; what an earlier release put there goes.
 *
 * @param secrets names of Secrets that this cluster has, besides the platform's
 * @throws McprtError `init-token` when the cluster makes no token for one
 */
export async function makeAccounts(
  cluster: Cluster,
  repository: string,
  wanted: readonly Wanted[],
  { server, secrets }: { server: Server; secrets: readonly string[] },
): Promise<Account[]> {
  const claimed = wanted.map(({ operation }) => operation);
  const retired = await retireAccounts(cluster, { repository, claimed: [], keeps: claimed });
  const [isOurUser, isRetired] = [usersOf(repository), isAccount(retired)];
  const missing = await bindOperations(cluster, {
    claims: wanted.map(({ operation }) => ({
      operation,
      subject: { kind: 'ServiceAccount', name: accountOf(operation), namespace: accountNamespace },
    })),
    repository,
    isOurs: (subject) =>
      (repository !== '' && subject.kind === 'User' && isOurUser(subject.name)) || isRetired(subject),
    secrets,
  });
  const accounts: Account[] = [];
  for (const one of wanted) {
    const { environment, operation } = one;
    const renewed = await renewAccount(cluster, one, server);
    accounts.push({ environment, missing: missing.get(operation) ?? [], ...renewed });
  }
  return accounts;
}

/**
 * A new kubeconfig for an account that is there; the token before it stays good until it ends.
 *
 * @throws McprtError `init-token`
 */
export async function renewAccount(
  cluster: Cluster,
  { environment, operation }: { environment: string; operation: OperationName },
  server: Server,
): Promise<Pick<Account, 'kubeconfig' | 'ends'>> {
  const { token, ends } = await tokenOf(cluster, accountOf(operation));
  return { kubeconfig: kubeconfigOf(environment, server, token), ends };
}

/** Whether an address leads to the machine itself, as the kubeconfig that k3s writes does. */
export function isLoopback(address: string): boolean {
  const { hostname } = new URL(address);
  return hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.');
}

async function tokenOf(cluster: Cluster, account: string): Promise<{ token: string; ends: Date }> {
  try {
    const made = await requestToken(cluster, { namespace: accountNamespace, name: account }, tokenDays * 24 * 3600);
    if (made.token !== '') return made;
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  throw new McprtError('init-token', {
    what: `there is no token for ServiceAccount ${accountNamespace}/${account}`,
    why: 'the account is not there, or the API server answers no TokenRequest',
    next: 'run init with --accounts --tokens, which makes the account',
  });
}

function kubeconfigOf(
  name: string,
  { address, certificateAuthority, name: serverName }: Server,
  token: string,
): string {
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name,
        cluster: {
          server: address,
          ...(certificateAuthority === undefined ? {} : { 'certificate-authority-data': certificateAuthority }),
          ...(serverName === undefined ? {} : { 'tls-server-name': serverName }),
        },
      },
    ],
    users: [{ name, user: { token } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    'current-context': name,
  });
}
