import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { isRecord, parsedJson } from '../json.js';
import { type Proxies, proxiesIn, withScheme } from '../proxy.js';
import type { RunContext } from '../run-context.js';
import { passwordsIn } from '../secret-shapes.js';
import type { GithubApi } from './github-api.js';
import { mask } from './mask.js';

/**
 * What the runner says about this run. Where no runner says anything, the machine stands in place of the repository:
 * two machines that name none are not the same.
 */
export function runContext(env: NodeJS.ProcessEnv, domain: string, tool: string, host = hostname()): RunContext {
  // A machine may be called anything, as `(none)`; what it is called is also what `from-repository` takes.
  const repository = env.GITHUB_REPOSITORY || `local/${encodeURIComponent(host) || 'unnamed'}`;
  return {
    repository,
    repositoryId: env.GITHUB_REPOSITORY_ID || repository,
    workflow: env.GITHUB_WORKFLOW_REF || (env.GITHUB_WORKFLOW ?? ''),
    runId: env.GITHUB_RUN_ID ?? '',
    runAttempt: env.GITHUB_RUN_ATTEMPT ?? '',
    job: env.GITHUB_JOB ?? '',
    domain,
    tool,
  };
}

/** GitHub's API and the page of this run, as the job's environment tells them. */
export function githubOf(token: string, env: NodeJS.ProcessEnv): GithubApi & { runUrl: string } {
  const repository = env.GITHUB_REPOSITORY ?? '';
  return {
    apiUrl: env.GITHUB_API_URL || 'https://api.github.com',
    token,
    repository,
    proxies: proxiesOf(env),
    runUrl: `${env.GITHUB_SERVER_URL || 'https://github.com'}/${repository}/actions/runs/${env.GITHUB_RUN_ID ?? ''}`,
  };
}

/** The branch of this run; undefined for a tag and for a pull request, which runs what somebody has proposed. */
export function branchOf(env: NodeJS.ProcessEnv): string | undefined {
  return /^refs\/heads\/(.+)$/.exec(env.GITHUB_REF ?? '')?.[1];
}

/** The default branch as the event's payload tells it, which takes no call and no permission. */
export function defaultBranchOf(env: NodeJS.ProcessEnv): string | undefined {
  if (!env.GITHUB_EVENT_PATH) return undefined;
  let payload: unknown;
  try {
    payload = parsedJson(readFileSync(env.GITHUB_EVENT_PATH, 'utf8'));
  } catch {
    // A runner that promises a file and has none says nothing.
    return undefined;
  }
  const repository = isRecord(payload) ? payload.repository : undefined;
  const name = isRecord(repository) ? repository.default_branch : undefined;
  return typeof name === 'string' && name !== '' ? name : undefined;
}

/** Tells somebody who backs up on another branch who will see that backup; nothing where the event does not say. */
export function warnOfBranch(env: NodeJS.ProcessEnv, warn: (line: string) => void): void {
  const [branch, main] = [branchOf(env), defaultBranchOf(env)];
  if (main === undefined || branch === main) return;
  warn(
    `this run is of ${branch === undefined ? 'no branch' : `branch ${branch}`}, and not of ${main}: a restore there takes its backup only where it is named, ` +
      'with `generation` or `name`, and out of the artifacts or a directory, as GitHub keeps the cache of a branch to itself',
  );
}

/** The proxies that the runner's environment names. Passwords in their addresses are masked. */
export function proxiesOf(env: NodeJS.ProcessEnv): Proxies {
  const found = proxiesIn(env);
  [found.https, found.http].map(withScheme).flatMap(passwordsIn).forEach(mask);
  return found;
}
