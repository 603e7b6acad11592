import { artifactService } from './artifact-service.js';
import { type Artifact, ArtifactStore } from './artifact-store.js';
import { answerBlobCall } from './blob-service.js';
import { ACCOUNT, Blobs } from './blobs.js';
import { cacheService } from './cache-service.js';
import { type CacheEntry, CacheStore, sizeOf } from './cache-store.js';
import { withContents } from './contents.js';
import { type DeploymentFacts, Deployments } from './deployments.js';
import { environmentOf } from './environment.js';
import { type EnvironmentRules, Environments } from './environments.js';
import { type Fault, Faults } from './faults.js';
import { type Call, type Reply, serve } from './http.js';
import { type IssueFacts, Issues } from './issues.js';
import { type Comment, type PullRequest, PullRequests } from './pull-requests.js';
import { answerRestCall } from './rest.js';
import { defaultRun, jobBackendId, type Repository, type Run, runBackendId } from './run.js';
import { Tokens } from './tokens.js';
import { answerTwirpCall } from './twirp.js';

export interface GithubOptions {
  readonly repository?: Partial<Repository>;
  /** The run whose view `startGithub` gives. */
  readonly run?: Partial<Run>;
  /** The room for caches of the repository; 10 GiB as on GitHub when left out. */
  readonly cacheLimitBytes?: number;
  /** The clock of the services; the real one when left out. */
  readonly now?: () => Date;
}

/** A cache entry as a test sees it. Sizes are bytes. */
export type CacheFacts = Pick<CacheEntry, 'id' | 'key' | 'version' | 'scope' | 'createdAt' | 'lastAccessedAt'> & {
  readonly size: number;
};

/** An artifact as a test sees it. Sizes are bytes. */
export type ArtifactFacts = Pick<Artifact, 'id' | 'name' | 'createdAt' | 'expiresAt' | 'digest'> & {
  readonly size: number;
};

/** The stand-in for GitHub's Actions services, as one run sees it. */
export interface Github {
  readonly run: Run;
  /** The variables of an action of this run. */
  readonly env: Readonly<Record<string, string>>;
  /** The GITHUB_TOKEN of the job. */
  readonly token: string;
  /** The same services with the same state, seen from another run; what is not given is as in this run. */
  as(run: Partial<Run>): Github;
  cacheEntries(): readonly CacheFacts[];
  /** The newest first. */
  artifacts(): readonly ArtifactFacts[];
  deployments(): readonly DeploymentFacts[];
  comments(): readonly Readonly<Comment>[];
  issues(): readonly IssueFacts[];
  /** Makes or changes an environment of the repository. */
  setEnvironment(name: string, rules: EnvironmentRules): void;
  /** Opens, changes or closes a pull request. */
  setPullRequest(pullRequest: PullRequest): void;
  /** Comments on a pull request as somebody. */
  comment(pullRequest: number, user: string, body: string): void;
  /** Opens an issue as somebody. */
  openIssue(user: string, issue: { title: string; body: string; labels?: string[] }): IssueFacts;
  /** Every call of the REST API, as `METHOD /path`. */
  restCalls(): readonly string[];
  /**
   * Every body that was ever sent, every content that a blob ever had, and what is packed in them: a secret that is in
   * none of these never got here.
   */
  storedBytes(): readonly Buffer[];
  inject(fault: Fault): void;
  clearFaults(): void;
  /** Uploads a zip file as this run, at once: for a repository that has thousands of them. */
  plantArtifact(name: string, zip: Buffer): void;
  /** Removes the cache entries of a key, as GitHub may at any time. Gives how many there were. */
  evict(key: string): number;
  /** Changes the stored bytes of the newest cache entry or artifact of a name, one bit in the middle unless told otherwise. */
  tamper(service: 'cache' | 'artifacts', name: string, change?: (bytes: Buffer) => Buffer): boolean;
  /** Stops the services, for every view of them. */
  close(): Promise<void>;
}

/** The repository that is stood in for, unless it is said otherwise. */
export const labRepository: Repository = {
  name: 'mcprt-lab/platform',
  id: 800_000_001,
  defaultBranch: 'main',
  retentionDays: 90,
};
const DEFAULT_CACHE_LIMIT = 10 * 1024 ** 3;
const FIRST_ID = 7_000_000_001;

/**
 * Starts a stand-in for GitHub's cache service, artifact service and the few REST calls around them, on a free port of
 * the loopback interface. Everything stays in memory. It is strict: what the real services refuse, it refuses.
 */
export async function startGithub(options: GithubOptions = {}): Promise<Github> {
  const backend = new Backend(options);
  const server = await serve((call) => backend.answer(call));
  return view(backend, server, { ...defaultRun(backend.repository), ...options.run });
}

/** The state that all views share. */
class Backend {
  readonly repository: Repository;
  readonly tokens: Tokens;
  readonly blobs: Blobs;
  readonly caches: CacheStore;
  readonly artifacts: ArtifactStore;
  readonly deployments: Deployments;
  readonly environments = new Environments();
  readonly pullRequests: PullRequests;
  readonly issues: Issues;
  readonly restCalls: string[] = [];
  readonly faults = new Faults();
  readonly runs = new Map<number, Run>();
  readonly received: Buffer[] = [];

  constructor({ repository, cacheLimitBytes = DEFAULT_CACHE_LIMIT, now = () => new Date() }: GithubOptions) {
    this.repository = { ...labRepository, ...repository };
    this.tokens = new Tokens(now);
    this.blobs = new Blobs(now);
    let id = FIRST_ID;
    const common = { blobs: this.blobs, now, nextId: () => id++ };
    this.deployments = new Deployments(common);
    this.pullRequests = new PullRequests(common);
    this.issues = new Issues({ ...common, pullRequests: () => this.pullRequests.all });
    this.caches = new CacheStore({ ...common, limitBytes: cacheLimitBytes });
    this.artifacts = new ArtifactStore({ ...common, retentionDays: this.repository.retentionDays });
  }

  answer(call: Call): Reply {
    const path = call.url.pathname;
    if (call.body.length > 0) this.received.push(call.body);
    const { blobs, faults, tokens } = this;
    if (path.startsWith(`/${ACCOUNT}/`)) return answerBlobCall(call, blobs, faults);
    if (!path.startsWith('/twirp/')) {
      this.restCalls.push(`${call.method} ${path}`);
      return answerRestCall(call, this);
    }
    const services = [
      cacheService({ store: this.caches, blobs, faults }),
      artifactService({ store: this.artifacts, blobs, faults }),
    ];
    return answerTwirpCall(call, { services, tokens, faults });
  }

  cacheFacts(): readonly CacheFacts[] {
    return this.caches.entries.map((entry) => {
      const { id, key, version, scope, createdAt, lastAccessedAt } = entry;
      return { id, key, version, scope, createdAt, lastAccessedAt, size: sizeOf(entry) };
    });
  }

  artifactFacts(): readonly ArtifactFacts[] {
    return this.artifacts.artifacts.map(({ id, name, createdAt, expiresAt, digest, blob }) => {
      return { id, name, createdAt, expiresAt, digest, size: blob.bytes?.length ?? 0 };
    });
  }

  tamper(service: 'cache' | 'artifacts', name: string, change = flipMiddleBit): boolean {
    const newest =
      service === 'cache'
        ? this.caches.entries.findLast(({ key }) => key === name)
        : this.artifacts.artifacts.find((artifact) => artifact.name === name);
    if (newest?.blob.bytes === undefined || newest.blob.bytes.length === 0) return false;
    newest.blob.bytes = change(newest.blob.bytes);
    return true;
  }
}

function flipMiddleBit(bytes: Buffer): Buffer {
  const changed = Buffer.from(bytes);
  const middle = Math.floor(changed.length / 2);
  changed.writeUInt8(changed.readUInt8(middle) ^ 1, middle);
  return changed;
}

function view(backend: Backend, server: { origin: string; close(): Promise<void> }, run: Run): Github {
  const { repository, tokens } = backend;
  const runtimeToken = tokens.issueRuntimeToken(run, repository);
  backend.runs.set(run.id, run);
  return {
    run,
    env: environmentOf(run, repository, { origin: server.origin, runtimeToken }),
    token: tokens.issueRestToken(run.permissions),
    as: (other) => view(backend, server, { ...run, ...other }),
    cacheEntries: () => backend.cacheFacts(),
    artifacts: () => backend.artifactFacts(),
    deployments: () => backend.deployments.facts,
    comments: () => backend.pullRequests.comments,
    issues: () => backend.issues.facts,
    openIssue: (user, issue) => backend.issues.open(user, issue),
    setEnvironment: (name, rules) => backend.environments.set(name, rules),
    setPullRequest: (pullRequest) => backend.pullRequests.set(pullRequest),
    comment: (pullRequest, user, body) => void backend.pullRequests.comment(pullRequest, user, body),
    restCalls: () => backend.restCalls,
    storedBytes: () =>
      [...new Set([...backend.received, ...backend.blobs.written])].flatMap((each) => withContents(each)),
    inject: (fault) => backend.faults.inject(fault),
    clearFaults: () => backend.faults.clear(),
    plantArtifact(name, zip) {
      const [runId, jobId] = [runBackendId(repository, run), jobBackendId(repository, run)];
      const artifact = backend.artifacts.create(name, runId, jobId, undefined);
      if (artifact === undefined) throw new Error(`the run has an artifact ${name}`);
      backend.blobs.replace(artifact.blob, zip);
      backend.artifacts.finalize(name, runId, zip.length, undefined);
    },
    evict: (key) => backend.caches.evict(key),
    tamper: (service, name, change) => backend.tamper(service, name, change),
    close: () => server.close(),
  };
}
