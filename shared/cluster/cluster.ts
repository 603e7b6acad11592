import type { WebSocket } from 'undici';
import { McprtError, messageOf } from '../errors.js';
import { isRecord } from '../json.js';
import { ApiError } from './api-error.js';
import { recordsAt } from './fields.js';
import { apiVersionOf, type Kind, type KubeObject, kinds } from './objects.js';
import type { Answer, Call, Transport } from './transport.js';

export interface Ref {
  name: string;
  namespace?: string;
}

export interface ListOptions {
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
}

export interface ObjectList<T extends KubeObject = KubeObject> {
  items: T[];
  resourceVersion: string;
}

export interface WriteOptions {
  /** Asks the server to do everything but store the object. */
  dryRun?: boolean;
}

export interface WatchEvent<T extends KubeObject = KubeObject> {
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  object: T;
}

/** The owner of fields that mcprt applies, as `kubectl --show-managed-fields` shows it. */
export const fieldManager = 'mcprt';

/** One cluster's API, in raw JSON. All methods throw ApiError for refusals and McprtError `cluster-unreachable`. */
export interface Cluster {
  /** The object, or undefined when there is none (a missing object, or a kind that this cluster does not serve). */
  get<T extends KubeObject>(kind: Kind, ref: Ref): Promise<T | undefined>;
  /** Every object of the kind; an empty list for a kind that this cluster does not serve. */
  list<T extends KubeObject>(kind: Kind, options?: ListOptions): Promise<ObjectList<T>>;
  create<T extends KubeObject>(kind: Kind, object: KubeObject, options?: WriteOptions): Promise<T>;
  /** Server-side apply. With `force`, fields of other managers are taken over. */
  apply<T extends KubeObject>(
    kind: Kind,
    object: KubeObject,
    options?: WriteOptions & { force?: boolean; manager?: string },
  ): Promise<T>;
  /** JSON patch (RFC 6902) of the object or of one of its sub-resources. */
  patch<T extends KubeObject>(kind: Kind, ref: Ref, operations: PatchOperation[], subresource?: string): Promise<T>;
  /** Replaces an object's sub-resource as a whole, such as a namespace's `finalize`. */
  replace<T extends KubeObject>(kind: Kind, object: KubeObject, subresource: string): Promise<T>;
  /** Deletes; gives false when it was not there. With `uid`, only that very object. */
  delete(kind: Kind, ref: Ref, options?: { uid?: string; propagation?: 'Foreground' | 'Background' }): Promise<boolean>;
  /** Changes after `resourceVersion`, until the signal ends it. Ends by itself when the server closes the stream. */
  watch<T extends KubeObject>(
    kind: Kind,
    options: ListOptions & { resourceVersion: string; signal: AbortSignal },
  ): AsyncGenerator<WatchEvent<T>>;
  /** The last lines of what a container of a pod printed; of the run before this one with `previous`. */
  logs(
    pod: Ref,
    options: { container: string; lines: number; previous: boolean; signal: AbortSignal },
  ): Promise<string>;
  /** A WebSocket to a sub-resource of a pod, which is not open yet. */
  webSocket(pod: Ref, subresource: string, protocol: string): Promise<WebSocket>;
  /**
   * Why a sub-resource is not to be had, by a plain request: of a WebSocket that was refused, the client does not hand the
   * answer over. Empty when only the upgrade is missing.
   */
  refusal(pod: Ref, subresource: string): Promise<string>;
  /** The API groups with the versions that are served, for example `cert-manager.io` → [`v1`]. */
  groups(): Promise<Map<string, string[]>>;
  /** Whether a kind is served in its version: a group may be served without it. */
  serves(kind: Kind): Promise<boolean>;
  /** The server's version, for example `v1.32.4+k3s1`. */
  version(): Promise<string>;
  /** The API server's clock, or undefined before the first answer. */
  serverTime(): Date | undefined;
  readonly calls: number;
  /** Requests so far that may have changed something: dry runs and questions are none. */
  readonly writes: number;
  close(): Promise<void>;
}

export type PatchOperation =
  | { op: 'add' | 'replace' | 'test'; path: string; value: unknown }
  | { op: 'remove'; path: string };

const pageSize = 500;
/** Of the log of a container, in bytes. */
const mostLog = 1024 * 1024;
/** Of one list: more objects of a kind than this no k3s has. Bytes are those of the answers, time is in ms. */
const mostListed = { pages: 400, bytes: 512 * 1024 * 1024, time: 300_000 } as const;

/**
 * One cluster's API.
 *
 * @param transport where the calls go: a real server, or a recording one in tests
 * @param allowed a question about permissions; its error is what every call fails with. Reads are sent beside it, and nobody
 * learns an answer before; everything else is sent after it. So the question costs no time, and nothing gets around it.
 */
export function openCluster(transport: Transport, allowed: Promise<unknown> = Promise.resolve()): Cluster {
  // Also one that asks the cluster for nothing must not end the process by it.
  allowed.catch(() => undefined);
  let writes = 0;
  const call = async (wanted: Call): Promise<Answer> => {
    if (wanted.method === 'GET') {
      const answer = transport.call(wanted);
      answer.catch(() => undefined);
      await allowed;
      return answer;
    }
    await allowed;
    if (!wanted.path.includes('dryRun=All') && !wanted.path.includes('/selfsubject')) writes += 1;
    return transport.call(wanted);
  };
  const read = async (path: string): Promise<unknown> => jsonOf((await call({ method: 'GET', path })).body);
  const write = async <T extends KubeObject>(
    method: 'POST' | 'PUT' | 'PATCH',
    path: string,
    body: unknown,
    contentType = 'application/json',
  ): Promise<T> => asObject((await call({ method, path, body: JSON.stringify(body), contentType })).body) as T;

  return {
    async get<T extends KubeObject>(kind: Kind, ref: Ref) {
      try {
        return asObject((await call({ method: 'GET', path: pathOf(kind, ref) })).body) as T;
      } catch (error) {
        if (isNotFound(error)) return undefined;
        throw error;
      }
    },
    async list<T extends KubeObject>(kind: Kind, options: ListOptions = {}) {
      const items: T[] = [];
      let page: ListPage = { resourceVersion: '', items: [], next: '' };
      const end = performance.now() + mostListed.time;
      let pages = 0;
      let bytes = 0;
      do {
        if (pages >= mostListed.pages || bytes > mostListed.bytes || performance.now() > end)
          throw endless(kind, items.length);
        const query = queryOf({ ...selectors(options), limit: String(pageSize), continue: page.next });
        try {
          const path = `${pathOf(kind, { namespace: options.namespace })}${query}`;
          const { body } = await call({ method: 'GET', path });
          page = asPage(jsonOf(body), kind);
          pages += 1;
          bytes += body.length;
        } catch (error) {
          if (isNotFound(error)) return { items, resourceVersion: '' };
          throw error;
        }
        items.push(...(page.items as T[]));
      } while (page.next !== '');
      return { items, resourceVersion: page.resourceVersion };
    },
    create: (kind, object, options = {}) =>
      write(
        'POST',
        `${pathOf(kind, { namespace: object.metadata.namespace })}${queryOf({ fieldManager, ...dry(options) })}`,
        object,
      ),
    apply: (kind, object, { force = false, manager = fieldManager, ...options } = {}) =>
      write(
        'PATCH',
        `${pathOf(kind, object.metadata)}${queryOf({ fieldManager: manager, force: String(force), ...dry(options) })}`,
        object,
        'application/apply-patch+yaml',
      ),
    async patch(kind, ref, operations, subresource) {
      const path = `${pathOf(kind, ref)}${subresource === undefined ? '' : `/${subresource}`}`;
      try {
        return await write('PATCH', `${path}${queryOf({ fieldManager })}`, operations, 'application/json-patch+json');
      } catch (error) {
        throw isFailedTest(error, operations) ? changedMeanwhile(path) : error;
      }
    },
    replace: (kind, object, subresource) =>
      write('PUT', `${pathOf(kind, object.metadata)}/${subresource}${queryOf({ fieldManager })}`, object),
    async delete(kind, ref, { uid, propagation = 'Background' } = {}) {
      const body = { propagationPolicy: propagation, ...(uid === undefined ? {} : { preconditions: { uid } }) };
      try {
        await call({ method: 'DELETE', path: pathOf(kind, ref), body: JSON.stringify(body) });
        return true;
      } catch (error) {
        if (isNotFound(error)) return false;
        throw error;
      }
    },
    async *watch<T extends KubeObject>(
      kind: Kind,
      options: ListOptions & { resourceVersion: string; signal: AbortSignal },
    ) {
      const query = queryOf({
        ...selectors(options),
        watch: 'true',
        allowWatchBookmarks: 'true',
        resourceVersion: options.resourceVersion,
      });
      const path = `${pathOf(kind, { namespace: options.namespace })}${query}`;
      await allowed;
      for await (const line of transport.lines({ method: 'GET', path, signal: options.signal })) {
        const event = jsonOf(line);
        if (!isEvent(event)) continue;
        if (event.type === 'ERROR') {
          throw new ApiError(410, 'Expired', JSON.stringify(event.object.message ?? ''), `watch ${kind.plural}`);
        }
        if (event.type !== 'BOOKMARK') {
          if (!isObject(event.object))
            throw new ApiError(502, 'NotAnObject', 'an event is about no object', `watch ${kind.plural}`);
          yield { type: event.type, object: event.object as T };
        }
      }
    },
    async logs(pod, { container, lines, previous, signal }) {
      const query = queryOf({
        container,
        tailLines: String(lines),
        limitBytes: String(mostLog),
        previous: previous ? 'true' : '',
      });
      return (await call({ method: 'GET', path: `${pathOf(kinds.pod, pod)}/log${query}`, signal })).body;
    },
    async webSocket(pod, subresource, protocol) {
      await allowed;
      return transport.webSocket(`${pathOf(kinds.pod, pod)}/${subresource}`, protocol);
    },
    async refusal(pod, subresource) {
      try {
        await call({ method: 'GET', path: `${pathOf(kinds.pod, pod)}/${subresource}` });
        return '';
      } catch (error) {
        if (error instanceof ApiError) return error.status === 400 ? '' : error.detail;
        return messageOf(error);
      }
    },
    async groups() {
      const found = await read('/apis');
      const groups = new Map<string, string[]>();
      if (isRecord(found) && Array.isArray(found.groups)) {
        for (const group of found.groups.filter(isRecord)) {
          const versions = Array.isArray(group.versions) ? group.versions.filter(isRecord) : [];
          groups.set(
            String(group.name),
            versions.map((version) => String(version.version)),
          );
        }
      }
      return groups;
    },
    async serves(kind) {
      try {
        const found = await read(pathOfVersion(kind));
        return recordsAt(found, 'resources').some(({ name }) => name === kind.plural);
      } catch (error) {
        if (isNotFound(error)) return false;
        throw error;
      }
    },
    async version() {
      const found = await read('/version');
      return isRecord(found) ? String(found.gitVersion) : '';
    },
    serverTime: () => transport.serverTime(),
    get calls() {
      return transport.calls;
    },
    get writes() {
      return writes;
    },
    close: () => transport.close(),
  };
}

/** `/api/v1/namespaces/NS/secrets/NAME` and its like, each part escaped and with its case kept. */
export function pathOf(kind: Kind, ref: { name?: string; namespace?: string | undefined }): string {
  const scope =
    kind.namespaced && ref.namespace !== undefined ? `/namespaces/${encodeURIComponent(ref.namespace)}` : '';
  const name = ref.name === undefined ? '' : `/${encodeURIComponent(ref.name)}`;
  return `${pathOfVersion(kind)}${scope}/${kind.plural}${name}`;
}

function pathOfVersion({ group, version }: Kind): string {
  return group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
}

/** The API server's clock; the runner's before the first answer. */
export function nowOf(cluster: Pick<Cluster, 'serverTime'>): Date {
  return cluster.serverTime() ?? new Date();
}

/** Whether an error says that the object, or its kind, is not there. */
export function isNotFound(error: unknown): boolean {
  return error instanceof ApiError && error.status === 404;
}

/** Whether an error says that somebody else made or changed the object meanwhile. */
export function isConflict(error: unknown): error is ApiError {
  return error instanceof ApiError && error.status === 409;
}

/**
 * Whether a `test` of a patch has failed: the object is another one than it was made for. The API server answers that with
 * 422 and no word about it, and an object that it finds invalid with 422 and `is invalid:`.
 */
function isFailedTest(error: unknown, operations: readonly PatchOperation[]): boolean {
  return (
    error instanceof ApiError &&
    error.status === 422 &&
    operations.some(({ op }) => op === 'test') &&
    !error.detail.includes(' is invalid:')
  );
}

function changedMeanwhile(path: string): ApiError {
  return new ApiError(
    409,
    'Conflict',
    'the object is not as the patch expects it: it was changed meanwhile',
    `PATCH ${path}`,
  );
}

/** An object of a kind with its apiVersion and kind filled in. */
export function objectOf(
  kind: Kind,
  object: Omit<KubeObject, 'apiVersion' | 'kind'> & { metadata: KubeObject['metadata'] },
): KubeObject {
  return { apiVersion: apiVersionOf(kind), kind: kind.kind, ...object };
}

function queryOf(parameters: Record<string, string>): string {
  const set = Object.entries(parameters).filter(([, value]) => value !== '');
  return set.length === 0 ? '' : `?${new URLSearchParams(set).toString()}`;
}

function selectors(options: ListOptions): Record<string, string> {
  return { labelSelector: options.labelSelector ?? '', fieldSelector: options.fieldSelector ?? '' };
}

function dry(options: WriteOptions): Record<string, string> {
  return { dryRun: options.dryRun ? 'All' : '', fieldValidation: 'Strict' };
}

interface ListPage {
  items: KubeObject[];
  resourceVersion: string;
  next: string;
}

/** List items carry no apiVersion and kind of their own; they are given back, so that an item can be sent as it is. */
function asPage(answer: unknown, kind: Kind): ListPage {
  if (
    !isRecord(answer) ||
    !Array.isArray(answer.items) ||
    !isRecord(answer.metadata) ||
    !answer.items.every(isObject)
  ) {
    throw new ApiError(502, 'NotAList', 'the answer is not a Kubernetes list', `list ${kind.plural}`);
  }
  return {
    items: answer.items.map((item) => ({ apiVersion: apiVersionOf(kind), kind: kind.kind, ...item })),
    resourceVersion: String(answer.metadata.resourceVersion ?? ''),
    next: String(answer.metadata.continue ?? ''),
  };
}

function asObject(body: string): KubeObject {
  const parsed = jsonOf(body);
  if (!isRecord(parsed) || typeof parsed.kind !== 'string' || !isRecord(parsed.metadata)) {
    throw new ApiError(502, 'NotAnObject', 'the answer is not a Kubernetes object', 'read the answer');
  }
  return parsed as unknown as KubeObject;
}

/** @throws ApiError that quotes nothing, as the parser's own does: what was cut off may be a Secret */
function jsonOf(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw new ApiError(
      502,
      'NotJson',
      'the answer is no JSON: it was cut off, or is no API server’s',
      'read the answer',
    );
  }
}

function endless(kind: Kind, seen: number): McprtError {
  return new McprtError('cluster-too-large', {
    what: `the list of ${kind.plural} does not end`,
    why: `${seen} were read, in ${mostListed.time / 1000} s, ${mostListed.pages} pages or ${mostListed.bytes / 1024 / 1024} MiB`,
    next: `look at what there is of it: \`kubectl get ${kind.plural} -A\``,
  });
}

/** Whether something has what every object has: a list may come from what is no API server. */
function isObject(value: unknown): boolean {
  return isRecord(value) && isRecord(value.metadata) && typeof value.metadata.name === 'string';
}

function isEvent(event: unknown): event is { type: WatchEvent['type'] | 'BOOKMARK' | 'ERROR'; object: KubeObject } {
  return isRecord(event) && typeof event.type === 'string' && isRecord(event.object);
}
