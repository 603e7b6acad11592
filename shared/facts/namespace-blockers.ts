import { ApiError } from '../cluster/api-error.js';
import type { Cluster } from '../cluster/cluster.js';
import { type Condition, type Kind, type KubeObject, kinds } from '../cluster/objects.js';
import { isRecord } from '../json.js';

/** How many namespaces are explained in full, and how many objects of one kind are named. */
const explained = 5;
const named = 10;

/**
 * Says what holds namespaces that do not go: the objects that are left with their finalizers, and API services that do
 * not answer. Reads only.
 *
 * @param groups API groups with their served versions, the preferred one first
 */
export async function explainStuck(
  cluster: Cluster,
  namespaces: readonly KubeObject[],
  groups: ReadonlyMap<string, string[]>,
): Promise<string[]> {
  const details = await Promise.all(namespaces.slice(0, explained).map((one) => explainOne(cluster, one, groups)));
  const rest = namespaces.slice(explained).map(({ metadata }) => metadata.name);
  const dead = namespaces.some((one) => conditionsOf(one).some(isDiscoveryFailure)) ? await deadServices(cluster) : [];
  return [
    ...details.flat(),
    ...(rest.length > 0 ? [`and ${rest.length} more: ${rest.slice(0, 50).join(', ')}`] : []),
    ...dead,
  ];
}

/** Kinds that a namespace's condition says are left in it: `NamespaceContentRemaining` of the namespace controller. */
export function remainingKinds(conditions: readonly Condition[], groups: ReadonlyMap<string, string[]>): Kind[] {
  return conditions
    .filter(({ type, status }) => type === 'NamespaceContentRemaining' && status === 'True')
    .flatMap(({ message = '' }) => resourcesIn(message))
    .flatMap(([plural, group]) => {
      const version = group === '' ? 'v1' : groups.get(group)?.[0];
      return version === undefined ? [] : [{ kind: plural, group, version, plural, namespaced: true }];
    });
}

/** Plural and group of each `configmaps. has 2 resource instances` of a message. */
function resourcesIn(message: string): [string, string][] {
  const words = message.split(/[\s,]+/);
  return words.flatMap((word, at): [string, string][] => {
    const [, plural, group] = /^([a-z0-9-]{1,63})\.([a-z0-9.-]{0,253})$/.exec(word) ?? [];
    const isCounted = words[at + 1] === 'has' && words[at + 3] === 'resource' && words[at + 4] === 'instances';
    return isCounted && plural !== undefined && group !== undefined ? [[plural, group]] : [];
  });
}

async function explainOne(
  cluster: Cluster,
  namespace: KubeObject,
  groups: ReadonlyMap<string, string[]>,
): Promise<string[]> {
  const { name } = namespace.metadata;
  const conditions = conditionsOf(namespace);
  const lists = await Promise.all(
    remainingKinds(conditions, groups).map(async (kind) => {
      const { items } = await cluster.list(kind, { namespace: name }).catch((error: unknown) => {
        // A role that may delete namespaces need not read all that is in them.
        if (error instanceof ApiError) return { items: [] };
        throw error;
      });
      return items.slice(0, named).map((object) => `${name}: ${heldBy(kind, object)}`);
    }),
  );
  const objects = lists.flat();
  const own = namespace.metadata.finalizers ?? [];
  const failures = conditions
    .filter(({ type, status }) => status === 'True' && /Failure$/.test(type))
    .map(({ type, message }) => `${name}: ${type}: ${message}`);
  const remaining = conditions
    .filter(({ type, status }) => status === 'True' && /Remaining$/.test(type))
    .map(({ message }) => `${name}: ${message}`);
  const lines = [
    ...(objects.length > 0 ? objects : remaining),
    ...failures,
    ...(own.length > 0 ? [`${name}: the namespace itself has finalizers ${own.join(', ')}`] : []),
  ];
  return lines.length > 0 ? lines : [`${name}: the cluster’s namespace controller has not said why`];
}

function heldBy({ plural, group }: Kind, { metadata }: KubeObject): string {
  const subject = `${group === '' ? plural : `${plural}.${group}`} ${metadata.name}`;
  const finalizers = metadata.finalizers ?? [];
  if (finalizers.length > 0) return `${subject} waits for ${finalizers.join(', ')}`;
  return metadata.deletionTimestamp === undefined
    ? `${subject} is not being deleted yet`
    : `${subject} is being deleted since ${metadata.deletionTimestamp}`;
}

async function deadServices(cluster: Cluster): Promise<string[]> {
  const { items } = await cluster.list(kinds.apiService);
  return items.flatMap((service) => {
    const unavailable = conditionsOf(service).find(({ type, status }) => type === 'Available' && status === 'False');
    return unavailable === undefined
      ? []
      : [`APIService ${service.metadata.name} does not answer: ${unavailable.reason}: ${unavailable.message}`];
  });
}

function isDiscoveryFailure({ type, status }: Condition): boolean {
  return type === 'NamespaceDeletionDiscoveryFailure' && status === 'True';
}

// The API server has checked a status against its kind's schema.
function conditionsOf({ status }: KubeObject): Condition[] {
  return isRecord(status) && Array.isArray(status.conditions) ? (status.conditions as Condition[]) : [];
}
