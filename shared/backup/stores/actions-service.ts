import pMap from 'p-map';
import * as z from 'zod';
import { readAtMost } from '../../bounded.js';
import { McprtError, messageOf, toldBy } from '../../errors.js';
import { GithubRefusal, githubError } from '../../github-refusal.js';
import { type HttpRequest, httpFetch } from '../../http.js';
import { parsedJson } from '../../json.js';
import { direct, type Proxies } from '../../proxy.js';

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
  /** Artifacts of the repository that are not expired; all of them or those of one name. @throws McprtError `store-token` */
  listArtifacts(name?: string): Promise<Listed<RemoteArtifact>>;
  artifactUrl(id: number): Promise<string>;
  /** Cache entries of a ref whose key starts with the prefix. @throws McprtError `store-token` */
  listCaches(prefix: string, ref: string): Promise<Listed<RemoteCache>>;
  /** Name of the repository's default branch; undefined when nobody tells it. */
  defaultBranch(): Promise<string | undefined>;
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

/** A list, as far as it was read. */
export interface Listed<T> {
  items: T[];
  /** Why it was not read to its end; undefined when it was. */
  cut: McprtError | undefined;
}

export interface RemoteArtifact {
  id: number;
  name: string;
  /** The run that uploaded it, by the commit's repository and branch; undefined where GitHub does not say. */
  run: { repositoryId: number | undefined; branch: string | undefined } | undefined;
  /** When it goes; undefined where GitHub does not say. */
  expiresAt: Date | undefined;
}

export interface RemoteCache {
  id: number;
  key: string;
  version: string;
}

/** Asks with a token that has `actions: read`, or `actions: write` to delete. A redirect is not followed. */
export type GithubRest = (method: 'GET' | 'DELETE', path: string) => Promise<{ data: unknown; location: string }>;

export interface ActionsServiceOptions {
  resultsUrl: string | undefined;
  runtimeToken: string | undefined;
  /** GitHub's REST API below the repository; undefined when the job gives no token. @throws GithubRefusal */
  rest: GithubRest | undefined;
  /** Name of the default branch as the event tells it; undefined when it does not. */
  defaultBranch: string | undefined;
  /** Ends every call. */
  signal?: AbortSignal;
  proxies?: Proxies;
}

const callTimeout = 30_000;
const perPage = 100;
/** Of one answer, in bytes: a page of a hundred entries has some hundred KiB. */
const longestAnswer = 16 * 1024 * 1024;
/** Of one list: more than ten thousand entries are read by nobody in a hurry. Time is in ms. */
const listLimits = { pages: 100, time: 120_000, parallel: 4 } as const;

const cacheFound = z.looseObject({
  ok: z.boolean(),
  signed_download_url: z.string().optional(),
  matched_key: z.string().optional(),
});
const cacheReserved = z.looseObject({ ok: z.boolean(), message: z.string().optional() });
const twirpFailure = z.looseObject({ msg: z.string() });
const artifactSigned = z.looseObject({ signed_url: z.string().optional() });
const artifactPage = z.looseObject({
  total_count: z.number(),
  artifacts: z.array(
    z.looseObject({
      id: z.number(),
      name: z.string(),
      expired: z.boolean().optional(),
      expires_at: z.string().nullish(),
      workflow_run: z
        .looseObject({ head_repository_id: z.number().nullish(), head_branch: z.string().nullish() })
        .nullish(),
    }),
  ),
});
const cachePage = z.looseObject({
  total_count: z.number(),
  actions_caches: z.array(z.looseObject({ id: z.number(), key: z.string(), version: z.string() })),
});
const repositoryFacts = z.looseObject({ default_branch: z.string() });
const runtimeClaims = z.looseObject({ scp: z.string() });

/** Opens the services that the runner's environment names. No call is made yet. */
export function actionsService(options: ActionsServiceOptions): ActionsService {
  const get = (url: string, request: HttpRequest): Promise<Response> => getWithin(url, request, options);
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
    return { status: answer.status, text: await textOf(answer, method, options.signal) };
  };
  const twirp = async <T>(service: string, method: string, body: object, shape: z.ZodType<T>): Promise<T> => {
    const { status, text } = await post(service, method, body);
    if (status !== 200) throw httpFailure(method, status, text);
    return answered(text, method, shape);
  };
  const rest = async (path: string, subject = 'artifacts'): Promise<{ data: unknown; location: string }> => {
    if (options.rest === undefined) {
      throw new McprtError('store-token', {
        what: `${subject} of earlier runs cannot be looked up`,
        why: 'the input `github-token` is empty',
        next: 'leave `github-token` at its default and give the job `permissions: actions: read`',
      });
    }
    try {
      return await options.rest('GET', `/actions/${path}`);
    } catch (error) {
      if (!(error instanceof GithubRefusal)) throw error;
      if (error.kind !== 'forbidden') {
        throw githubError(error, {
          code: 'store-unavailable',
          what: `GitHub’s service refused ${subject}`,
          next: 'run the operation again; see githubstatus.com when it stays',
        });
      }
      throw new McprtError('store-token', {
        what: `${subject} of earlier runs cannot be looked up`,
        why: `GitHub answers ${error.status}: the token may not read this repository’s actions`,
        next: 'give the job `permissions: actions: read`',
        cause: error,
      });
    }
  };
  /** Reads a list of pages, the first one for its length and the others side by side, as far as the limits go. */
  const listed = async <Page extends { total_count: number }, T extends { id: number }>(
    path: string,
    subject: string,
    shape: z.ZodType<Page>,
    itemsOf: (page: Page) => readonly T[],
  ): Promise<Listed<T>> => {
    const end = Date.now() + listLimits.time;
    const found = new Map<number, T>();
    const read = async (page: number): Promise<Page> => {
      const separator = path.includes('?') ? '&' : '?';
      const { data } = await rest(`${path}${separator}per_page=${perPage}&page=${page}`, subject);
      const parsed = shaped(data, subject, shape);
      // What is added meanwhile moves the rest down by one: some come twice.
      for (const item of itemsOf(parsed)) found.set(item.id, item);
      return parsed;
    };
    const total = (await read(1)).total_count;
    const pages = Math.ceil(total / perPage);
    const wanted = Array.from({ length: Math.max(Math.min(pages, listLimits.pages) - 1, 0) }, (_, at) => at + 2);
    let isLate = false;
    await pMap(
      wanted,
      async (page) => {
        isLate ||= Date.now() > end;
        if (!isLate) await read(page);
      },
      { concurrency: listLimits.parallel },
    );
    const isCut = isLate || pages > listLimits.pages;
    return { items: [...found.values()], cut: isCut ? listCut(subject, found.size, total) : undefined };
  };
  let branch: Promise<string | undefined> | undefined;
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
      const answer = parsedJson(text);
      if (status === 200) {
        const { ok, message } = answered(text, 'CreateCacheEntry', cacheReserved);
        return ok ? undefined : { status, message: message || 'the service gives no reason' };
      }
      const failure = twirpFailure.safeParse(answer);
      if (status >= 500 || status === 401 || !failure.success) throw httpFailure('CreateCacheEntry', status, text);
      return { status, message: failure.data.msg.slice(0, 200) };
    },
    async findOwnArtifact(name) {
      const ids = backendIds(options.runtimeToken);
      if (ids === undefined) return undefined;
      const { status, text } = await post(artifactService, 'GetSignedArtifactURL', { ...ids, name });
      if (status === 404) return undefined;
      if (status !== 200) throw httpFailure('GetSignedArtifactURL', status, text);
      return answered(text, 'GetSignedArtifactURL', artifactSigned).signed_url;
    },
    async listArtifacts(name) {
      const path = name === undefined ? 'artifacts' : `artifacts?name=${encodeURIComponent(name)}`;
      const { items, cut } = await listed(path, 'artifacts', artifactPage, ({ artifacts }) => artifacts);
      const present = items.filter(({ expired }) => expired !== true);
      return {
        items: present.map(({ id, name: own, workflow_run: run, expires_at: ends }) => ({
          id,
          name: own,
          run: run
            ? { repositoryId: run.head_repository_id ?? undefined, branch: run.head_branch ?? undefined }
            : undefined,
          expiresAt: dateOf(ends),
        })),
        cut,
      };
    },
    async artifactUrl(id) {
      try {
        return (await rest(`artifacts/${id}/zip`)).location;
      } catch (error) {
        // It was listed, so that whoever asks may see it.
        const status = error instanceof McprtError && error.cause instanceof GithubRefusal ? error.cause.status : 0;
        if (status !== 404 && status !== 410) throw error;
        throw new McprtError('store-miss', {
          what: 'the artifact has gone since it was listed',
          why: `GitHub answers ${status}: its retention is over, or somebody has deleted it or its run`,
          next: 'run the operation again; it looks for another one',
          cause: error,
        });
      }
    },
    listCaches(prefix, ref) {
      const terms = `key=${encodeURIComponent(prefix)}&ref=${encodeURIComponent(ref)}`;
      return listed(`caches?${terms}`, 'cache entries', cachePage, (page) => page.actions_caches);
    },
    defaultBranch() {
      // Every token may read this much of its own repository.
      const ask = async (): Promise<string | undefined> => {
        const facts = await options.rest?.('GET', '');
        return facts && repositoryFacts.parse(facts.data).default_branch;
      };
      branch ??=
        options.defaultBranch === undefined ? ask().catch(() => undefined) : Promise.resolve(options.defaultBranch);
      return branch;
    },
    async remove(kind, id) {
      try {
        await options.rest?.('DELETE', `/actions/${kind}/${id}`);
      } catch (error) {
        if (!(error instanceof GithubRefusal)) throw error;
        if (error.status === 404 || error.status === 410) return;
        throw new McprtError('store-prune', {
          what: `older ${kind === 'caches' ? 'cache entries' : 'artifacts'} cannot be deleted`,
          why: `GitHub answers ${error.message}`,
          next:
            error.kind === 'forbidden'
              ? 'give the job `permissions: actions: write`, or set `keep: 0`'
              : 'nothing: the next backup tries again; see githubstatus.com when it stays',
          cause: error,
        });
      }
    },
    async download(url, limit) {
      const answer = await get(url, {});
      if (!answer.ok || answer.body === null) throw httpFailure('download', answer.status, '');
      const tooLarge = (): Error =>
        new McprtError('store-read', {
          what: 'the stored entry is larger than any backup',
          why: `it has more than ${limit} bytes`,
          next: 'somebody planted it: find out who can write to this store',
        });
      try {
        return await readAtMost(answer.body, limit, tooLarge);
      } catch (error) {
        options.signal?.throwIfAborted();
        if (error instanceof McprtError) throw error;
        throw new McprtError('store-read', {
          what: 'the download was cut off',
          why: messageOf(error),
          next: 'run the operation again',
          cause: error,
        });
      }
    },
  };
}

function dateOf(text: string | null | undefined): Date | undefined {
  const time = Date.parse(text ?? '');
  return Number.isNaN(time) ? undefined : new Date(time);
}

function listCut(subject: string, read: number, total: number): McprtError {
  return new McprtError('store-cut', {
    what: `not all ${subject} of the repository could be looked through`,
    why: `${read} of ${total} were read; no more are in ${listLimits.pages} pages and ${listLimits.time / 1000} s`,
    next: 'name the backup with `name`, which asks GitHub for just that one: the summary of each backup shows it. Then delete what nobody needs',
  });
}

/** @throws McprtError `store-unavailable` for an answer that breaks off, or does not come to its end in time */
async function textOf(answer: Response, call: string, signal: AbortSignal | undefined): Promise<string> {
  try {
    const tooLong = (): Error => new Error(`it has more than ${longestAnswer} bytes`);
    return answer.body === null ? '' : (await readAtMost(answer.body, longestAnswer, tooLong)).toString('utf8');
  } catch (cause) {
    signal?.throwIfAborted();
    throw oddAnswer(call, `the answer broke off: ${messageOf(cause)}`);
  }
}

/** What an answer says. @throws McprtError `store-unavailable` for one that GitHub does not give, as a gateway's page */
function shaped<T>(data: unknown, call: string, shape: z.ZodType<T>): T {
  const parsed = shape.safeParse(data);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw oddAnswer(call, `${issue?.path.join('.') || 'the answer'}: ${issue?.message ?? 'another form'}`);
}

function answered<T>(text: string, call: string, shape: z.ZodType<T>): T {
  return shaped(parsedJson(text), call, shape);
}

function oddAnswer(call: string, why: string): McprtError {
  return new McprtError('store-unavailable', {
    what: `GitHub’s service did not answer about ${call} as it does`,
    why,
    next: 'run the operation again; see githubstatus.com, and whether a proxy or firewall stands between',
  });
}

async function getWithin(
  url: string,
  request: HttpRequest,
  { signal, proxies = direct }: Pick<ActionsServiceOptions, 'signal' | 'proxies'>,
): Promise<Response> {
  const signals = [AbortSignal.timeout(callTimeout), ...(signal === undefined ? [] : [signal])];
  try {
    return await httpFetch(url, { ...request, signal: AbortSignal.any(signals) }, proxies);
  } catch (cause) {
    signal?.throwIfAborted();
    const isOurs = cause instanceof McprtError;
    const inner = !isOurs && cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
    throw new McprtError('store-unavailable', {
      what: 'GitHub’s service cannot be reached',
      why: toldBy(inner),
      next: isOurs ? cause.next : 'see githubstatus.com, and whether a proxy or firewall stands between',
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
