import { randomUUID } from 'node:crypto';
import { downloadUrl } from './artifact-service.js';
import type { Artifact, ArtifactStore } from './artifact-store.js';
import type { Blobs } from './blobs.js';
import { type CacheEntry, type CacheStore, sizeOf } from './cache-store.js';
import type { Deployments } from './deployments.js';
import type { Environments } from './environments.js';
import type { Faults } from './faults.js';
import { bearerToken, type Call, json, type Reply } from './http.js';
import type { Issues } from './issues.js';
import type { PullRequests } from './pull-requests.js';
import { failure, pageOf } from './rest-reply.js';
import { type Repository, type Run, type RunPermissions, runBackendId } from './run.js';
import type { Tokens } from './tokens.js';

export interface RestOptions {
  readonly repository: Repository;
  readonly runs: ReadonlyMap<number, Run>;
  readonly caches: CacheStore;
  readonly artifacts: ArtifactStore;
  readonly deployments: Deployments;
  readonly environments: Environments;
  readonly pullRequests: PullRequests;
  readonly issues: Issues;
  readonly blobs: Blobs;
  readonly tokens: Tokens;
  readonly faults: Faults;
}

/**
 * The calls of GitHub's REST API that are made, on one private repository: its default branch (any token), artifacts, runs, caches and environments
 * (`actions: read`, to delete `write`), deployments (`deployments: write`), pull requests and their comments
 * (`pull-requests`), issues (`issues`). Rules: GitHub's REST reference.
 */
export function answerRestCall(call: Call, options: RestOptions): Reply {
  const reply = refusal(call, options) ?? route(call, options);
  return { ...reply, headers: { 'x-github-request-id': randomUUID(), ...reply.headers } };
}

/** What a call needs, by the part of the API that its path is in: any one of these. Nothing for facts of the repository. */
function needed({ url }: Call, { issues }: RestOptions): (keyof RunPermissions)[] | undefined {
  if (/^\/repos\/[^/]+\/[^/]+$/.test(url.pathname)) return undefined;
  const [, part = '', rest = ''] = /^\/repos\/[^/]+\/[^/]+\/([^/]+)(.*)/.exec(url.pathname) ?? [];
  if (part === 'deployments') return ['deployments'];
  if (part === 'pulls') return ['pull-requests'];
  if (part !== 'issues') return ['actions'];
  const [, number] = /^\/(\d+)(?:\/|$)/.exec(rest) ?? [];
  // A pull request can be commented on with either; an issue only with its own.
  const isIssue = rest === '' || (number !== undefined && issues.has(Number(number)));
  return isIssue ? ['issues'] : ['pull-requests', 'issues'];
}

function refusal(call: Call, options: RestOptions): Reply | undefined {
  const { tokens, faults } = options;
  const { headers, method } = call;
  if (faults.hits('down', 'rest')) return failure(503, 'Service unavailable');
  if (faults.hits('rate-limited', 'rest')) return failure(429, 'API rate limit exceeded', { 'retry-after': '60' });
  if (!headers['user-agent'])
    return failure(403, 'Request forbidden by administrative rules. Send a User-Agent header.');
  const token = faults.hits('missing-token', 'rest') ? undefined : bearerToken(headers);
  if (token === undefined) return failure(401, 'Requires authentication');
  const permissions = tokens.restPermissions(token);
  if (permissions === undefined) return failure(401, 'Bad credentials');
  const wanted = needed(call, options);
  // `metadata: read` is in every token.
  if (wanted === undefined)
    return method === 'GET' ? undefined : failure(403, 'Resource not accessible by integration');
  const granted = wanted.map((name) => permissions[name] ?? 'none');
  const isEnough = granted.includes('write') || (granted.includes('read') && method === 'GET');
  return isEnough ? undefined : failure(403, 'Resource not accessible by integration');
}

function route(call: Call, options: RestOptions): Reply {
  const [, name = '', below = ''] = /^\/repos\/([^/]+\/[^/]+)(\/.+)?$/.exec(call.url.pathname) ?? [];
  if (name.toLowerCase() !== options.repository.name.toLowerCase()) return failure(404, 'Not Found');
  if (below === '') return json(200, describeRepository(options.repository));
  if (/^\/deployments(?:\/|$)/.test(below)) return options.deployments.answer(call, below.slice('/deployments'.length));
  const [, issue] = /^\/issues(?:\/(\d+)(?:\/.*)?)?$/.exec(below) ?? [];
  if (below === '/issues' || (issue !== undefined && options.issues.has(Number(issue)))) {
    return options.issues.answer(call, below.slice('/issues'.length));
  }
  if (/^\/(?:pulls|issues)\//.test(below)) return options.pullRequests.answer(call, below);
  const [, environment] = /^\/environments\/([^/]+)$/.exec(below) ?? [];
  if (environment !== undefined && call.method === 'GET') return options.environments.answer(environment);
  const [, path = ''] = /^\/actions\/(.+)$/.exec(below) ?? [];
  if (call.method === 'DELETE') return remove(path, options);
  return call.method === 'GET' ? actionsRoute(call, path, options) : failure(404, 'Not Found');
}

function remove(path: string, { caches, artifacts }: RestOptions): Reply {
  const [, kind, id] = /^(artifacts|caches)\/(\d+)$/.exec(path) ?? [];
  const artifact = artifacts.artifacts.find((each) => kind === 'artifacts' && each.id === Number(id));
  if (artifact !== undefined) artifacts.remove(artifact);
  const isGone = artifact !== undefined || (kind === 'caches' && caches.remove(Number(id)));
  return isGone ? { status: 204 } : failure(404, 'Not Found');
}

function actionsRoute(call: Call, path: string, options: RestOptions): Reply {
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
function page<T>(call: Call, field: string, items: readonly T[], describe: (item: T) => unknown): Reply {
  const { items: some, headers } = pageOf(call, items);
  return json(200, { total_count: items.length, [field]: some.map(describe) }, headers);
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

function describeRepository({ id, name, defaultBranch }: Repository) {
  return { id, full_name: name, private: true, default_branch: defaultBranch };
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
      head_repository_id: headRepositoryId(run, repository),
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
    head_repository: { ...repositoryFields, id: headRepositoryId(run, repository) },
  };
}

function branchOf({ ref, headBranch }: Run): string {
  return headBranch || ref.replace(/^refs\/(?:heads|tags)\//, '');
}

/** A fork is a repository of its own, with a number of its own; a run that it merely caused is of this one. */
function headRepositoryId({ isFromFork, event }: Run, { id }: Repository): number {
  return isFromFork && event.startsWith('pull_request') ? id + 1 : id;
}
