import { randomBytes } from 'node:crypto';
import { type Cluster, objectOf } from '../shared/cluster/cluster.js';
import { recordsAt, textAt } from '../shared/cluster/fields.js';
import { type Kind, type KubeObject, kinds } from '../shared/cluster/objects.js';
import { accountPolicy } from '../shared/permissions/account-policy.js';
import { applyGrant, kindOf } from '../shared/permissions/apply.js';
import { managedBy, manifestOf, type Subject } from '../shared/permissions/manifest.js';
import { accountNamespace, accountOf, grants, type OperationName } from '../shared/permissions/operations.js';
import { userOf, usersOf } from './authentication.js';

const manager = 'mcprt';
const authorization = 'rbac.authorization.k8s.io';

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

/**
 * Binds the jobs of a repository to the RBAC of what their environments do, and of nothing else: what they were bound to
 * before and are not wanted for any more is taken back. Jobs of other repositories keep what they have.
 *
 * @param secrets names of Secrets that this cluster has, besides the platform's
 */
export async function grantIdentities(
  cluster: Cluster,
  repository: string,
  wanted: readonly Wanted[],
  secrets: readonly string[],
): Promise<Granted[]> {
  const bindings = await bindingsOf(cluster);
  const ours = usersOf(repository);
  const granted: Granted[] = [];
  for (const { environment, operation } of wanted) {
    const subjects = [
      ...others(bindings.get(operation) ?? [], (name) => !ours(name)),
      user(userOf(repository, environment)),
    ];
    const missing = await applyAll(cluster, operation, { secrets, subjects });
    granted.push({ environment, missing });
  }
  await retireAccounts(cluster);
  for (const object of accountPolicy(managedBy)) await applyGrant(cluster, object, manager);
  const left = [...bindings].filter(([operation]) => !wanted.some((one) => one.operation === operation));
  for (const [operation, subjects] of left) {
    if (!subjects.some(({ kind, name }) => kind === 'User' && ours(name))) continue;
    const rest = others(subjects, (name) => !ours(name));
    if (rest.length > 0) await applyAll(cluster, operation, { secrets, subjects: rest });
    else await withdraw(cluster, operation);
  }
  return granted;
}

async function applyAll(
  cluster: Cluster,
  operation: OperationName,
  options: { secrets: readonly string[]; subjects: readonly Subject[] },
): Promise<string[]> {
  const granted = grants.get(operation);
  const missing: string[] = [];
  for (const object of granted === undefined ? [] : manifestOf(operation, granted, options)) {
    if (!(await applyGrant(cluster, object, manager))) missing.push(object.metadata.namespace ?? '');
  }
  return [...new Set(missing)].filter((namespace) => namespace !== '');
}

/** Accounts with tokens, which identities take the place of: nothing that could be stolen is left. */
async function retireAccounts(cluster: Cluster): Promise<void> {
  const gone = [...grants.keys()].flatMap((operation) => [
    { kind: kinds.serviceAccount, name: accountOf(operation) },
    { kind: kinds.secret, name: `${accountOf(operation)}-token` },
  ]);
  await Promise.all(gone.map(({ kind, name }) => cluster.delete(kind, { namespace: accountNamespace, name })));
}

async function withdraw(cluster: Cluster, operation: OperationName): Promise<void> {
  const granted = grants.get(operation);
  if (granted === undefined) return;
  const bindings = manifestOf(operation, granted).filter(
    ({ kind }) => /Binding$/.test(kind) && !/Admission/.test(kind),
  );
  await Promise.all(bindings.map((one) => cluster.delete(kindOf(one), one.metadata)));
}

/** Who is bound to each operation now. */
async function bindingsOf(cluster: Cluster): Promise<Map<OperationName, Subject[]>> {
  const lists = await Promise.all([cluster.list(kinds.clusterRoleBinding), cluster.list(kinds.roleBinding)]);
  const found = new Map<OperationName, Subject[]>();
  for (const { metadata, subjects } of lists.flatMap(({ items }) => items)) {
    const operation = [...grants.keys()].find((name) => metadata.name === `mcprt-${name}`);
    if (operation === undefined) continue;
    found.set(operation, [...(found.get(operation) ?? []), ...recordsAt({ subjects }, 'subjects').map(subjectOf)]);
  }
  return found;
}

function subjectOf(subject: Record<string, unknown>): Subject {
  const name = textAt(subject, 'name');
  return textAt(subject, 'kind') === 'User' ? user(name) : { kind: 'ServiceAccount', name };
}

function user(name: string): Subject {
  return { kind: 'User', apiGroup: authorization, name };
}

/** The users among subjects that somebody else's jobs are, each once. */
function others(subjects: readonly Subject[], isOther: (name: string) => boolean): Subject[] {
  const names = new Set(subjects.filter(({ kind, name }) => kind === 'User' && isOther(name)).map(({ name }) => name));
  return [...names].sort().map(user);
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
  | { state: 'taken' }
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
  if (/verify signature|failed to verify/.test(error) && !/fetching keys/.test(error)) return { state: 'taken' };
  return /oidc:/.test(error) ? { state: 'unreachable', detail: error } : { state: 'unknown' };
}
