import pRetry from 'p-retry';
import { McprtError, messageOf } from '../errors.js';
import { isRecord } from '../json.js';

/** What GitHub is told about a deployment, and where. */
export interface DeploymentOptions {
  apiUrl: string;
  token: string;
  repository: string;
  /** Commit that is deployed: of a pull request its head, as GitHub shows nothing at the merge commit. */
  sha: string;
  environment: string;
  description: string;
  /** Page of the run. */
  logUrl: string;
  /** Where what was deployed can be seen. */
  url: string;
}

export type DeploymentState = 'in_progress' | 'success' | 'failure' | 'error';

/** A GitHub Deployment that was made for a rollout. */
export interface Deployment {
  /** Tells how it is; nothing is thrown, as the rollout is what counts. */
  tell(state: DeploymentState, description: string): Promise<void>;
}

const deadline = 10_000;
/** GitHub refuses longer ones. */
const longestDescription = 140;

/**
 * Makes a GitHub Deployment, in progress.
 *
 * @throws McprtError `github-deployment`
 */
export async function beginDeployment(options: DeploymentOptions, warn: (line: string) => void): Promise<Deployment> {
  const { repository, sha, environment, logUrl, url } = options;
  const made = await ask(options, `/repos/${repository}/deployments`, {
    ref: sha,
    environment,
    description: options.description.slice(0, longestDescription),
    auto_merge: false,
    // Checks of the commit are the workflow's to wait for; this very job is one of them.
    required_contexts: [],
  });
  const id = isRecord(made) ? made.id : undefined;
  if (typeof id !== 'number') throw refused('GitHub’s answer has no id');
  const tell = async (state: DeploymentState, description: string): Promise<void> => {
    await ask(options, `/repos/${repository}/deployments/${id}/statuses`, {
      state,
      description: description.slice(0, longestDescription),
      log_url: logUrl,
      environment_url: url,
    });
  };
  await tell('in_progress', 'rolling out');
  return {
    tell: (state, description) =>
      tell(state, description).catch((error: unknown) =>
        warn(`GitHub was not told of the deployment: ${messageOf(error)}`),
      ),
  };
}

/** The commit that a run is about: the head of a pull request, not the commit that merges it. */
export function deployedCommit(event: unknown, sha: string): string {
  const head = isRecord(event) && isRecord(event.pull_request) ? event.pull_request.head : undefined;
  return isRecord(head) && typeof head.sha === 'string' ? head.sha : sha;
}

async function ask({ apiUrl, token }: DeploymentOptions, path: string, body: unknown): Promise<unknown> {
  return pRetry(
    async () => {
      const answer = await fetch(`${apiUrl}${path}`, {
        method: 'POST',
        headers: {
          accept: 'application/vnd.github+json',
          authorization: `Bearer ${token}`,
          'x-github-api-version': '2022-11-28',
          'content-type': 'application/json',
          'user-agent': 'mcprt',
        },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(deadline),
      });
      const text = await answer.text();
      if (answer.status >= 300) throw refused(`${answer.status}: ${text.slice(0, 200)}`, answer.status);
      return JSON.parse(text) as unknown;
    },
    {
      retries: 2,
      minTimeout: 500,
      shouldRetry: ({ error }) => !(error instanceof McprtError) || error.message.includes('(it may pass)'),
    },
  );
}

function refused(why: string, status = 0): McprtError {
  return new McprtError('github-deployment', {
    what: `GitHub did not take the deployment${status >= 500 || status === 429 ? ' (it may pass)' : ''}`,
    why,
    next: 'give the job `permissions: deployments: write`, or leave `environment` empty: a job with an `environment` of its own gets a deployment from GitHub',
  });
}
