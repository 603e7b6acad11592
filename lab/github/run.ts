import { createHash } from 'node:crypto';

export type CacheMode = 'none' | 'read' | 'write' | 'write-only';
export type Permission = 'none' | 'read' | 'write';

/** The repository whose services are stood in for. */
export interface Repository {
  /** owner/name */
  readonly name: string;
  readonly id: number;
  readonly defaultBranch: string;
  /** The longest time that an artifact is kept, in days. */
  readonly retentionDays: number;
}

/** One run of a workflow, as far as the services look at it. */
export interface Run {
  readonly id: number;
  readonly attempt: number;
  readonly job: string;
  readonly event: string;
  /** refs/heads/…, refs/tags/… or refs/pull/…/merge */
  readonly ref: string;
  /** The branch that a pull request wants to go to; empty for other events. */
  readonly baseRef: string;
  readonly isFromFork: boolean;
  /** Branch of the commit: for a pull request that of its author, who may call it as they like. Of `ref` when empty. */
  readonly headBranch: string;
  readonly sha: string;
  /** File name in .github/workflows. */
  readonly workflow: string;
  readonly cacheMode: CacheMode;
  /** What the job's GITHUB_TOKEN may do. */
  readonly permissions: RunPermissions;
}

/** The `permissions` of a job, as far as the services look at them. What is left out is none. */
export interface RunPermissions {
  readonly actions?: Permission;
  readonly deployments?: Permission;
  readonly issues?: Permission;
  readonly 'pull-requests'?: Permission;
  readonly 'id-token'?: Permission;
}

/** The run that a view has unless it says otherwise: a manual one on the default branch. */
export function defaultRun(repository: Repository): Run {
  return {
    id: 9_000_000_001,
    attempt: 1,
    job: 'backup',
    event: 'workflow_dispatch',
    ref: `refs/heads/${repository.defaultBranch}`,
    baseRef: '',
    isFromFork: false,
    headBranch: '',
    sha: createHash('sha1').update(repository.name).digest('hex'),
    workflow: 'backup.yml',
    cacheMode: 'write',
    permissions: { actions: 'read' },
  };
}

/** The id under which the artifact service knows a run: the same for every job of it. */
export function runBackendId(repository: Repository, run: Run): string {
  return uuidOf(`${repository.id} ${run.id}`);
}

/** The id under which the artifact service knows a job of one attempt. */
export function jobBackendId(repository: Repository, run: Run): string {
  return uuidOf(`${repository.id} ${run.id} ${run.attempt} ${run.job}`);
}

function uuidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}
