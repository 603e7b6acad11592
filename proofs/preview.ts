import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ActionRun } from '../lab/driver/action.js';
import { type Github, startGithub } from '../lab/github/github.js';
import { kinds } from '../shared/cluster/objects.js';
import { withoutMasks } from './leaks.js';
import type { Proof, ProofContext } from './proof.js';
import { makeSmokeWorld, type SmokeWorld } from './smoke/world.js';

/** What one run of a preview came to. */
interface Step {
  step: string;
  code: number | null;
  error: string;
  seconds: number;
}

interface Stage {
  context: ProofContext;
  world: SmokeWorld;
  github: Github;
  steps: Step[];
  problems: string[];
}

const [own, fork] = [7, 8];

export const preview: Proof = {
  name: 'preview',
  claim:
    'a preview of a pull request from its opening to its end, forgotten ones too, with a stand-in of GitHub that checks each call: exactly one comment, and no code of a fork where the secrets are',
  async run(context) {
    const problems: string[] = [];
    const steps: Step[] = [];
    const world = await makeSmokeWorld(context, 'split');
    const github = await startGithub({
      run: {
        event: 'pull_request',
        permissions: { actions: 'read', 'pull-requests': 'write', deployments: 'write' },
      },
    });
    const stage: Stage = { context, world, github, steps, problems };
    try {
      await life(stage);
      await forgotten(stage);
      await forks(stage);
      await refusals(stage);
      context.progress(
        github
          .comments()
          .map(({ body }) => body)
          .join('\n---\n'),
      );
    } finally {
      await github.close();
      await world.close();
    }
    const calls = new Set(github.restCalls().map((call) => call.replace(/\d{2,}/g, 'N')));
    return { ok: problems.length === 0, figures: { steps, callsOfGithub: [...calls].sort() }, problems };
  },
};

/** Opened, pushed again while two runs meet, and closed. */
async function life(stage: Stage): Promise<void> {
  const { github, world, problems } = stage;
  setPull(stage, own, 'first', 'open');
  // Somebody else plants the marker: it is not ours.
  github.comment(own, 'somebody', '<!-- mcprt: preview on example.com -->\nhello');
  const opened = await play(stage, 'opened', own, 'first', await world.archive({ version: '1.0.0' }));
  requireComment(stage, 'opened', /All \d+ checks passed/);
  await requireAnswer(stage, opened, '1.0.0');
  setPull(stage, own, 'second', 'open');
  const again = await play(stage, 'pushed again', own, 'second', await world.archive({ version: '2.0.0' }));
  requireComment(stage, 'pushed again', new RegExp(`${shaOf('second').slice(0, 12)}`));
  await requireAnswer(stage, again, '2.0.0');
  if (opened.outputs.url !== again.outputs.url)
    problems.push(`the address changed: ${opened.outputs.url}, ${again.outputs.url}`);
  setPull(stage, own, 'third', 'open');
  const broken = await play(stage, 'pushed broken', own, 'third', await world.archive({ 'mcp-break': 'error' }), {
    fails: true,
  });
  if (broken.outputs.failure !== 'smoke-call-failed') problems.push(`pushed broken: ${broken.outputs.failure}`);
  requireComment(stage, 'pushed broken', /checks failed/);
  setPull(stage, own, 'third', 'closed');
  await play(stage, 'closed', own, 'third', '', { action: 'closed' });
  requireComment(stage, 'closed', /Removed/);
  await requireServers(stage, 'closed', []);
  const states = github.deployments().map(({ environment, sha, statuses }) => {
    return `${environment} ${sha.slice(0, 6)} ${statuses.map(({ state }) => state).join('>')}`;
  });
  const expected = [
    `preview/pr-7 ${shaOf('first').slice(0, 6)} in_progress>success>inactive>inactive`,
    `preview/pr-7 ${shaOf('second').slice(0, 6)} in_progress>success>inactive`,
    `preview/pr-7 ${shaOf('third').slice(0, 6)} in_progress>failure>inactive`,
  ];
  if (states.join('\n') !== expected.join('\n')) problems.push(`deployments:\n${states.join('\n')}`);
}

/** Closed while nobody looked: the cleanup that runs by the clock takes it, and leaves the preview of an open one. */
async function forgotten(stage: Stage): Promise<void> {
  const { world, problems } = stage;
  setPull(stage, own, 'first', 'open');
  setPull(stage, 9, 'nine', 'open');
  const archive = await world.archive();
  await play(stage, 'reopened', own, 'first', archive);
  await play(stage, 'another one', 9, 'nine', archive);
  setPull(stage, own, 'first', 'closed');
  const inputs = { operation: 'cleanup', 'github-token': stage.github.token };
  const dry = await world.test({ ...inputs, 'dry-run': 'true' }, stage.github.env);
  if (dry.code !== 0 || dry.outputs.removed !== '0') problems.push(`dry-run: ${withoutMasks(dry.log)}`);
  const cleaned = await world.test(inputs, stage.github.env);
  stage.steps.push({
    step: 'cleanup of a forgotten one',
    code: cleaned.code,
    error: cleaned.error ?? '',
    seconds: cleaned.seconds,
  });
  if (cleaned.code !== 0 || Number(cleaned.outputs.removed) < 1) problems.push(`cleanup: ${withoutMasks(cleaned.log)}`);
  requireComment(stage, 'forgotten', /Removed/);
  await requireServers(stage, 'forgotten', ['pr-9-']);
  const aged = await world.test({ ...inputs, 'previews-older-than': '0s' }, stage.github.env);
  if (aged.code !== 0) problems.push(`cleanup by age: ${withoutMasks(aged.log)}`);
  await requireServers(stage, 'cleanup by age', []);
}

/** A fork's pull request: its image is data, its code is not run, and its metadata may not say everything. */
async function forks(stage: Stage): Promise<void> {
  const { world, problems } = stage;
  setPull(stage, fork, 'forked', 'open', 'stranger/servers');
  const workflowRun = (sha: string): Record<string, unknown> => ({
    workflow_run: { head_sha: shaOf(sha), head_repository: { full_name: 'stranger/servers' }, pull_requests: [] },
  });
  const inputs = { 'pull-request': String(fork) };
  const archive = await world.archive();
  await play(stage, 'a fork’s image', fork, 'forked', archive, { event: workflowRun('forked'), inputs });
  const refused = async (step: string, code: string, event: unknown, more: Record<string, string>): Promise<void> => {
    const run = await play(stage, step, fork, 'forked', more['image-archive'] ?? archive, {
      event,
      inputs: { ...inputs, ...more },
      fails: true,
    });
    const seen = run.outputs.failure || run.error;
    if (seen !== code) problems.push(`${step}: ${seen} instead of ${code}`);
  };
  await refused('a fork’s code', 'preview-fork', workflowRun('forked'), { 'image-archive': '' });
  await refused('another pull request’s number', 'preview-mismatch', workflowRun('stale'), {});
  const metadata = join(world.folder, 'fork.yaml');
  const secret =
    '    secretEnvVars:\n      - name: KEY\n        secretKeyRef: {name: mcp-sentinel-secrets, key: ADMIN_API_KEYS}\n';
  await writeFile(
    metadata,
    `version: v1\nservers:\n  - name: wa\n${secret}    tools:\n      - {name: add, sideEffect: read}\n`,
  );
  await refused('a fork’s metadata that reads a Secret', 'smoke-metadata', workflowRun('forked'), { metadata });
  const pullRequest = {
    pull_request: {
      number: fork,
      state: 'open',
      head: { sha: shaOf('forked'), repo: { full_name: 'stranger/servers' } },
    },
  };
  await refused('a fork’s code on pull_request_target', 'preview-fork', pullRequest, { 'image-archive': '' });
}

/** What hinders a preview, and says so. */
async function refusals(stage: Stage): Promise<void> {
  const { world, github, problems } = stage;
  setPull(stage, own, 'first', 'open');
  const archive = await world.archive();
  const { token } = github.as({ permissions: { 'pull-requests': 'read', deployments: 'write' } });
  const mute = await play(stage, 'no permission to comment', own, 'first', archive, {
    inputs: { 'github-token': token },
    fails: true,
  });
  if (mute.error !== 'github-comment') problems.push(`no permission to comment: ${mute.error}`);
  const old = world.gateway.faults.add({
    when: ({ path }) => path.startsWith('/pr-7-'),
    reply: {
      status: 200,
      body: {
        jsonrpc: '2.0',
        id: 1,
        result: { protocolVersion: '2025-03-26', serverInfo: { name: 'old', version: '1' } },
      },
    },
  });
  const stale = await play(stage, 'an old version that goes on answering', own, 'first', archive, {
    inputs: { 'deploy-timeout': '3s' },
    fails: true,
  });
  old();
  if (stale.outputs.failure !== 'smoke-old-version') problems.push(`an old version: ${stale.outputs.failure}`);
}

interface PlayOptions {
  action?: string;
  event?: unknown;
  inputs?: Record<string, string>;
  fails?: boolean;
}

async function play(
  { context, world, github, steps, problems }: Stage,
  step: string,
  number: number,
  commit: string,
  archive: string,
  { action = 'synchronize', event, inputs = {}, fails = false }: PlayOptions = {},
): Promise<ActionRun> {
  const file = join(world.folder, `event-${steps.length}.json`);
  const usual = {
    action,
    pull_request: {
      number,
      state: action === 'closed' ? 'closed' : 'open',
      head: { sha: shaOf(commit), repo: { full_name: github.env.GITHUB_REPOSITORY } },
    },
  };
  await writeFile(file, JSON.stringify(event ?? usual));
  const run = await world.test(
    { operation: 'preview', 'image-archive': archive, 'github-token': github.token, ...inputs },
    { ...github.env, GITHUB_EVENT_PATH: file },
  );
  const error = run.error ?? run.outputs.failure ?? '';
  steps.push({ step, code: run.code, error, seconds: Math.round(run.seconds * 10) / 10 });
  context.progress(`  ${step}: ${run.code === 0 ? 'ok' : error} in ${run.seconds.toFixed(1)} s`);
  if ((run.code !== 0) !== fails)
    problems.push(`${step}: exit code ${run.code}\n${withoutMasks(run.log).slice(-4000)}`);
  return run;
}

function setPull(
  { github }: Stage,
  number: number,
  commit: string,
  state: 'open' | 'closed',
  repository?: string,
): void {
  const headRepository = repository ?? github.env.GITHUB_REPOSITORY ?? '';
  github.setPullRequest({ number, state, headSha: shaOf(commit), headRepository });
}

function shaOf(commit: string): string {
  return createHash('sha1').update(commit).digest('hex');
}

/** The bot has written one comment, it says what it should, and what others wrote is as it was. */
function requireComment({ github, problems }: Stage, step: string, said: RegExp): void {
  const comments = github.comments().filter(({ pullRequest }) => pullRequest === own);
  const ours = comments.filter(({ user }) => user.endsWith('[bot]'));
  if (ours.length !== 1 || !said.test(ours[0]?.body ?? '')) {
    problems.push(
      `${step}: ${ours.length} comments of the bot’s: ${ours.map(({ body }) => body.slice(0, 400)).join(' | ')}`,
    );
  }
  const others = comments.filter(({ user }) => user === 'somebody');
  if (others.length !== 1 || others[0]?.edits !== 0) problems.push(`${step}: somebody’s comment was touched`);
}

async function requireServers({ world, problems }: Stage, step: string, starts: readonly string[]): Promise<void> {
  const { items } = await world.cluster.list(kinds.mcpServer);
  const names = items
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map(({ metadata }) => metadata.name);
  const isRight =
    names.length === starts.length && starts.every((start) => names.some((name) => name.startsWith(start)));
  if (!isRight) problems.push(`${step}: servers ${names.join(', ') || 'none'}`);
}

/** The preview's address is answered by the image that was pushed last. */
async function requireAnswer({ problems }: Stage, run: ActionRun, version: string): Promise<void> {
  const seen = /public address \((.+?)\)/.exec(run.log)?.[1] ?? '';
  if (!seen.endsWith(version)) problems.push(`${version}: the address is answered by ${seen}`);
}
