import { randomUUID } from 'node:crypto';
import { downloadUrl } from './artifact-service.js';
import type { Artifact, ArtifactStore } from './artifact-store.js';
import type { Blobs } from './blobs.js';
import { type CacheEntry, type CacheStore, sizeOf } from './cache-store.js';
import type { Faults } from './faults.js';
import { bearerToken, type Call, json, type Reply } from './http.js';
import { type Repository, type Run, runBackendId } from './run.js';
import type { Tokens } from './tokens.js';

const DOCUMENTATION = 'https://docs.github.com/rest';
const DEFAULT_PER_PAGE = 30;
const MAX_PER_PAGE = 100;

export interface RestOptions {
  readonly repository: Repository;
  readonly runs: ReadonlyMap<number, Run>;
  readonly caches: CacheStore;
  readonly artifacts: ArtifactStore;
  readonly blobs: Blobs;
  readonly tokens: Tokens;
  readonly faults: Faults;
}

/**
 * The calls of GitHub's REST API that backup and restore make: artifacts, runs and caches of one private repository.
 * All need `actions: read`. Rules: GitHub's REST reference.
 */
export function answerRestCall(call: Call, options: RestOptions): Reply {
  const reply = refusal(call, options) ?? route(call, options);
  return { ...reply, headers: { 'x-github-request-id': randomUUID(), ...reply.headers } };
}

function failure(status: number, message: string, headers: Readonly<Record<string, string>> = {}): Reply {
  return json(status, { message, documentation_url: DOCUMENTATION, status: String(status) }, headers);
}

function refusal({ headers, method }: Call, { tokens, faults }: RestOptions): Reply | undefined {
  if (faults.hits('down', 'rest')) return failure(503, 'Service unavailable');
  if (faults.hits('rate-limited', 'rest')) return failure(429, 'API rate limit exceeded', { 'retry-after': '60' });
  if (!headers['user-agent'])
    return failure(403, 'Request forbidden by administrative rules. Send a User-Agent header.');
  const token = faults.hits('missing-token', 'rest') ? undefined : bearerToken(headers);
  if (token === undefined) return failure(401, 'Requires authentication');
  const permission = tokens.restPermission(token);
  if (permission === undefined) return failure(401, 'Bad credentials');
  if (permission === 'none') return failure(403, 'Resource not accessible by integration');
  return method === 'GET' ? undefined : failure(404, 'Not Found');
}

function route(call: Call, options: RestOptions): Reply {
  const [, name = '', path = ''] = /^\/repos\/([^/]+\/[^/]+)\/actions\/(.+)$/.exec(call.url.pathname) ?? [];
  if (name.toLowerCase() !== options.repository.name.toLowerCase()) return failure(404, 'Not Found');
  if (path === 'artifacts') return listArtifacts(call, options.artifacts.artifacts, options);
  if (path === 'caches') return listCaches(call, options);
  const [, kind, id, rest] = /^(artifacts|runs)\/(\d+)(?:\/(zip|artifacts))?$/.exec(path) ?? [];
  if (kind === 'artifacts' && rest !== 'artifacts') {
    const artifact = options.artifacts.artifacts.find((each) => each.id === Number(id));
    if (artifact === undefined) return failure(404, 'Not Found');
    return rest === 'zip' ? download(call, artifact, options) : json(200, describeArtifact(call, artifact, options));
  }
  const run = kind === 'runs' ? options.runs.get(Number(id)) : undefined;
  if (run === undefined || rest === 'zip') return failure(404, 'Not Found');
  if (rest === undefined) return json(200, describeRun(call, run, options));
  const backendId = runBackendId(options.repository, run);
  const ofRun = options.artifacts.artifacts.filter((each) => each.runBackendId === backendId);
  return listArtifacts(call, ofRun, options);
}

/** One page of a list, with the link to the next one. */
function page<T>({ url }: Call, field: string, items: readonly T[], describe: (item: T) => unknown): Reply {
  const size = Math.min(Number(url.searchParams.get('per_page') ?? DEFAULT_PER_PAGE), MAX_PER_PAGE);
  const number = Number(url.searchParams.get('page') ?? 1);
  const next = new URL(url);
  next.searchParams.set('page', String(number + 1));
  const isLast = number * size >= items.length;
  const body = { total_count: items.length, [field]: items.slice((number - 1) * size, number * size).map(describe) };
  return json(200, body, isLast ? {} : { link: `<${next.href}>; rel="next"` });
}

function listArtifacts(call: Call, artifacts: readonly Artifact[], options: RestOptions): Reply {
  const name = call.url.searchParams.get('name');
  const wanted = artifacts.filter((each) => name === null || each.name === name);
  return page(call, 'artifacts', wanted, (each) => describeArtifact(call, each, options));
}

function download(call: Call, artifact: Artifact, { artifacts, blobs }: RestOptions): Reply {
  if (artifacts.isExpired(artifact)) return failure(410, 'Artifact has expired');
  return { status: 302, headers: { location: downloadUrl(artifact, blobs, call.url.origin) } };
}

function listCaches(call: Call, { caches }: RestOptions): Reply {
  const { searchParams: terms } = call.url;
  const key = terms.get('key') ?? '';
  const ref = terms.get('ref');
  const wanted = caches.entries.filter((each) => each.key.startsWith(key) && (ref === null || each.scope === ref));
  const newestFirst = wanted.toSorted((a, b) => b.lastAccessedAt.getTime() - a.lastAccessedAt.getTime() || b.id - a.id);
  return page(call, 'actions_caches', newestFirst, describeCache);
}

function describeCache(entry: CacheEntry) {
  return {
    id: entry.id,
    ref: entry.scope,
    key: entry.key,
    version: entry.version,
    last_accessed_at: entry.lastAccessedAt.toISOString(),
    created_at: entry.createdAt.toISOString(),
    size_in_bytes: sizeOf(entry),
  };
}

function describeArtifact({ url }: Call, artifact: Artifact, { repository, runs, artifacts }: RestOptions) {
  const self = `${url.origin}/repos/${repository.name}/actions/artifacts/${artifact.id}`;
  const run = [...runs.values()].find((each) => runBackendId(repository, each) === artifact.runBackendId);
  return {
    id: artifact.id,
    name: artifact.name,
    size_in_bytes: artifact.blob.bytes?.length ?? 0,
    url: self,
    archive_download_url: `${self}/zip`,
    expired: artifacts.isExpired(artifact),
    digest: artifact.digest,
    created_at: artifact.createdAt.toISOString(),
    updated_at: artifact.createdAt.toISOString(),
    expires_at: artifact.expiresAt.toISOString(),
    workflow_run: run && {
      id: run.id,
      repository_id: repository.id,
      head_repository_id: repository.id,
      head_branch: branchOf(run),
      head_sha: run.sha,
    },
  };
}

function describeRun({ url }: Call, run: Run, { repository }: RestOptions) {
  const repositoryFields = { id: repository.id, full_name: repository.name, private: true };
  return {
    id: run.id,
    name: run.workflow,
    path: `.github/workflows/${run.workflow}`,
    url: `${url.origin}/repos/${repository.name}/actions/runs/${run.id}`,
    event: run.event,
    status: 'in_progress',
    conclusion: null,
    head_branch: branchOf(run),
    head_sha: run.sha,
    run_attempt: run.attempt,
    repository: repositoryFields,
    head_repository: repositoryFields,
  };
}

function branchOf({ ref }: Run): string {
  return ref.replace(/^refs\/(?:heads|tags)\//, '');
}
