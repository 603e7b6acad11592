import { ApiError } from '../cluster/api-error.js';
import { type Cluster, objectOf } from '../cluster/cluster.js';
import { at, recordsAt } from '../cluster/fields.js';
import { kinds } from '../cluster/objects.js';
import { type Demand, demandsOf, type PermissionRule } from './rule.js';

/** A rule as the API server says that it grants it. */
export interface Granted {
  verbs: readonly string[];
  apiGroups: readonly string[];
  resources: readonly string[];
  resourceNames: readonly string[];
}

/** No namespace can be called so: what is granted in it is granted in the whole cluster. */
const nowhere = '-';

/**
 * Asks the API server which of some rules its credentials lack. Optional ones are not asked about. One question for the
 * whole cluster and one for each namespace, all at once; what their answers do not show is asked for one by one, as some
 * authorizers cannot list what they grant.
 *
 * @returns undefined where the API server answers no such questions
 */
export async function lackingOf(cluster: Cluster, rules: readonly PermissionRule[]): Promise<Demand[] | undefined> {
  const due = rules.filter(({ optional }) => !optional);
  const places = [...new Set(due.map(({ namespace }) => namespace))];
  try {
    const granted = new Map(
      await Promise.all(places.map(async (place) => [place, await grantedIn(cluster, place ?? nowhere)] as const)),
    );
    const open = due.flatMap((rule) =>
      demandsOf(rule)
        .filter((demand) => !(granted.get(demand.namespace) ?? []).some((one) => covers(one, demand)))
        .map((demand) => ({ demand, ifPresent: rule.ifPresent })),
    );
    const denied = await Promise.all(open.map(async (one) => ((await isAllowed(cluster, one.demand)) ? [] : [one])));
    return await withoutAbsent(cluster, denied.flat());
  } catch (error) {
    // Nobody may ask, and nothing that follows would say so as clearly.
    if (error instanceof ApiError && error.code === 'cluster-anonymous') throw error;
    if (error instanceof ApiError && [403, 404, 405].includes(error.status)) return undefined;
    throw error;
  }
}

/** Whether a granted rule allows what is demanded (the rules of Kubernetes' RBAC authorizer). */
export function covers({ verbs, apiGroups, resources, resourceNames }: Granted, demand: Demand): boolean {
  const { verb, group, plural, subresource, name } = demand;
  const resource = subresource === '' ? plural : `${plural}/${subresource}`;
  const isResource = resources.some(
    (one) => one === '*' || one === resource || (subresource !== '' && one === `*/${subresource}`),
  );
  return (
    isResource &&
    has(verbs, verb) &&
    has(apiGroups, group) &&
    (resourceNames.length === 0 || (name !== undefined && resourceNames.includes(name)))
  );
}

function has(words: readonly string[], word: string): boolean {
  return words.includes('*') || words.includes(word);
}

async function grantedIn(cluster: Cluster, namespace: string): Promise<Granted[]> {
  const kind = kinds.selfSubjectRulesReview;
  const review = await cluster.create(kind, objectOf(kind, { metadata: { name: '' }, spec: { namespace } }));
  return recordsAt(review, 'status', 'resourceRules').map((rule) => ({
    verbs: wordsAt(rule.verbs),
    apiGroups: wordsAt(rule.apiGroups),
    resources: wordsAt(rule.resources),
    resourceNames: wordsAt(rule.resourceNames),
  }));
}

async function isAllowed(cluster: Cluster, demand: Demand): Promise<boolean> {
  const { verb, group, plural, subresource, namespace, name } = demand;
  const resourceAttributes = {
    verb,
    group,
    resource: plural,
    ...(subresource === '' ? {} : { subresource }),
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
  };
  const kind = kinds.selfSubjectAccessReview;
  const review = await cluster.create(kind, objectOf(kind, { metadata: { name: '' }, spec: { resourceAttributes } }));
  return at(review, 'status', 'allowed') === true;
}

/** Takes out what is demanded in a namespace that need not be there, and is not. */
async function withoutAbsent(
  cluster: Cluster,
  denied: readonly { demand: Demand; ifPresent: true | undefined }[],
): Promise<Demand[]> {
  const doubtful = new Set(denied.flatMap(({ demand, ifPresent }) => (ifPresent ? (demand.namespace ?? []) : [])));
  const absent = new Set<string>();
  for (const name of doubtful) {
    // Credentials that may not list namespaces are told what they lack in all of them.
    const present = await cluster.list(kinds.namespace, { fieldSelector: `metadata.name=${name}` }).then(
      ({ items }) => items.length > 0,
      () => true,
    );
    if (!present) absent.add(name);
  }
  return denied
    .filter(({ demand, ifPresent }) => !(ifPresent && absent.has(demand.namespace ?? '')))
    .map(({ demand }) => demand);
}

function wordsAt(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((word): word is string => typeof word === 'string') : [];
}
