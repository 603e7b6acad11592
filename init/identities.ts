import { randomBytes } from 'node:crypto';
import { type Cluster, objectOf } from '../shared/cluster/cluster.js';
import { recordsAt, textAt } from '../shared/cluster/fields.js';
import { type Kind, type KubeObject, kinds } from '../shared/cluster/objects.js';
import type { OperationName } from '../shared/permissions/operations.js';
import { isIdentity, userOf, usersOf } from './authentication.js';
import { bindOperations, isAccount, retireAccounts } from './bindings.js';

/** An environment, and what its jobs do on the cluster. */
export interface Wanted {
  environment: string;
  operation: OperationName;
}

/** An environment that was granted its operation. */
export interface Granted {
  environment: string;
  /** Namespaces of the platform that are not there yet, so that its Roles in them are not either. */
  missing: string[];
}

/** What came of it. */
export interface Identities {
  granted: Granted[];
  /** Accounts with tokens that ended by it. */
  retired: string[];
  /** Whether jobs of another repository are let in as well. */
  hasOthers: boolean;
}

/**
 * Binds the jobs of a repository to the RBAC of what their environments do, and of nothing else: what they were bound to
 * before and are not wanted for any more is taken back, and their accounts with tokens end. Jobs of other repositories, and
 * whoever was bound by hand, keep what they have.
 *
 * @param secrets names of Secrets that this cluster has, besides the platform's
 */
export async function grantIdentities(
  cluster: Cluster,
  repository: string,
  wanted: readonly Wanted[],
  secrets: readonly string[],
): Promise<Identities> {
  const claimed = wanted.map(({ operation }) => operation);
  const retired = await retireAccounts(cluster, { repository, claimed, keeps: [] });
  const [isOurUser, isRetired] = [usersOf(repository), isAccount(retired)];
  const missing = await bindOperations(cluster, {
    claims: wanted.map(({ environment, operation }) => ({
      operation,
      subject: { kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: userOf(repository, environment) },
    })),
    repository,
    isOurs: (subject) => (subject.kind === 'User' && isOurUser(subject.name)) || isRetired(subject),
    secrets,
  });
  const bindings = await cluster.list(kinds.clusterRoleBinding);
  const users = bindings.items.flatMap((one) => recordsAt(one, 'subjects').map((subject) => textAt(subject, 'name')));
  return {
    granted: wanted.map(({ environment, operation }) => ({ environment, missing: missing.get(operation) ?? [] })),
    retired,
    hasOthers: users.some((name) => isIdentity(name) && !isOurUser(name)),
  };
}

const tokenReview: Kind = {
  kind: 'TokenReview',
  group: 'authentication.k8s.io',
  version: 'v1',
  plural: 'tokenreviews',
  namespaced: false,
};

/** What an API server makes of identities of an issuer. */
export type Reception =
  /** It knows the issuer. What it asks for besides, only a signed identity shows. */
  | { state: 'known' }
  /** It knows the issuer, and cannot fetch its keys. */
  | { state: 'unreachable'; detail: string }
  | { state: 'unknown' };

/**
 * Asks an API server about a token of an issuer that nobody has signed. It refuses it, and by what it says why it is known
 * whether it would take a good one: only one that trusts the issuer looks at the signature.
 */
export async function receptionOf(cluster: Cluster, issuer: string, audience: string): Promise<Reception> {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: issuer, aud: audience, sub: 'mcprt', iat: now, nbf: now, exp: now + 300 };
  const token = `${part({ alg: 'RS256', typ: 'JWT', kid: 'mcprt' })}.${part(claims)}.${randomBytes(256).toString('base64url')}`;
  const review = await cluster.create<KubeObject>(
    tokenReview,
    objectOf(tokenReview, { metadata: { name: '' }, spec: { token } }),
  );
  const error = textAt(review, 'status', 'error');
  if (/verify signature|failed to verify/.test(error) && !/fetching keys/.test(error)) return { state: 'known' };
  return /oidc:/.test(error) ? { state: 'unreachable', detail: error } : { state: 'unknown' };
}
