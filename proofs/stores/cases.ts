import type { Fault } from '../../lab/github/faults.js';
import type { Run } from '../../lab/github/run.js';

/** A backup with something wrong at GitHub's side, and what must come of it. */
export interface StoreCase {
  name: string;
  run?: Partial<Run>;
  faults?: Fault[];
  inputs: Record<string, string>;
  env?: Record<string, string>;
  /** The backup counts when one store holds it: these. Left out when it must fail with `backup-not-stored`. */
  holds?: string[];
  /** Stores that do not hold it, with the code of their reason. */
  fails?: Record<string, string>;
  /** What the log must say, for people. */
  says?: string[];
  /** The official clients try again for half a minute: not for CI. */
  slow?: boolean;
}

const untrusted: Partial<Run> = { event: 'pull_request_target' };
const [cache, artifact, both] = [{ stores: 'cache' }, { stores: 'artifact' }, { stores: 'cache,artifact' }];

/** The slow ones come first: they wait while the others run. */
export const storeCases: readonly StoreCase[] = [
  {
    name: 'cache service down',
    faults: [{ kind: 'down', on: 'cache' }],
    inputs: cache,
    fails: { cache: 'store-unavailable' },
    says: ['GitHub’s service refused CreateCacheEntry: it answered 503'],
    slow: true,
  },
  {
    name: 'cache service down, artifact holds it',
    faults: [{ kind: 'down', on: 'cache' }],
    inputs: both,
    holds: ['artifact'],
    fails: { cache: 'store-unavailable' },
    says: ['cache: GitHub’s service refused CreateCacheEntry'],
    slow: true,
  },
  {
    name: 'artifact service down, cache holds it',
    faults: [{ kind: 'down', on: 'artifacts' }],
    inputs: both,
    holds: ['cache'],
    fails: { artifact: 'store-unavailable' },
    says: ['artifact: GitHub’s service does not answer'],
    slow: true,
  },
  {
    name: 'everything down, the directory holds it',
    faults: [{ kind: 'down' }],
    inputs: { stores: 'cache,artifact,directory' },
    holds: ['directory'],
    fails: { cache: 'store-unavailable', artifact: 'store-unavailable' },
    slow: true,
  },
  {
    name: 'untrusted trigger',
    run: untrusted,
    inputs: cache,
    fails: { cache: 'store-read-only' },
    says: ['this run may not write to the cache: cache write denied', 'untrusted triggers get read-only tokens'],
  },
  {
    name: 'untrusted trigger, artifact holds it',
    run: untrusted,
    inputs: both,
    holds: ['artifact'],
    fails: { cache: 'store-read-only' },
    says: ['::warning::cache: this run may not write to the cache'],
  },
  {
    name: 'cache-mode: read',
    run: { cacheMode: 'read' },
    inputs: cache,
    fails: { cache: 'store-read-only' },
    says: ['the workflow sets cache-mode: read'],
  },
  {
    name: 'cache-mode: write-only',
    run: { cacheMode: 'write-only' },
    inputs: cache,
    fails: { cache: 'store-denied' },
    says: ['this job may not read the cache', 'they read back what they stored'],
  },
  {
    name: 'cache full',
    faults: [{ kind: 'full', on: 'cache' }],
    inputs: cache,
    fails: { cache: 'store-read-only' },
    says: ['the repository’s cache is over its quota', 'gh cache delete'],
  },
  {
    name: 'key taken',
    faults: [{ kind: 'duplicate', on: 'cache' }],
    inputs: cache,
    fails: { cache: 'store-duplicate' },
    says: ['is taken in the cache', 'each attempt stores under a name of its own'],
  },
  {
    name: 'too many calls',
    faults: [{ kind: 'rate-limited', on: 'cache' }],
    inputs: both,
    holds: ['artifact'],
    fails: { cache: 'store-unavailable' },
    says: ['run it again in some minutes'],
  },
  {
    name: 'cut off while it is read back',
    faults: [{ kind: 'truncated-download', on: 'cache' }],
    inputs: both,
    holds: ['artifact'],
    fails: { cache: 'store-read' },
    says: ['cache: the download was cut off'],
  },
  {
    name: 'no runtime token',
    inputs: both,
    env: { ACTIONS_RUNTIME_TOKEN: '' },
    fails: { cache: 'store-unavailable', artifact: 'store-unavailable' },
    says: ['ACTIONS_RUNTIME_TOKEN', 'run the action from a workflow'],
  },
  {
    name: 'expired runtime token',
    faults: [{ kind: 'missing-token' }],
    inputs: both,
    fails: { cache: 'store-unavailable', artifact: 'store-unavailable' },
    says: ['it answered 401'],
  },
  { name: 'no github-token', inputs: { ...both, 'github-token': '' }, holds: ['cache', 'artifact'] },
  {
    name: 'artifact storage full',
    faults: [{ kind: 'full', on: 'artifacts' }],
    inputs: artifact,
    fails: { artifact: 'store-full' },
    says: ['artifact storage is full', 'delete old artifacts'],
  },
  {
    name: 'artifact’s name taken',
    faults: [{ kind: 'duplicate', on: 'artifacts' }],
    inputs: artifact,
    fails: { artifact: 'store-duplicate' },
    says: ['this run already has an artifact'],
  },
  {
    name: 'longer retention than granted',
    inputs: { ...artifact, 'retention-days': '400' },
    holds: ['artifact'],
    says: ['asked to be kept for 400 days, granted 90'],
  },
];
