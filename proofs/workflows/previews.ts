import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { DockerEngine } from '../../lab/driver/docker.js';
import { writeExampleServer } from '../../lab/platform/example-server.js';
import { kinds } from '../../shared/cluster/objects.js';
import { leakSearch } from '../leaks.js';
import { userPassword } from '../smoke/world.js';
import type { Platform } from './platform.js';
import { makeRepository, type Repository } from './repository.js';
import { play, type Stage, searchRuns } from './stage.js';

const execute = promisify(execFile);

/** The repository of a team that has an MCP server: previews of its pull requests, of a fork's too. */
export async function previews(stage: Stage, { world }: Platform, docker: DockerEngine): Promise<void> {
  const { context, problems } = stage;
  const folder = join(context.folder, 'servers');
  await mkdir(folder, { recursive: true });
  await writeExampleServer(folder);
  const repository = await makeRepository(context, stage.tools, {
    folder,
    variables: { MCPRT_RESOLVE: world.front.resolve.join('\n'), MCPRT_CA_BUNDLE: world.root },
    env: { DOCKER_HOST: docker.host, DOCKER_CONFIG: join(context.folder, 'docker-config') },
    environments: () => ({
      'mcprt-preview-cleanup': {
        branches: ['main'],
        secrets: { MCP_ADMIN_KEY: world.adminKey },
        variables: { MCP_DOMAIN: world.domain },
      },
      'mcprt-preview': {
        branches: ['main'],
        hasReviewers: true,
        secrets: { MCP_ADMIN_KEY: world.adminKey, MCP_PREVIEW_PASSWORD: userPassword },
        variables: { MCP_DOMAIN: world.domain },
      },
    }),
  });
  try {
    const own = repository.github.env.GITHUB_REPOSITORY ?? '';
    const runs = [
      ...(await preview(stage, repository, 'a pull request', 11, own)),
      ...(await preview(stage, repository, 'a fork’s pull request', 12, 'stranger/servers')),
    ];
    const served = await serversOf({ world });
    if (served.length !== 2) problems.push(`previews that are served: ${served.join(', ') || 'none'}`);
    const { sha } = repository.github.run;
    for (const [number, headRepository] of [
      [11, own],
      [12, 'stranger/servers'],
    ] as const) {
      repository.github.setPullRequest({ number, state: 'closed', headSha: sha, headRepository });
    }
    const hourly = { event: 'schedule', jobs: ['cleanup@mcprt-preview-cleanup'] };
    runs.push(await play(stage, repository, 'both are closed', 'preview.yml', hourly));
    const left = await serversOf({ world });
    if (left.length > 0) problems.push(`previews that are left: ${left.join(', ')}`);
    const comments = repository.github
      .comments()
      .map(({ pullRequest, body }) => `${pullRequest} ${/Removed/.test(body)}`);
    if (JSON.stringify(comments) !== '["11 true","12 true"]') problems.push(`comments: ${comments.join(', ')}`);
    const secrets = [
      { name: 'the admin key', value: world.adminKey },
      { name: 'the password of the previews', value: userPassword },
    ];
    searchRuns(stage, leakSearch(secrets), runs);
  } finally {
    await repository.close();
  }
}

/** Both halves: the build without a secret, and the deployment of what was built. */
async function preview(stage: Stage, repository: Repository, scene: string, number: number, from: string) {
  const { github, folder } = repository;
  const sha = (await execute('git', ['rev-parse', 'HEAD'], { cwd: folder })).stdout.trim();
  const isFromFork = from !== github.env.GITHUB_REPOSITORY;
  github.setPullRequest({ number, state: 'open', headSha: sha, headRepository: from });
  const head = { sha, repo: { full_name: from } };
  const built = await play(stage, repository, `${scene}: build`, 'preview-build.yml', {
    event: 'pull_request',
    payload: { action: 'opened', number, pull_request: { number, state: 'open', head } },
    as: { ref: `refs/pull/${number}/merge`, baseRef: 'main', isFromFork },
    jobs: ['build@'],
  });
  const finished = { id: built.runId, conclusion: 'success', head_sha: sha, head_repository: { full_name: from } };
  const shown = await play(stage, repository, `${scene}: preview`, 'preview.yml', {
    event: 'workflow_run',
    payload: { action: 'completed', workflow_run: { ...finished, pull_requests: isFromFork ? [] : [{ number }] } },
    jobs: ['deploy@mcprt-preview'],
  });
  return [built, shown];
}

async function serversOf({ world }: Pick<Platform, 'world'>): Promise<string[]> {
  const { items } = await world.cluster.list(kinds.mcpServer);
  return items
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined && /^pr-/.test(metadata.name))
    .map(({ metadata }) => metadata.name);
}
