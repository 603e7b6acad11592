import { ApiError } from '../shared/cluster/api-error.js';
import { type Cluster, isConflict, isNotFound } from '../shared/cluster/cluster.js';
import { recordsAt, textAt } from '../shared/cluster/fields.js';
import { type KubeObject, kinds } from '../shared/cluster/objects.js';
import { McprtError } from '../shared/errors.js';
import { accountPolicy } from '../shared/permissions/account-policy.js';
import { applyGrant, kindOf } from '../shared/permissions/apply.js';
import { managedBy, manifestOf, type Subject } from '../shared/permissions/manifest.js';
import { accountNamespace, accountOf, grants, type OperationName } from '../shared/permissions/operations.js';

const manager = 'mcprt';
const attempts = 10;
/** Which repository's jobs an account was made for. */
const madeFor = 'mcprt.dev/repository';

/** An operation, and who of ours is to be bound to it. */
export interface Claim {
  operation: OperationName;
  subject: Subject;
}

export interface BindingOptions {
  claims: readonly Claim[];
  /** `OWNER/NAME`; empty where it is not known. */
  repository: string;
  /** Whether a subject is one of this repository's, which has what is claimed and nothing else. */
  isOurs: (subject: Subject) => boolean;
  /** Names of Secrets that this cluster has, besides the platform's. */
  secrets: readonly string[];
}

/**
 * Grants operations to subjects, and takes back what subjects of the same repository had before and is not claimed. Those of
 * others, and whoever was bound by hand, keep what they have: also when two of these runs come together.
 *
 * @returns namespaces by operation that are not there yet, so that its Roles in them are not either
 */
export async function bindOperations(
  cluster: Cluster,
  { claims, repository, isOurs, secrets }: BindingOptions,
): Promise<Map<OperationName, string[]>> {
  const missing = new Map<OperationName, string[]>();
  for (const object of accountPolicy(managedBy)) await applyGrant(cluster, object, manager);
  for (const [operation, granted] of ownOperations()) {
    const claim = claims.find((one) => one.operation === operation);
    const subjects = claim === undefined ? [] : [claim.subject];
    const objects = manifestOf(operation, granted, {
      secrets,
      ...(claim?.subject.kind === 'ServiceAccount' ? {} : { subjects }),
    });
    const absent: string[] = [];
    for (const object of objects) {
      const isDone = isBinding(object)
        ? await rebind(cluster, object, (present) => [...present.filter((one) => !isOurs(one)), ...subjects])
        : claim === undefined || (await applyGrant(cluster, marked(object, repository), manager));
      if (!isDone) absent.push(object.metadata.namespace ?? '');
    }
    missing.set(
      operation,
      [...new Set(absent)].filter((namespace) => namespace !== ''),
    );
  }
  return missing;
}

/** Every operation that has an account of its own; an option is bound by hand, and stays as it is. */
function ownOperations() {
  return [...grants].filter(([name, { accounts }]) => accounts.includes(accountOf(name)));
}

/**
 * Ends accounts with tokens that this repository does not need any more: their tokens end with them. An account of nobody's,
 * as an earlier release and people by hand make it, is only touched for an operation that is claimed anew.
 *
 * @param keeps operations whose account stays
 * @returns the names of those that went
 */
export async function retireAccounts(
  cluster: Cluster,
  {
    repository,
    claimed,
    keeps,
  }: { repository: string; claimed: readonly OperationName[]; keeps: readonly OperationName[] },
): Promise<string[]> {
  const { items } = await cluster.list(kinds.serviceAccount, { namespace: accountNamespace });
  const retired: string[] = [];
  for (const [operation] of ownOperations()) {
    const name = accountOf(operation);
    // A token that never ends, which an earlier release has put where six accounts could read it.
    await cluster.delete(kinds.secret, { namespace: accountNamespace, name: `${name}-token` });
    const found = items.find(({ metadata }) => metadata.name === name);
    if (found === undefined || keeps.includes(operation)) continue;
    const owner = ownerOf(found);
    if (owner === undefined ? !claimed.includes(operation) : owner !== repository.toLowerCase()) continue;
    await cluster.delete(kinds.serviceAccount, { namespace: accountNamespace, name });
    retired.push(name);
  }
  return retired;
}

/** Whether a subject is one of some accounts. */
export function isAccount(names: readonly string[]): (subject: Subject) => boolean {
  return ({ kind, name }) => kind === 'ServiceAccount' && names.includes(name);
}

/** Changes who is bound, whatever others do meanwhile. @returns false where its namespace is not there, or is going */
async function rebind(
  cluster: Cluster,
  object: KubeObject,
  change: (present: readonly Subject[]) => Subject[],
): Promise<boolean> {
  const kind = kindOf(object);
  for (let left = attempts; left > 0; left--) {
    const found = await cluster.get<KubeObject>(kind, object.metadata);
    const present = recordsAt(found, 'subjects').map(subjectOf);
    const next = distinct(change(present));
    try {
      if (found === undefined) {
        if (next.length > 0) await cluster.create(kind, { ...object, subjects: next });
        return true;
      }
      if (next.length === 0 && present.length > 0) {
        await cluster.delete(kind, object.metadata, { uid: found.metadata.uid ?? '' });
        return true;
      }
      await cluster.patch(kind, object.metadata, [
        { op: 'test', path: '/metadata/resourceVersion', value: found.metadata.resourceVersion },
        { op: 'add', path: '/subjects', value: next },
        { op: 'add', path: '/metadata/labels', value: { ...found.metadata.labels, ...managedBy } },
      ]);
      return true;
    } catch (error) {
      if (isNotFound(error) || (error instanceof ApiError && /being terminated/.test(error.detail))) return false;
      if (!isConflict(error)) throw error;
    }
  }
  throw new McprtError('init-busy', {
    what: `${object.kind} ${object.metadata.name} is changed by somebody else repeatedly`,
    why: `it was another one each time in ${attempts} tries`,
    next: 'wait until nobody else changes it, and run this again',
  });
}

/** The repository, in small letters, that an account was made for; undefined for one of nobody's. */
export function ownerOf({ metadata }: KubeObject): string | undefined {
  return metadata.annotations?.[madeFor];
}

function marked(object: KubeObject, repository: string): KubeObject {
  if (object.kind !== kinds.serviceAccount.kind || repository === '') return object;
  const annotations = { [madeFor]: repository.toLowerCase() };
  return { ...object, metadata: { ...object.metadata, annotations } };
}

function isBinding({ kind }: KubeObject): boolean {
  return kind === kinds.clusterRoleBinding.kind || kind === kinds.roleBinding.kind;
}

function subjectOf(subject: Record<string, unknown>): Subject {
  const [kind, name, namespace] = [textAt(subject, 'kind'), textAt(subject, 'name'), textAt(subject, 'namespace')];
  if (kind === 'ServiceAccount') return { kind, name, namespace };
  return { kind: kind === 'Group' ? 'Group' : 'User', apiGroup: 'rbac.authorization.k8s.io', name };
}

function distinct(subjects: readonly Subject[]): Subject[] {
  return [...new Map(subjects.map((one) => [`${one.kind} ${one.namespace ?? ''}/${one.name}`, one])).values()];
}
