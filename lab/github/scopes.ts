import type { CacheMode, Repository, Run } from './run.js';

/** The permission bits of a cache scope, as the runtime token carries them. */
export const READ = 1;
export const WRITE = 2;

export interface Scope {
  readonly scope: string;
  /** READ, WRITE or both. */
  readonly permission: number;
}

const MODE_BITS: Record<CacheMode, number> = { none: 0, read: READ, write: READ | WRITE, 'write-only': WRITE };
const UNTRUSTED_EVENTS = ['pull_request_target', 'issue_comment'];

/**
 * The cache scopes of a run, in the order in which they are searched: its own ref, the base branch of a pull
 * request, the default branch. Only the own ref may be written, and the default branch not by an event that a
 * stranger can cause. Rules: GitHub's documentation of dependency caching, and its changelog of 2026-06-26 and
 * 2026-09-10.
 */
export function scopesOf(run: Run, repository: Repository): readonly Scope[] {
  const defaultRef = `refs/heads/${repository.defaultBranch}`;
  const isUntrusted = UNTRUSTED_EVENTS.includes(run.event) || (run.event === 'workflow_run' && run.isFromFork);
  const own = run.ref === defaultRef && isUntrusted ? READ : READ | WRITE;
  const scopes = new Map([[run.ref, own]]);
  if (run.baseRef !== '' && !scopes.has(`refs/heads/${run.baseRef}`)) scopes.set(`refs/heads/${run.baseRef}`, READ);
  if (!scopes.has(defaultRef)) scopes.set(defaultRef, READ);
  return [...scopes]
    .map(([scope, permission]) => ({ scope, permission: permission & MODE_BITS[run.cacheMode] }))
    .filter(({ permission }) => permission !== 0);
}
