import { askGithub, type GithubApi } from '../../shared/action/github-api.js';
import { messageOf } from '../../shared/errors.js';
import { isRecord } from '../../shared/json.js';
import { findLeftovers, planCleanup, previewOf } from '../../shared/smoke/cleanup.js';
import { Made, removeMade } from '../../shared/smoke/made.js';
import type { SmokeRun } from './main.js';

/** Where GitHub's API is for this job. */
export function githubOf(token: string): GithubApi {
  return {
    apiUrl: process.env.GITHUB_API_URL || 'https://api.github.com',
    token,
    repository: process.env.GITHUB_REPOSITORY ?? '',
  };
}

/**
 * Removes what tests and previews have left: of one pull request all, otherwise what is old, and previews whose pull
 * request is closed.
 */
export async function cleanUpLeftovers(smoke: SmokeRun, pullRequest?: number): Promise<void> {
  const { inputs, context, report } = smoke;
  const { admin } = await context.platform();
  const prefix = inputs['team-prefix'];
  const slugs = [prefix, ...['acme', 'globex', 'techcorp'].map((name) => `${prefix}-${name}`)];
  const found = await findLeftovers(
    admin,
    slugs.map((slug) => `mcp-team-${slug}`),
  );
  const numbers = new Set(found.flatMap(({ name }) => previewOf(name) ?? []));
  const lines = planCleanup(found, {
    now: new Date(),
    repository: process.env.GITHUB_REPOSITORY ?? '',
    pullRequest,
    olderThan: inputs['older-than'],
    previewsOlderThan: inputs['previews-older-than'],
    closed: pullRequest === undefined ? await closedOf(numbers, smoke) : new Set([pullRequest]),
  });
  for (const { thing, isRemoved, reason } of lines) {
    context.progress(`${isRemoved ? 'remove' : 'leave'} ${thing.kind} ${thing.namespace}/${thing.name}: ${reason}`);
  }
  report.cleanup = lines;
  if (inputs['dry-run']) return;
  const wanted = lines.filter(({ isRemoved }) => isRemoved).map(({ thing }) => thing);
  const made = new Made(() => undefined, wanted);
  report.left = await removeMade(made, admin);
  report.removed = wanted.length - report.left.length;
}

/** Which pull requests are closed. One that cannot be asked for counts as open: its preview stays. */
async function closedOf(numbers: ReadonlySet<number>, { inputs, context }: SmokeRun): Promise<Set<number>> {
  const closed = new Set<number>();
  await Promise.all(
    [...numbers].map(async (number) => {
      try {
        const answer = await askGithub(githubOf(inputs['github-token']), 'GET', `/pulls/${number}`);
        if (isRecord(answer) && answer.state === 'closed') closed.add(number);
      } catch (error) {
        context.progress(`pull request ${number} cannot be looked at, and counts as open: ${messageOf(error)}`);
      }
    }),
  );
  return closed;
}
