import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ActionRun } from '../lab/driver/action.js';
import type { Github } from '../lab/github/github.js';
import { kinds } from '../shared/cluster/objects.js';
import { round1 } from './support/figures.js';
import type { Proof, ProofContext } from './support/proof.js';
import { type PlatformInUse, platformInUse } from './world/parts.js';
import { inWorld, type World as WorldOf } from './world/world.js';

/** What one run of a preview came to. */
interface Step {
  step: string;
  code: number | null;
  error: string;
  seconds: number;
}

type World = WorldOf<PlatformInUse | 'github'>;

interface Story {
  context: ProofContext;
  world: World;
  github: Github;
  steps: Step[];
}

const [own, fork] = [7, 8];

export const preview: Proof = {
  name: 'preview',
  claim:
    'a preview of a pull request from its opening to its end, forgotten ones too, with a stand-in of GitHub that checks each call: exactly one comment, and no code of a fork where the secrets are',
  run: (context) =>
    inWorld(
      context,
      [...platformInUse, 'github'],
      async (world) => {
        const { github } = world;
        const story: Story = { context, world, github, steps: [] };
        await life(story);
        await forgotten(story);
        await forks(story);
        await refusals(story);
        const comments = github.comments().map(({ body }) => body);
        context.progress(comments.join('\n---\n'));
        const calls = new Set(github.restCalls().map((call) => call.replace(/\d{2,}/g, 'N')));
        return { steps: story.steps, callsOfGithub: [...calls].sort() };
      },
      {
        github: {
          run: {
            event: 'pull_request',
            permissions: { actions: 'read', 'pull-requests': 'write', deployments: 'write' },
          },
        },
      },
    ),
};

/** Opened, pushed again while two runs meet, and closed. */
async function life(story: Story): Promise<void> {
  const { context, github, world } = story;
  setPull(story, own, 'first', 'open');
  // Somebody else plants the marker: it is not ours.
  github.comment(own, 'somebody', '<!-- mcprt: preview on example.com -->\nhello');
  const opened = await play(story, 'opened', own, 'first', await world.servers.archive({ version: '1.0.0' }));
  await requireComment(story, 'opened', /All \d+ checks passed\*\* in [1-9]/);
  await requireAnswer(story, opened, '1.0.0');
  setPull(story, own, 'second', 'open');
  const again = await play(story, 'pushed again', own, 'second', await world.servers.archive({ version: '2.0.0' }));
  await requireComment(story, 'pushed again', new RegExp(`${shaOf('second').slice(0, 12)}`));
  await requireAnswer(story, again, '2.0.0');
  context.expectSame('the address', again.outputs.url, opened.outputs.url);
  setPull(story, own, 'third', 'open');
  const broken = await play(
    story,
    'pushed broken',
    own,
    'third',
    await world.servers.archive({ 'mcp-break': 'error' }),
    { fails: true },
  );
  context.expectSame('pushed broken', broken.outputs.failure, 'smoke-call-failed');
  await requireComment(story, 'pushed broken', /checks failed/);
  setPull(story, own, 'third', 'closed');
  await play(story, 'closed', own, 'third', '', { action: 'closed' });
  await requireComment(story, 'closed', /Removed/);
  await requireServers(story, 'closed', []);
  const states = github.deployments().map(({ environment, sha, statuses }) => {
    return `${environment} ${sha.slice(0, 6)} ${statuses.map(({ state }) => state).join('>')}`;
  });
  // Each push tells those before it, and the end tells all.
  const expected = [
    `preview/pr-7 ${shaOf('first').slice(0, 6)} in_progress>success>inactive>inactive>inactive>inactive`,
    `preview/pr-7 ${shaOf('second').slice(0, 6)} in_progress>success>inactive>inactive`,
    `preview/pr-7 ${shaOf('third').slice(0, 6)} in_progress>failure>inactive`,
  ];
  context.expectSame('deployments', states, expected);
}

/** Closed while nobody looked: the cleanup that runs by the clock takes it, and leaves the preview of an open one. */
async function forgotten(story: Story): Promise<void> {
  const { context, world, github } = story;
  setPull(story, own, 'first', 'open');
  setPull(story, 9, 'nine', 'open');
  const archive = await world.servers.archive();
  await play(story, 'reopened', own, 'first', archive);
  await play(story, 'another one', 9, 'nine', archive);
  setPull(story, own, 'first', 'closed');
  const inputs = { operation: 'cleanup', 'github-token': github.token };
  const dry = await world.smokeTest({ ...inputs, 'dry-run': 'true' }, github.env);
  context.expect(dry.code === 0 && dry.outputs.removed === '0', 'dry-run', dry);
  const cleaned = await world.smokeTest(inputs, github.env);
  const { code, error = '', seconds } = cleaned;
  story.steps.push({ step: 'cleanup of a forgotten one', code, error, seconds: round1(seconds) });
  context.expect(code === 0 && Number(cleaned.outputs.removed) >= 1, 'cleanup', cleaned);
  await requireComment(story, 'forgotten', /Removed/);
  await requireServers(story, 'forgotten', ['pr-9-']);
  const aged = await world.smokeTest({ ...inputs, 'previews-older-than': '0s' }, github.env);
  context.expectDone('cleanup by age', aged);
  await requireServers(story, 'cleanup by age', []);
}

/** A fork's pull request: its image is data, its code is not run, and its metadata may not say everything. */
async function forks(story: Story): Promise<void> {
  const { context, world } = story;
  setPull(story, fork, 'forked', 'open', 'stranger/servers');
  const workflowRun = (sha: string): Record<string, unknown> => ({
    workflow_run: { head_sha: shaOf(sha), head_repository: { full_name: 'stranger/servers' }, pull_requests: [] },
  });
  const inputs = { 'pull-request': String(fork) };
  const archive = await world.servers.archive();
  await play(story, 'a fork’s image', fork, 'forked', archive, { event: workflowRun('forked'), inputs });
  const refused = async (step: string, code: string, event: unknown, more: Record<string, string>): Promise<void> => {
    const run = await play(story, step, fork, 'forked', more['image-archive'] ?? archive, {
      event,
      inputs: { ...inputs, ...more },
      fails: true,
    });
    context.expectSame(step, run.outputs.failure || run.error, code);
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
async function refusals(story: Story): Promise<void> {
  const { context, world, github } = story;
  setPull(story, own, 'first', 'open');
  const archive = await world.servers.archive();
  const { token } = github.as({ permissions: { 'pull-requests': 'read', deployments: 'write' } });
  const mute = await play(story, 'no permission to comment', own, 'first', archive, {
    inputs: { 'github-token': token },
    fails: true,
  });
  context.expectRefused('no permission to comment', 'github-comment', mute);
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
  const stale = await play(story, 'an old version that goes on answering', own, 'first', archive, {
    inputs: { 'deploy-timeout': '3s' },
    fails: true,
  });
  old();
  context.expectSame('an old version', stale.outputs.failure, 'smoke-old-version');
}

interface PlayOptions {
  action?: string;
  event?: unknown;
  inputs?: Record<string, string>;
  fails?: boolean;
}

async function play(
  { context, world, github, steps }: Story,
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
  const run = await world.smokeTest(
    { operation: 'preview', 'image-archive': archive, 'github-token': github.token, ...inputs },
    { ...github.env, GITHUB_EVENT_PATH: file },
  );
  const error = run.error ?? run.outputs.failure ?? '';
  const seconds = round1(run.seconds);
  steps.push({ step, code: run.code, error, seconds });
  context.progress(`  ${step}: ${run.code === 0 ? 'ok' : error} in ${seconds} s`);
  context.expect((run.code !== 0) === fails, `${step}: exit code ${run.code}`, run);
  return run;
}

function setPull(
  { github }: Story,
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
async function requireComment(
  { github, context: { expect, folder } }: Story,
  step: string,
  said: RegExp,
): Promise<void> {
  const comments = github.comments().filter(({ pullRequest }) => pullRequest === own);
  const ours = comments.filter(({ user }) => user.endsWith('[bot]'));
  const isOne = ours.length === 1 && said.test(ours[0]?.body ?? '');
  const seen = ours.map(({ body }) => body.slice(0, 400)).join(' | ');
  // As a comment is read where a summary is, and drawn with them.
  await writeFile(join(folder, `comment-${step.replace(/\W+/g, '-')}.md`), ours[0]?.body ?? '');
  expect(isOne, `${step}: ${ours.length} comments of the bot’s: ${seen}`);
  const others = comments.filter(({ user }) => user === 'somebody');
  expect(others.length === 1 && others[0]?.edits === 0, `${step}: somebody’s comment was touched`);
}

async function requireServers({ world, context }: Story, step: string, starts: readonly string[]): Promise<void> {
  const { items } = await world.cluster.list(kinds.mcpServer);
  const names = items
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map(({ metadata }) => metadata.name);
  const isRight =
    names.length === starts.length && starts.every((start) => names.some((name) => name.startsWith(start)));
  context.expect(isRight, `${step}: servers ${names.join(', ') || 'none'}`);
}

/** The preview's address is answered by the image that was pushed last. */
async function requireAnswer({ context }: Story, run: ActionRun, version: string): Promise<void> {
  const seen = /public address \((.+?)\)/.exec(run.log)?.[1] ?? '';
  context.expect(seen.endsWith(version), `${version}: the address is answered by ${seen}`);
}
