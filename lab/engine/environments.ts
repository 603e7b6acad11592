import type { CacheMode, Permission, RunPermissions } from '../github/run.js';

/** An environment of the repository, as its settings have it. */
export interface Environment {
  secrets?: Readonly<Record<string, string>>;
  variables?: Readonly<Record<string, string>>;
  /** Whether somebody has to let a job in. */
  hasReviewers?: boolean;
  /** Branches whose runs may use it; all when left out. */
  branches?: readonly string[];
}

/** What a job tells of itself before it starts. */
export interface JobRequest {
  workflow: string;
  job: string;
  environment: unknown;
  permissions: unknown;
  /** `permissions` of the job that calls the workflow; null where nothing was called. */
  callerPermissions: unknown;
  isCalled: boolean;
  cacheMode: string;
  concurrency: unknown;
  /** Of the workflow that was started. */
  workflowConcurrency: unknown;
}

const levels: readonly Permission[] = ['none', 'read', 'write'];

/** `environment: name`, or `environment: {name: …}`; empty when the job has none. */
export function environmentName(value: unknown): string {
  if (typeof value === 'string') return value;
  return typeof value === 'object' && value !== null && 'name' in value ? String(value.name) : '';
}

/**
 * What a job may, as its `permissions` say; what is left out is none. A job of a called workflow may want no more than
 * its caller has: GitHub refuses such a run as a whole.
 *
 * @returns what the job may, or why it is refused
 */
export function permissionsOf({ job, permissions, callerPermissions, isCalled }: JobRequest): RunPermissions | string {
  const wanted = grants(permissions);
  const allowed = grants(callerPermissions);
  const tooMuch = Object.entries(wanted).find(
    ([scope, level]) => isCalled && levels.indexOf(level) > levels.indexOf(allowed[scope] ?? 'none'),
  );
  if (tooMuch !== undefined) {
    const [scope, level] = tooMuch;
    return `the nested job '${job}' is requesting '${scope}: ${level}', but is only allowed '${scope}: ${allowed[scope] ?? 'none'}'`;
  }
  return wanted;
}

/** How a job may use the cache; all of it where it does not say. */
export function cacheModeOf({ cacheMode }: JobRequest): CacheMode {
  const modes: readonly CacheMode[] = ['none', 'read', 'write', 'write-only'];
  return modes.find((mode) => mode === cacheMode) ?? 'write';
}

/** Why a run of a branch may not use an environment; undefined where it may. */
export function branchRefusal(name: string, { branches }: Environment, ref: string): string | undefined {
  const isAllowed = branches === undefined || branches.some((branch) => ref === `refs/heads/${branch}`);
  return isAllowed
    ? undefined
    : `Branch "${ref}" is not allowed to deploy to ${name} due to environment protection rules.`;
}

function grants(value: unknown): Record<string, Permission> {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(
    Object.entries(value).map(([scope, level]) => [scope, levels.find((one) => one === level) ?? 'none']),
  );
}
