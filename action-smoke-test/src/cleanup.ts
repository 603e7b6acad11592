import { endDeployments } from '../../shared/action/deployment.js';
import { githubOf } from '../../shared/action/github.js';
import { askGithub } from '../../shared/action/github-api.js';
import { log } from '../../shared/action/log.js';
import { writeStickyComment } from '../../shared/action/sticky-comment.js';
import { messageOf, toldBy } from '../../shared/errors.js';
import { isRecord } from '../../shared/json.js';
import { findKeySecrets, findLeftovers, planCleanup, previewOf } from '../../shared/smoke/cleanup.js';
import { Made, removeMade } from '../../shared/smoke/made.js';
import { previewEnvironment } from '../../shared/smoke/pull-request.js';
import { whoRemovesSecrets } from '../../shared/smoke/tenant.js';
import { findTeam } from '../../shared/smoke/tenants.js';
import { removedComment } from './report.js';
import type { SmokeRun } from './run.js';
import { previewMarker } from './run.js';

/**
 * Removes what tests and previews have left: of one pull request all, otherwise what is old, and previews whose pull
 * request is closed.
 *
 * @param keep the server that the pull request has now: only what it had before under another name goes
 */
export async function cleanUpLeftovers(smoke: SmokeRun, pullRequest?: number, keep?: string): Promise<void> {
  const { inputs, context, report } = smoke;
  const { admin } = await context.platform();
  const prefix = inputs['team-prefix'];
  const slugs = [prefix, ...['acme', 'globex', 'techcorp'].map((name) => `${prefix}-${name}`)];
  const teams = await Promise.all(slugs.map((slug) => findTeam(admin, slug)));
  const namespaces = teams.flatMap((team) => team?.namespace ?? []);
  const [things, secrets] = await Promise.all([
    findLeftovers(admin, namespaces),
    findKeySecrets(context.cluster, namespaces),
  ]);
  for (const namespace of secrets.unseen) {
    context.progress(`Secrets of servers in ${namespace} are not looked for: ${whoRemovesSecrets}`);
  }
  const found = [...things, ...secrets.found];
  const numbers = new Set(found.flatMap(({ name }) => previewOf(name) ?? []));
  const lines = planCleanup(found, {
    now: new Date(),
    repository: process.env.GITHUB_REPOSITORY ?? '',
    pullRequest,
    keep,
    olderThan: inputs['older-than'],
    previewsOlderThan: inputs['previews-older-than'],
    closed: pullRequest === undefined ? await closedOf(numbers, smoke) : new Set([pullRequest]),
  });
  for (const { thing, isRemoved, reason } of lines) {
    context.progress(`${isRemoved ? 'remove' : 'leave'} ${thing.kind} ${thing.namespace}/${thing.name}: ${reason}`);
  }
  // Of a preview that goes on there is mostly nothing to tell.
  if (keep === undefined || lines.length > 0) report.cleanup = lines;
  if (inputs['dry-run']) return;
  const wanted = lines.filter(({ isRemoved }) => isRemoved).map(({ thing }) => thing);
  const made = new Made(() => undefined, wanted);
  const { left, kept } = await removeMade(made, { admin, cluster: context.cluster });
  report.left = [...left, ...kept.map((command) => `left to do: ${command}`)];
  report.removed = wanted.length - report.left.length;
  if (keep !== undefined) return;
  const gone = pullRequest === undefined ? wanted.flatMap(({ name }) => previewOf(name) ?? []) : [pullRequest];
  for (const number of report.left.length > 0 ? [] : new Set(gone)) await tellRemoved(number, smoke);
}

/** Tells GitHub, and those who read the pull request, that its preview is gone. It is gone also when they cannot be told. */
async function tellRemoved(number: number, { inputs, context, report }: SmokeRun): Promise<void> {
  const github = githubOf(inputs['github-token'], process.env);
  try {
    await endDeployments(github, previewEnvironment(number));
    if (!inputs.comment) return;
    const markdown = removedComment(github.runUrl);
    await writeStickyComment(github, number, { marker: previewMarker(report.domain), markdown, onlyChange: true });
  } catch (error) {
    log.warning(`GitHub was not told that the preview of pull request ${number} is gone: ${toldBy(error)}`);
    context.progress(`the preview of pull request ${number} is gone all the same`);
  }
}

/** Which pull requests are closed. One that cannot be asked for counts as open: its preview stays. */
async function closedOf(numbers: ReadonlySet<number>, { inputs, context }: SmokeRun): Promise<Set<number>> {
  const closed = new Set<number>();
  await Promise.all(
    [...numbers].map(async (number) => {
      try {
        const answer = await askGithub(githubOf(inputs['github-token'], process.env), 'GET', `/pulls/${number}`);
        if (isRecord(answer) && answer.state === 'closed') closed.add(number);
      } catch (error) {
        context.progress(`pull request ${number} cannot be looked at, and counts as open: ${messageOf(error)}`);
      }
    }),
  );
  return closed;
}
