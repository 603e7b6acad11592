import { messageOf } from '../errors.js';
import { githubError } from '../github-refusal.js';
import { isRecord } from '../json.js';
import { askGithub, type GithubApi, listGithub } from './github-api.js';

/** What GitHub is told about a deployment, and where. */
export interface DeploymentOptions extends GithubApi {
  /** Commit that is deployed: of a pull request its head, as GitHub shows nothing at the merge commit. */
  sha: string;
  environment: string;
  description: string;
  /** Page of the run. */
  logUrl: string;
  /** Where what was deployed can be seen. */
  url: string;
  /** Whether the environment goes again, as that of a preview does. */
  isTransient?: boolean;
}

export type DeploymentState = 'in_progress' | 'success' | 'failure' | 'error' | 'inactive';

/** A GitHub Deployment that was made for a rollout or a preview. */
export interface Deployment {
  id: number;
  /** Tells how it is; nothing is thrown, as what was deployed is what counts. */
  tell(state: DeploymentState, description: string, url?: string): Promise<void>;
}

/** Earlier deployments, the newest first, that a new one ends. */
const mostEarlier = 5;
/** GitHub refuses longer ones. */
const longestDescription = 140;

/**
 * Makes a GitHub Deployment, in progress.
 *
 * @throws McprtError `github-deployment`
 */
export async function beginDeployment(options: DeploymentOptions, warn: (line: string) => void): Promise<Deployment> {
  const { sha, environment, logUrl, url, isTransient = false } = options;
  const made = await ask(options, '/deployments', {
    ref: sha,
    environment,
    description: options.description.slice(0, longestDescription),
    auto_merge: false,
    // Checks of the commit are the workflow's to wait for; this very job is one of them.
    required_contexts: [],
    ...(isTransient ? { transient_environment: true, production_environment: false } : {}),
  });
  const id = isRecord(made) ? made.id : undefined;
  if (typeof id !== 'number') throw new Error('GitHub’s answer to a new deployment has no id');
  const tell = async (state: DeploymentState, description: string, shownAt = url): Promise<void> => {
    await ask(options, `/deployments/${id}/statuses`, {
      state,
      description: description.slice(0, longestDescription),
      log_url: logUrl,
      environment_url: shownAt,
    });
  };
  await tell('in_progress', 'deploying');
  return {
    id,
    tell: (state, description, shownAt) =>
      tell(state, description, shownAt).catch((error: unknown) =>
        warn(`GitHub was not told of the deployment: ${messageOf(error)}`),
      ),
  };
}

/**
 * Tells GitHub that nothing of an environment is deployed any more, but what is to be kept: GitHub itself ends only earlier
 * deployments that are not transient.
 *
 * @param but the id of a deployment
 * @throws McprtError `github-deployment`
 */
export async function endDeployments(api: GithubApi, environment: string, but?: number): Promise<number> {
  const found = await listGithub(api, `/deployments?environment=${encodeURIComponent(environment)}`).catch(
    (error: unknown) => {
      throw refused(error);
    },
  );
  const all = found.flatMap((one) => (isRecord(one) && typeof one.id === 'number' ? [one.id] : []));
  // Each run ends those before it: of the older ones no more are left than runs that did not come so far.
  const ids = but === undefined ? all : all.filter((id) => id !== but).slice(0, mostEarlier);
  await Promise.all(
    ids.map((id) => ask(api, `/deployments/${id}/statuses`, { state: 'inactive', description: 'removed' })),
  );
  return ids.length;
}

/** The commit that a run is about: the head of a pull request, not the commit that merges it. */
export function deployedCommit(event: unknown, sha: string): string {
  const head = isRecord(event) && isRecord(event.pull_request) ? event.pull_request.head : undefined;
  return isRecord(head) && typeof head.sha === 'string' ? head.sha : sha;
}

async function ask(api: GithubApi, path: string, body: unknown): Promise<unknown> {
  return askGithub(api, 'POST', path, body).catch((error: unknown) => {
    throw refused(error);
  });
}

function refused(error: unknown): unknown {
  return githubError(error, {
    code: 'github-deployment',
    what: 'GitHub did not take the deployment',
    next: 'give the job `permissions: deployments: write`; none is made when `environment` is empty',
  });
}
