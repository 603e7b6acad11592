import { randomUUID } from 'node:crypto';
import { isRecord } from '../../json.js';
import { ApiError } from '../api-error.js';
import { type Cluster, openCluster } from '../cluster.js';
import { apiVersionOf, type Kind, type KubeObject, kinds } from '../objects.js';
import type { Answer, Call, Transport } from '../transport.js';
import { refusalOf } from './memory-validation.js';
import { applied, forget, jsonPatched, type Stored } from './memory-writes.js';

/** What may be put between a call and its answer. */
export interface MemoryHooks {
  /** Called before a call is answered; what it throws is the answer. */
  before?: (call: Call) => void | Promise<void>;
  /** Called after an object was written or deleted, for whatever reacts in a cluster. */
  after?: (event: 'ADDED' | 'MODIFIED' | 'DELETED', object: KubeObject, api: MemoryApi) => void;
  /** Answers each question about permissions with no; nothing is refused for it. */
  mayNothing?: boolean;
}

export interface MemoryApi {
  cluster: Cluster;
  /** Writes that were stored: `POST /api/v1/…`. */
  readonly writes: string[];
  objects(kind: Kind): KubeObject[];
  find(kind: Kind, ref: { namespace?: string; name: string }): KubeObject | undefined;
  /** Puts an object there as somebody else would, without asking whether it may be. */
  put(object: KubeObject): KubeObject;
  remove(kind: Kind, ref: { namespace?: string; name: string }): void;
  hooks: MemoryHooks;
}

const kindByPath = new Map(Object.values(kinds).map((kind) => [`${kind.group}/${kind.plural}`, kind as Kind]));
const kindByName = new Map(Object.values(kinds).map((kind) => [`${apiVersionOf(kind)} ${kind.kind}`, kind as Kind]));

/**
 * An API server in memory, for tests: a stand-in that is as strict as the real one about what the code relies on (versions,
 * preconditions, conflicts, ownership of applied fields, immutable fields, types and sizes of Secrets, namespaces that are
 * not there, paging). It runs no controller: `hooks.after` can. What it does not know it answers with 404.
 *
 * @param served kinds that are not served, such as before a CustomResourceDefinition is installed
 */
export function memoryApi({ now = () => new Date(), unserved = [] as Kind[] } = {}): MemoryApi {
  const stored = new Map<string, Stored>();
  const watchers = new Set<(event: string, object: KubeObject, version: number) => void>();
  const history: { event: string; object: KubeObject; version: number }[] = [];
  const writes: string[] = [];
  let version = 1;
  let calls = 0;

  const keyFor = (kind: Kind, ref: { namespace?: string | undefined; name: string }): string =>
    `${kind.group}/${kind.plural} ${kind.namespaced ? (ref.namespace ?? '') : ''}/${ref.name}`;
  const all = (kind: Kind): KubeObject[] =>
    [...stored].filter(([key]) => key.startsWith(`${kind.group}/${kind.plural} `)).map(([, one]) => one.object);
  const tell = (event: 'ADDED' | 'MODIFIED' | 'DELETED', object: KubeObject): void => {
    history.push({ event, object, version });
    for (const watcher of watchers) watcher(event, object, version);
    api.hooks.after?.(event, object, api);
  };
  const keep = (kind: Kind, object: KubeObject, owners: Stored['owners']): KubeObject => {
    const key = keyFor(kind, object.metadata);
    const before = stored.get(key);
    version += 1;
    const { metadata } = object;
    const kept: KubeObject = {
      ...object,
      metadata: {
        ...metadata,
        uid: before?.object.metadata.uid ?? metadata.uid ?? randomUUID(),
        creationTimestamp:
          before?.object.metadata.creationTimestamp ?? metadata.creationTimestamp ?? now().toISOString(),
        resourceVersion: String(version),
        ...(kind === kinds.namespace
          ? { labels: { ...metadata.labels, 'kubernetes.io/metadata.name': metadata.name } }
          : {}),
      },
      ...(kind === kinds.secret && object.type === undefined ? { type: 'Opaque' } : {}),
    };
    stored.set(key, { object: kept, owners });
    tell(before === undefined ? 'ADDED' : 'MODIFIED', kept);
    return kept;
  };
  const drop = (kind: Kind, object: KubeObject): void => {
    stored.delete(keyFor(kind, object.metadata));
    version += 1;
    tell('DELETED', object);
    if (kind !== kinds.namespace) return;
    for (const [key, { object: inside }] of [...stored]) {
      const own = kindByName.get(`${inside.apiVersion} ${inside.kind}`);
      if (inside.metadata.namespace !== object.metadata.name || own === undefined || !stored.has(key)) continue;
      drop(own, inside);
    }
  };

  const answer = async (call: Call): Promise<Answer> => {
    calls += 1;
    await api.hooks.before?.(call);
    const url = new URL(call.path, 'https://memory');
    if (url.pathname === '/apis') return ok(groups(unserved));
    const [, group, inVersion] = /^\/apis\/([^/]+)\/([^/]+)$/.exec(url.pathname) ?? [];
    if (group !== undefined) return ok(resources(group, inVersion, unserved));
    if (url.pathname === '/version') return ok({ gitVersion: 'v1.36.3' });
    const target = targetOf(url);
    const fail = (status: number, reason: string, detail: string): never => {
      throw new ApiError(status, reason, detail, `${call.method} ${url.pathname}`);
    };
    if (target === undefined || unserved.includes(target.kind)) {
      return fail(404, 'NotFound', 'the server could not find the requested resource');
    }
    const { kind, namespace, name, subresource } = target;
    if (kind === kinds.selfSubjectRulesReview || kind === kinds.selfSubjectAccessReview)
      return ok(allowed(kind, call, api.hooks));
    const missing = (): never => fail(404, 'NotFound', `${kind.plural} ${JSON.stringify(name)} not found`);
    const dryRun = url.searchParams.get('dryRun') === 'All';
    const store = (object: KubeObject, owners: Stored['owners']): Answer => {
      if (dryRun) return ok(object);
      writes.push(`${call.method} ${url.pathname}`);
      return ok(keep(kind, object, owners), 201);
    };
    const admit = (object: KubeObject, before: KubeObject | undefined): void => {
      const home =
        namespace === undefined ? undefined : stored.get(keyFor(kinds.namespace, { name: namespace }))?.object;
      if (kind.namespaced && home === undefined) {
        fail(404, 'NotFound', `namespaces ${JSON.stringify(namespace)} not found`);
      }
      if (before === undefined && home?.metadata.deletionTimestamp !== undefined) {
        fail(403, 'Forbidden', `unable to create new content in namespace ${namespace} because it is being terminated`);
      }
      const denied = denyingPolicy(kind, before, all);
      if (denied !== undefined) fail(422, 'Invalid', denied);
      const refused = refusalOf(kind, object, before);
      if (refused !== undefined) fail(refused.status, refused.reason, refused.detail);
    };
    if (call.method === 'GET') {
      if (name !== undefined) {
        const found = stored.get(keyFor(kind, { namespace, name }));
        return found === undefined ? missing() : ok(found.object);
      }
      return ok(page(all(kind), url, namespace, version));
    }
    const body: unknown = call.body === undefined ? undefined : JSON.parse(call.body);
    if (call.method === 'POST') {
      const object = body as KubeObject;
      if (stored.has(keyFor(kind, { ...object.metadata, namespace }))) {
        fail(409, 'AlreadyExists', `${kind.plural} ${JSON.stringify(object.metadata.name)} already exists`);
      }
      admit(object, undefined);
      return store(object, forget());
    }
    const current = stored.get(keyFor(kind, { namespace, name: name ?? '' }));
    if (call.method === 'DELETE') {
      if (current === undefined) return missing();
      const uid = isRecord(body) && isRecord(body.preconditions) ? body.preconditions.uid : undefined;
      if (uid !== undefined && uid !== current.object.metadata.uid) {
        fail(
          409,
          'Conflict',
          `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${current.object.metadata.uid}`,
        );
      }
      writes.push(`DELETE ${url.pathname}`);
      drop(kind, current.object);
      return ok({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success' });
    }
    if (call.contentType === 'application/apply-patch+yaml') {
      const wanted = body as KubeObject;
      const given = wanted.metadata.resourceVersion;
      if (given !== undefined && given !== '' && given !== current?.object.metadata.resourceVersion) {
        fail(
          409,
          'Conflict',
          'the object has been modified; please apply your changes to the latest version and try again',
        );
      }
      const manager = url.searchParams.get('fieldManager') ?? '';
      const result = applied(current, wanted, { manager, force: url.searchParams.get('force') === 'true' });
      if ('conflict' in result) return fail(409, 'Conflict', result.conflict);
      admit(result.object, current?.object);
      return store(result.object, result.owners);
    }
    if (current === undefined) return missing();
    const patched = jsonPatched(current.object, body);
    // The real one says no more than this about a `test` that fails.
    if (patched === undefined)
      return fail(422, 'Invalid', 'the server rejected our request due to an error in our request');
    if (subresource === undefined) admit(patched, current.object);
    return store(patched, current.owners);
  };

  const transport: Transport = {
    call: (call) => answer(call),
    async *lines(call) {
      await api.hooks.before?.(call);
      const url = new URL(call.path, 'https://memory');
      const target = targetOf(url);
      const since = Number(url.searchParams.get('resourceVersion'));
      const queue = history.filter((one) => one.version > since);
      let wake = (): void => undefined;
      const watcher = (event: string, object: KubeObject, at: number): void => {
        queue.push({ event, object, version: at });
        wake();
      };
      watchers.add(watcher);
      try {
        while (!call.signal?.aborted) {
          const next = queue.shift();
          if (next === undefined) {
            await new Promise<void>((resolve) => {
              wake = resolve;
              call.signal?.addEventListener('abort', () => resolve(), { once: true });
            });
            continue;
          }
          if (target === undefined || !isOfKind(next.object, target.kind)) continue;
          if (!selects(url, target.namespace)(next.object)) continue;
          yield JSON.stringify({ type: next.event, object: next.object });
        }
      } finally {
        watchers.delete(watcher);
      }
    },
    webSocket: () => {
      throw new Error('no pod runs in memory');
    },
    serverTime: now,
    get calls() {
      return calls;
    },
    close: async () => undefined,
  };
  const api: MemoryApi = {
    cluster: openCluster(transport),
    writes,
    objects: (kind) => structuredClone(all(kind)),
    find: (kind, ref) => structuredClone(stored.get(keyFor(kind, ref))?.object),
    put(object) {
      const kind = kindByName.get(`${object.apiVersion} ${object.kind}`);
      if (kind === undefined) throw new Error(`no such kind: ${object.apiVersion} ${object.kind}`);
      const { resourceVersion: _, ...metadata } = object.metadata;
      return keep(kind, structuredClone({ ...object, metadata }), forget());
    },
    remove(kind, ref) {
      const found = stored.get(keyFor(kind, ref));
      if (found !== undefined) drop(kind, found.object);
    },
    hooks: {},
  };
  return api;
}

function ok(body: unknown, status = 200): Answer {
  return { status, body: JSON.stringify(body) };
}

interface Addressed {
  kind: Kind;
  namespace: string | undefined;
  name: string | undefined;
  subresource: string | undefined;
}

function targetOf({ pathname }: URL): Addressed | undefined {
  const parts = pathname
    .split('/')
    .filter((part) => part !== '')
    .map(decodeURIComponent);
  const group = parts[0] === 'api' ? '' : (parts[1] ?? '');
  const rest = parts.slice(parts[0] === 'api' ? 2 : 3);
  // `namespaces` is a kind of its own, and the way into one.
  const isInside = rest[0] === 'namespaces' && rest.length > 2 && kindByPath.has(`${group}/${rest[2]}`);
  const [plural, name, subresource] = isInside ? rest.slice(2) : rest;
  const kind = kindByPath.get(`${group}/${plural}`);
  return kind && { kind, namespace: isInside ? rest[1] : undefined, name, subresource };
}

function isOfKind(object: KubeObject, kind: Kind): boolean {
  return object.kind === kind.kind && object.apiVersion === apiVersionOf(kind);
}

/** Equality and presence, which is all that the code asks for; any other selector is an error of the test. */
function selects({ searchParams }: URL, namespace: string | undefined): (object: KubeObject) => boolean {
  const terms = (name: string): string[] => (searchParams.get(name) ?? '').split(',').filter((term) => term !== '');
  const labels = terms('labelSelector').map((term) => term.split('='));
  const fields = terms('fieldSelector').map((term) => term.split('='));
  return ({ metadata, ...object }) => {
    if (namespace !== undefined && metadata.namespace !== namespace) return false;
    const hasLabels = labels.every(([name = '', value]) =>
      value === undefined ? metadata.labels?.[name] !== undefined : metadata.labels?.[name] === value,
    );
    return (
      hasLabels &&
      fields.every(([name, value]) => {
        if (name === 'metadata.name') return metadata.name === value;
        if (name === 'type') return object.type === value;
        if (name === 'involvedObject.name')
          return isRecord(object.involvedObject) && object.involvedObject.name === value;
        throw new Error(`no such field selector in memory: ${name}`);
      })
    );
  };
}

function page(objects: KubeObject[], url: URL, namespace: string | undefined, version: number): object {
  const chosen = objects.filter(selects(url, namespace));
  const limit = Number(url.searchParams.get('limit') || chosen.length);
  const from = Number(url.searchParams.get('continue') || 0);
  const next = from + limit < chosen.length ? String(from + limit) : '';
  const items = chosen.slice(from, from + limit).map(({ apiVersion: _, kind: __, ...item }) => item);
  return { kind: 'List', apiVersion: 'v1', metadata: { resourceVersion: String(version), continue: next }, items };
}

function groups(unserved: readonly Kind[]): object {
  const served = Object.values(kinds).filter((kind) => kind.group !== '' && !unserved.includes(kind));
  const byGroup = Map.groupBy(served, ({ group }) => group);
  return {
    groups: [...byGroup].map(([name, own]) => ({
      name,
      versions: [...new Set(own.map(({ version }) => version))].map((version) => ({ version })),
    })),
  };
}

function resources(group: string, version: string | undefined, unserved: readonly Kind[]): object {
  const served = Object.values(kinds).filter(
    (kind) => kind.group === group && kind.version === version && !unserved.includes(kind),
  );
  return { kind: 'APIResourceList', resources: served.map(({ plural }) => ({ name: plural })) };
}

function allowed(kind: Kind, { body = '{}' }: Call, { mayNothing = false }: MemoryHooks): object {
  const rule = { verbs: ['*'], apiGroups: ['*'], resources: ['*'] };
  const status =
    kind === kinds.selfSubjectAccessReview
      ? { allowed: !mayNothing }
      : { resourceRules: mayNothing ? [] : [rule], nonResourceRules: [], incomplete: false };
  return { ...(JSON.parse(body) as object), metadata: {}, status };
}

/** A ValidatingAdmissionPolicy of which a binding says Deny, for the one that mcprt makes: every order is denied. */
function denyingPolicy(
  kind: Kind,
  before: KubeObject | undefined,
  all: (kind: Kind) => KubeObject[],
): string | undefined {
  if (kind !== kinds.order || before !== undefined) return undefined;
  const binding = all(kinds.admissionPolicyBinding).find(
    ({ spec }) =>
      isRecord(spec) && all(kinds.admissionPolicy).some(({ metadata }) => metadata.name === spec.policyName),
  );
  return (
    binding &&
    `ValidatingAdmissionPolicy '${binding.metadata.name}' with binding '${binding.metadata.name}' denied request`
  );
}
