import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { writeExampleServer } from '../../lab/platform/example-server.js';
import { kinds } from '../../shared/cluster/objects.js';
import type { Docker } from '../support/docker.js';
import { leakSearch } from '../support/leaks.js';
import { userPassword } from '../world/actions.js';
import type { PlatformInUse } from '../world/parts.js';
import type { World as WorldOf } from '../world/world.js';
import { play, type Story, searchLogs } from './play.js';
import { makeRepository, type Repository } from './repository.js';

type World = WorldOf<PlatformInUse>;

const execute = promisify(execFile);

/** The repository of a team that has an MCP server: previews of its pull requests, of a fork's too. */
export async function previews(story: Story, world: World, { env }: Docker): Promise<void> {
  const { context } = story;
  const { api, domain } = world;
  const folder = join(context.folder, 'servers');
  await mkdir(folder, { recursive: true });
  await writeExampleServer(folder);
  const repository = await makeRepository(context, story.tools, {
    folder,
    variables: { MCPRT_RESOLVE: world.front.resolve.join('\n'), MCPRT_CA_BUNDLE: world.root },
    env,
    environments: () => ({
      'mcprt-preview-cleanup': {
        branches: ['main'],
        secrets: { MCP_ADMIN_KEY: api.adminKey },
        variables: { MCP_DOMAIN: domain },
      },
      'mcprt-preview': {
        branches: ['main'],
        hasReviewers: true,
        secrets: { MCP_ADMIN_KEY: api.adminKey, MCP_PREVIEW_PASSWORD: userPassword },
        variables: { MCP_DOMAIN: domain },
      },
    }),
  });
  try {
    const own = repository.github.env.GITHUB_REPOSITORY ?? '';
    await preview(story, repository, 'a pull request', 11, own);
    await preview(story, repository, 'a fork’s pull request', 12, 'stranger/servers');
    const served = await serversOf(world);
    context.expect(served.length === 2, `previews that are served: ${served.join(', ') || 'none'}`);
    await closed(story, repository, 11, own);
    const left = await serversOf(world);
    context.expect(
      left.length === 1 && left[0]?.startsWith('pr-12-') === true,
      `after one was closed: ${left.join(', ')}`,
    );
    const { sha } = repository.github.run;
    repository.github.setPullRequest({ number: 12, state: 'closed', headSha: sha, headRepository: 'stranger/servers' });
    const daily = { event: 'schedule', jobs: ['cleanup@mcprt-preview-cleanup'] };
    await play(story, repository, 'the other one is closed, and no event came', 'preview.yml', daily);
    context.expectSame('previews that are left', await serversOf(world), []);
    const comments = repository.github
      .comments()
      .map(({ pullRequest, body }) => `${pullRequest} ${/Removed/.test(body)}`);
    context.expectSame('comments', comments, ['11 true', '12 true']);
    const secrets = [
      { name: 'the admin key', value: api.adminKey },
      { name: 'the password of the previews', value: userPassword },
    ];
    searchLogs(story, leakSearch(secrets), repository);
  } finally {
    await repository.close();
  }
}

/** Both halves: the build without a secret, and the deployment of what was built. */
async function preview(story: Story, repository: Repository, scene: string, number: number, from: string) {
  const { github, folder } = repository;
  const sha = (await execute('git', ['rev-parse', 'HEAD'], { cwd: folder })).stdout.trim();
  const isFromFork = from !== github.env.GITHUB_REPOSITORY;
  github.setPullRequest({ number, state: 'open', headSha: sha, headRepository: from });
  const head = { sha, repo: { full_name: from } };
  const built = await play(story, repository, `${scene}: build`, 'preview-build.yml', {
    event: 'pull_request',
    payload: { action: 'opened', number, pull_request: { number, state: 'open', head } },
    as: { ref: `refs/pull/${number}/merge`, baseRef: 'main', isFromFork },
    jobs: ['build@'],
  });
  const finished = { id: built.runId, conclusion: 'success', head_sha: sha, head_repository: { full_name: from } };
  await play(story, repository, `${scene}: preview`, 'preview.yml', {
    event: 'workflow_run',
    payload: { action: 'completed', workflow_run: { ...finished, pull_requests: isFromFork ? [] : [{ number }] } },
    jobs: ['deploy@mcprt-preview'],
  });
}

/** A closed pull request: nothing is built, and the second half hears of it. */
async function closed(story: Story, repository: Repository, number: number, from: string): Promise<void> {
  const { github } = repository;
  const { sha } = github.run;
  github.setPullRequest({ number, state: 'closed', headSha: sha, headRepository: from });
  const head = { sha, repo: { full_name: from } };
  const built = await play(story, repository, 'a pull request is closed: no build', 'preview-build.yml', {
    event: 'pull_request',
    payload: { action: 'closed', number, pull_request: { number, state: 'closed', head } },
    as: { ref: `refs/pull/${number}/merge`, baseRef: 'main', isFromFork: false },
    jobs: [],
  });
  const finished = { id: built.runId, conclusion: 'skipped', head_sha: sha, head_repository: { full_name: from } };
  await play(story, repository, 'a pull request is closed: cleanup', 'preview.yml', {
    event: 'workflow_run',
    payload: { action: 'completed', workflow_run: { ...finished, pull_requests: [{ number }] } },
    jobs: ['cleanup@mcprt-preview-cleanup'],
  });
}

async function serversOf({ cluster }: World): Promise<string[]> {
  const { items } = await cluster.list(kinds.mcpServer);
  return items
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined && /^pr-/.test(metadata.name))
    .map(({ metadata }) => metadata.name);
}
