import type { GithubApi } from '../../shared/action/github-api.js';

/** Where GitHub's API is for this job. */
export function githubOf(token: string): GithubApi {
  return {
    apiUrl: process.env.GITHUB_API_URL || 'https://api.github.com',
    token,
    repository: process.env.GITHUB_REPOSITORY ?? '',
  };
}

/** Page of this run. */
export function runUrlOf({ repository }: GithubApi): string {
  const { GITHUB_SERVER_URL: server, GITHUB_RUN_ID: run } = process.env;
  return `${server || 'https://github.com'}/${repository}/actions/runs/${run ?? ''}`;
}

/** What tells the comment on a preview from all others: a pull request may have previews on several platforms. */
export function previewMarker(domain: string): string {
  return `preview on ${domain}`;
}
