import { z } from 'zod';
import { McprtError, messageOf } from '../../errors.js';

/**
 * The calls to GitHub's cache and artifact services that reading a backup needs. The official clients unpack to disk
 * whatever a store holds, before anyone could check who made it; these give bytes in memory.
 */
export interface ActionsService {
  /** Newest cache entry whose key is, or starts with, the given one; undefined when there is none for this version. */
  findCache(key: string, version: string): Promise<{ key: string; url: string } | undefined>;
  /**
   * Tries to reserve a key and gives the service's refusal; undefined when it would have been accepted.
   *
   * @throws McprtError `store-unavailable` when there is no answer, or none about this key
   */
  whyCacheRefused(key: string, version: string): Promise<CacheRefusal | undefined>;
  /** Artifact of this run by name: a signed URL of its zip. */
  findOwnArtifact(name: string): Promise<string | undefined>;
  /** Artifacts of the repository that are not expired, newest first. @throws McprtError `store-token` */
  listArtifacts(): Promise<RemoteArtifact[]>;
  artifactUrl(id: number): Promise<string>;
  /** Cache entries of a ref whose key starts with the prefix. @throws McprtError `store-token` */
  listCaches(prefix: string, ref: string): Promise<RemoteCache[]>;
  /** Deletes an artifact or a cache entry; one that is gone already is none to complain about. @throws McprtError `store-prune` */
  remove(kind: 'artifacts' | 'caches', id: number): Promise<void>;
  /** The bytes behind a signed URL. @throws McprtError `store-read` when there are more than `limit` */
  download(url: string, limit: number): Promise<Buffer>;
}

/** How the cache service refuses a key: a duplicate is a 409, a read-only token a 200 with a message. */
export interface CacheRefusal {
  status: number;
  message: string;
}

export interface RemoteArtifact {
  id: number;
  name: string;
  expiresAt: Date | undefined;
  runId: number | undefined;
}

export interface RemoteCache {
  id: number;
  key: string;
  version: string;
}

export interface ActionsServiceOptions {
  resultsUrl: string | undefined;
  runtimeToken: string | undefined;
  apiUrl: string;
  repository: string;
  /** Token with `actions: read`, or `actions: write` to delete; empty when the job gives none. */
  apiToken: string;
}

const callTimeout = 30_000;
const listPages = 10;

const cacheFound = z.looseObject({
  ok: z.boolean(),
  signed_download_url: z.string().optional(),
  matched_key: z.string().optional(),
});
const cacheReserved = z.looseObject({ ok: z.boolean(), message: z.string().optional() });
const twirpFailure = z.looseObject({ msg: z.string() });
const artifactSigned = z.looseObject({ signed_url: z.string().optional() });
const artifactPage = z.looseObject({
  artifacts: z.array(
    z.looseObject({
      id: z.number(),
      name: z.string(),
      expired: z.boolean().optional(),
      expires_at: z.string().nullish(),
      workflow_run: z.looseObject({ id: z.number() }).nullish(),
    }),
  ),
});
const cachePage = z.looseObject({
  actions_caches: z.array(z.looseObject({ id: z.number(), key: z.string(), version: z.string() })),
});
const runtimeClaims = z.looseObject({ scp: z.string() });

/** Opens the services that the runner's environment names. No call is made yet. */
export function actionsService(options: ActionsServiceOptions): ActionsService {
  const post = async (service: string, method: string, body: object): Promise<{ status: number; text: string }> => {
    if (!options.resultsUrl || !options.runtimeToken) {
      throw new McprtError('store-unavailable', {
        what: 'this process has no access to the job’s cache and artifacts',
        why: 'ACTIONS_RESULTS_URL and ACTIONS_RUNTIME_TOKEN are not set: only steps with `uses:` get them, on GitHub.com or a runner that offers them',
        next: 'run the action from a workflow, or use `stores: directory`',
      });
    }
    const url = new URL(`/twirp/${service}/${method}`, options.resultsUrl).href;
    const headers = { authorization: `Bearer ${options.runtimeToken}`, 'content-type': 'application/json' };
    const answer = await get(url, { method: 'POST', headers, body: JSON.stringify(body) });
    return { status: answer.status, text: await answer.text() };
  };
  const twirp = async <T>(service: string, method: string, body: object, shape: z.ZodType<T>): Promise<T> => {
    const { status, text } = await post(service, method, body);
    if (status !== 200) throw httpFailure(method, status, text);
    return shape.parse(JSON.parse(text));
  };
  const rest = async (
    path: string,
    { subject = 'artifacts', ...init }: RequestInit & { subject?: string } = {},
  ): Promise<Response> => {
    if (options.apiToken === '') {
      throw new McprtError('store-token', {
        what: `${subject} of earlier runs cannot be looked up`,
        why: 'the input `github-token` is empty',
        next: 'leave `github-token` at its default and give the job `permissions: actions: read`',
      });
    }
    const headers = { authorization: `Bearer ${options.apiToken}`, accept: 'application/vnd.github+json' };
    const answer = await get(`${options.apiUrl}/repos/${options.repository}/actions/${path}`, { headers, ...init });
    if (init.method === 'DELETE') return answer;
    if (answer.status === 401 || answer.status === 403 || answer.status === 404) {
      throw new McprtError('store-token', {
        what: `${subject} of earlier runs cannot be looked up`,
        why: `GitHub answers ${answer.status}: the token may not read this repository’s actions`,
        next: 'give the job `permissions: actions: read`',
      });
    }
    if (answer.status >= 400) throw httpFailure(path.split('?')[0] ?? '', answer.status, '');
    return answer;
  };
  const cacheService = 'github.actions.results.api.v1.CacheService';
  const artifactService = 'github.actions.results.api.v1.ArtifactService';

  return {
    async findCache(key, version) {
      const found = await twirp(
        cacheService,
        'GetCacheEntryDownloadURL',
        { key, restore_keys: [key], version },
        cacheFound,
      );
      return found.ok && found.signed_download_url && found.matched_key
        ? { key: found.matched_key, url: found.signed_download_url }
        : undefined;
    },
    async whyCacheRefused(key, version) {
      const { status, text } = await post(cacheService, 'CreateCacheEntry', { key, version });
      const answer = jsonOf(text);
      if (status === 200) {
        const { ok, message } = cacheReserved.parse(answer);
        return ok ? undefined : { status, message: message || 'the service gives no reason' };
      }
      const failure = twirpFailure.safeParse(answer);
      if (status >= 500 || status === 401 || !failure.success) throw httpFailure('CreateCacheEntry', status, text);
      return { status, message: failure.data.msg.slice(0, 200) };
    },
    async findOwnArtifact(name) {
      const ids = backendIds(options.runtimeToken);
      if (ids === undefined) return undefined;
      const { signed_url } = await twirp(artifactService, 'GetSignedArtifactURL', { ...ids, name }, artifactSigned);
      return signed_url;
    },
    async listArtifacts() {
      const found: RemoteArtifact[] = [];
      for (let page = 1; page <= listPages; page++) {
        const { artifacts } = artifactPage.parse(await (await rest(`artifacts?per_page=100&page=${page}`)).json());
        for (const { id, name, expired, expires_at, workflow_run } of artifacts) {
          if (!expired)
            found.push({ id, name, expiresAt: expires_at ? new Date(expires_at) : undefined, runId: workflow_run?.id });
        }
        if (artifacts.length < 100) break;
      }
      return found;
    },
    async artifactUrl(id) {
      const answer = await rest(`artifacts/${id}/zip`, { redirect: 'manual' });
      return answer.headers.get('location') ?? '';
    },
    async listCaches(prefix, ref) {
      const found: RemoteCache[] = [];
      const terms = `key=${encodeURIComponent(prefix)}&ref=${encodeURIComponent(ref)}`;
      for (let page = 1; page <= listPages; page++) {
        const answer = await rest(`caches?${terms}&per_page=100&page=${page}`, { subject: 'cache entries' });
        const { actions_caches } = cachePage.parse(await answer.json());
        found.push(...actions_caches.map(({ id, key, version }) => ({ id, key, version })));
        if (actions_caches.length < 100) break;
      }
      return found;
    },
    async remove(kind, id) {
      const { status } = await rest(`${kind}/${id}`, { method: 'DELETE' });
      if (status < 300 || status === 404 || status === 410) return;
      const isRefused = status === 401 || status === 403;
      throw new McprtError('store-prune', {
        what: `older ${kind === 'caches' ? 'cache entries' : 'artifacts'} cannot be deleted`,
        why: `GitHub answers ${status}${isRefused ? ': the token may not delete them' : ''}`,
        next: isRefused
          ? 'give the job `permissions: actions: write`, or set `keep: 0`'
          : 'nothing: the next backup tries again; see githubstatus.com when it stays',
      });
    },
    async download(url, limit) {
      const answer = await get(url, {});
      if (!answer.ok || answer.body === null) throw httpFailure('download', answer.status, '');
      const chunks: Uint8Array[] = [];
      let size = 0;
      try {
        for await (const chunk of answer.body) {
          size += chunk.length;
          if (size > limit) {
            throw new McprtError('store-read', {
              what: 'the stored entry is larger than any backup',
              why: `it has more than ${limit} bytes`,
              next: 'somebody planted it: find out who can write to this store',
            });
          }
          chunks.push(chunk);
        }
      } catch (error) {
        if (error instanceof McprtError) throw error;
        throw new McprtError('store-read', {
          what: 'the download was cut off',
          why: messageOf(error),
          next: 'run the operation again',
          cause: error,
        });
      }
      return Buffer.concat(chunks);
    },
  };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function get(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, { ...init, signal: AbortSignal.timeout(callTimeout) });
  } catch (cause) {
    throw new McprtError('store-unavailable', {
      what: 'GitHub’s service cannot be reached',
      why: cause instanceof Error && cause.cause instanceof Error ? cause.cause.message : messageOf(cause),
      next: 'see githubstatus.com, and whether a proxy or firewall stands between',
      cause,
    });
  }
}

function httpFailure(call: string, status: number, body: string): McprtError {
  const said = /"msg"\s*:\s*"([^"]{1,200})"/.exec(body)?.[1];
  return new McprtError('store-unavailable', {
    what: `GitHub’s service refused ${call}`,
    why: `it answered ${status}${said === undefined ? '' : `: ${said}`}`,
    next:
      status === 429
        ? 'too many calls in this repository: run it again in some minutes'
        : 'run the operation again; see githubstatus.com when it stays',
  });
}

/** Run and job as the services number them, from the runtime token's scope `Actions.Results:RUN:JOB`. */
function backendIds(
  token: string | undefined,
): { workflow_run_backend_id: string; workflow_job_run_backend_id: string } | undefined {
  try {
    const claims = runtimeClaims.parse(
      JSON.parse(Buffer.from(token?.split('.')[1] ?? '', 'base64url').toString('utf8')),
    );
    const [, run, job] = /Actions\.Results:([^:\s]+):([^:\s]+)/.exec(claims.scp) ?? [];
    return run && job ? { workflow_run_backend_id: run, workflow_job_run_backend_id: job } : undefined;
  } catch {
    return undefined;
  }
}
