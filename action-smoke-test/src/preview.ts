import { readFile } from 'node:fs/promises';
import { beginDeployment, endDeployments } from '../../shared/action/deployment.js';
import { githubOf } from '../../shared/action/github.js';
import { askGithub } from '../../shared/action/github-api.js';
import { log } from '../../shared/action/log.js';
import { writeStickyComment } from '../../shared/action/sticky-comment.js';
import { messageOf } from '../../shared/errors.js';
import { githubError } from '../../shared/github-refusal.js';
import {
  factsOf,
  isForeign,
  previewEnvironment,
  previewName,
  pullRequestOf,
  requireOwnCode,
  requireSameCommit,
} from '../../shared/smoke/pull-request.js';
import { tenantSuite } from '../../shared/smoke/tenant.js';
import { cleanUpLeftovers } from './cleanup.js';
import { requirePassword } from './inputs.js';
import { previewComment, stopClock } from './report.js';
import { callOf, previewMarker, type SmokeRun } from './run.js';

/** Deploys and tests the server of a pull request, or removes it when that is closed; tells it in one comment. */
export async function runPreview(smoke: SmokeRun): Promise<void> {
  const { inputs, context, report } = smoke;
  const { env } = process;
  const github = githubOf(inputs['github-token'], process.env);
  const event: unknown = env.GITHUB_EVENT_PATH ? JSON.parse(await readFile(env.GITHUB_EVENT_PATH, 'utf8')) : {};
  const pull = pullRequestOf(event, github.repository, inputs['pull-request']);
  const answer = await askGithub(github, 'GET', `/pulls/${pull.number}`).catch((error: unknown) => {
    throw githubError(error, {
      code: 'github-pull-request',
      what: `pull request ${pull.number} cannot be looked at`,
      next: 'give the job `permissions: pull-requests: write`, and check the number in `pull-request`',
    });
  });
  const facts = factsOf(answer, github.repository);
  requireSameCommit(pull, facts);
  const { runUrl } = github;
  if (pull.isClosed || facts.isClosed) {
    await cleanUpLeftovers(smoke, pull.number);
    return;
  }
  requireOwnCode(pull, facts, { builds: inputs['image-archive'] === '' });
  requirePassword(inputs);
  const comment = async (): Promise<void> => {
    if (!inputs.comment) return;
    stopClock(report);
    const markdown = context.hide(previewComment(report, { sha: facts.headSha, runUrl }));
    await writeStickyComment(github, pull.number, { marker: previewMarker(report.domain), markdown });
  };
  const deployment = await beginDeployment(
    {
      ...github,
      sha: facts.headSha,
      environment: previewEnvironment(pull.number),
      description: `Preview on ${report.domain}`,
      logUrl: runUrl,
      url: `https://${context.hosts.platform}`,
      isTransient: true,
    },
    log.warning,
  );
  let name = '';
  try {
    const published = await tenantSuite(context, {
      suite: 'preview',
      metadata: () => smoke.metadata(isForeign(pull, facts)),
      nameOf: (metadata) => {
        name = previewName(github.repository, pull.number, metadata.name);
        return name;
      },
      call: callOf(inputs),
      replaces: true,
    });
    Object.assign(report, published);
    if (name !== '') await cleanUpLeftovers(smoke, pull.number, name);
  } catch (error) {
    await deployment.tell('error', messageOf(error));
    throw error;
  }
  const failed = context.record.filter(({ status }) => status === 'failed');
  const state = failed.length === 0 ? 'success' : 'failure';
  const described = failed[0]?.failure?.what ?? `${context.record.length} checks`;
  const told = deployment.tell(state, described, report.url || undefined);
  const ended = endDeployments(github, previewEnvironment(pull.number), deployment.id).catch((error: unknown) =>
    log.warning(`GitHub was not told that earlier previews are over: ${messageOf(error)}`),
  );
  await Promise.all([told, ended, comment()]);
}
