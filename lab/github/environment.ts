import type { Repository, Run } from './run.js';

/** The host of GITHUB_SERVER_URL: the clients take names below .localhost for github.com itself, and never call it. */
const SERVER_HOST = 'github.localhost';

export interface Endpoints {
  readonly origin: string;
  readonly runtimeToken: string;
}

/**
 * The variables that a runner gives an action, as far as they concern the services that are stood in for. The
 * GITHUB_TOKEN is not among them: actions get it as an input.
 */
export function environmentOf(run: Run, repository: Repository, { origin, runtimeToken }: Endpoints) {
  const [owner = ''] = repository.name.split('/');
  const path = `${repository.name}/.github/workflows/${run.workflow}@${run.ref}`;
  return {
    ACTIONS_CACHE_MODE: run.cacheMode,
    ACTIONS_CACHE_SERVICE_V2: 'true',
    ACTIONS_RESULTS_URL: `${origin}/`,
    ACTIONS_RUNTIME_TOKEN: runtimeToken,
    GITHUB_ACTIONS: 'true',
    GITHUB_API_URL: origin,
    GITHUB_BASE_REF: run.baseRef,
    GITHUB_EVENT_NAME: run.event,
    GITHUB_JOB: run.job,
    GITHUB_REF: run.ref,
    GITHUB_REF_NAME: run.ref.replace(/^refs\/(?:heads|tags|pull)\//, ''),
    GITHUB_REF_TYPE: run.ref.startsWith('refs/tags/') ? 'tag' : 'branch',
    GITHUB_REPOSITORY: repository.name,
    GITHUB_REPOSITORY_ID: String(repository.id),
    GITHUB_REPOSITORY_OWNER: owner,
    GITHUB_RETENTION_DAYS: String(repository.retentionDays),
    GITHUB_RUN_ATTEMPT: String(run.attempt),
    GITHUB_RUN_ID: String(run.id),
    GITHUB_SERVER_URL: `http://${SERVER_HOST}`,
    GITHUB_SHA: run.sha,
    GITHUB_WORKFLOW: run.workflow,
    GITHUB_WORKFLOW_REF: path,
  };
}
