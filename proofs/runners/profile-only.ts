import { execFile } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Environment } from '../../lab/engine/environments.js';
import { writeExampleServer } from '../../lab/platform/example-server.js';
import { changeService, commitFiles } from '../../lab/platform/source.js';
import type { KeySet } from '../../shared/backup/keys.js';
import { canariesOf } from '../support/canaries.js';
import { leakSearch } from '../support/leaks.js';
import { play, type Story, searchLogs } from '../workflows/play.js';
import { commitProfile, madeIn, makeRepository } from '../workflows/repository.js';
import { userPassword } from '../world/actions.js';
import type { PlatformInUse } from '../world/parts.js';
import type { World as WorldOf } from '../world/world.js';

type World = WorldOf<PlatformInUse | 'services' | 'source'>;

const execute = promisify(execFile);
const source = 'acme/mcp-runtime';
/** May read the source, which is private. */
const token = 'not-a-token-of-the-source';
const upToApproval = ['plan@mcprt-plan', 'approve@mcprt-approval'];
const whole = [...upToApproval, 'backup@mcprt-backup', 'rollout@production', 'smoke-test@mcprt-smoke'];

/** A repository with a profile and nothing else is deployed from a private source elsewhere. */
export async function profileOnly(story: Story, world: World): Promise<void> {
  const { context, docker } = story;
  const { expect } = context;
  await writeExampleServer(join(world.source, 'examples', 'workspace-assistant-mcp'));
  await commitFiles(world.source, {}, 'A server');
  const folder = join(context.folder, 'profile-only');
  await mkdir(folder);
  await execute('git', ['init', '--quiet', '--initial-branch=main'], { cwd: folder });
  await execute('git', ['remote', 'add', 'origin', 'https://github.com/acme/deployments'], { cwd: folder });
  await commitProfile({ source: folder, profile: world.profile });
  const kubeconfig = await readFile(world.kubeconfig, 'utf8');
  // Changed in place: a token that is forgotten, and then given.
  const plan: { secrets: Record<string, string> } = { secrets: { KUBECONFIG: kubeconfig } };
  const repository = await makeRepository(context, story.tools, {
    folder,
    variables: { MCPRT_RESOLVE: world.front.resolve.join('\n'), MCPRT_CA_BUNDLE: world.root },
    env: { ...docker?.env },
    elsewhere: { [source]: { folder: world.source, token } },
    async prepare(init) {
      await init('--uses', 'org/mcprt@v1', '--branch', 'main', '--source', `${source}@main`);
      return madeIn(`${folder}-mcprt-keys`);
    },
    environments: (keys) => environmentsOf(world, keys, kubeconfig, plan),
  });
  try {
    const push = { event: 'push' };
    await play(story, repository, 'a private source, and no token', 'deploy.yml', {
      ...push,
      jobs: ['plan@mcprt-plan'],
      fails: /Not Found: acme\/mcp-runtime/,
    });
    plan.secrets.MCPRT_SOURCE_TOKEN = token;
    const commit = await changeService(world.source, 'ui', 'as it was approved');
    const deployed = docker !== undefined;
    const run = await play(story, repository, 'a repository with a profile only', 'deploy.yml', {
      ...push,
      jobs: deployed ? whole : upToApproval,
      ...(deployed ? {} : { fails: /rejected by its reviewer/ }),
      async review() {
        await changeService(world.source, 'ui', 'what came after the approval');
        return deployed;
      },
    });
    const seen = [...run.log.matchAll(/acme\/mcp-runtime is at ([0-9a-f]{40})/g)].map(([, at]) => at);
    const isOne = seen.length === (deployed ? 3 : 1) && seen.every((at) => at === commit);
    expect(isOne, `checked out: ${seen.join(', ')}, and approved was ${commit}`);
    const canaries = [...(await canariesOf(world, [repository.github])), { name: 'the token', value: token }];
    searchLogs(story, leakSearch(canaries), repository);
  } finally {
    await repository.close();
  }
}

function environmentsOf(
  world: World,
  { backup }: KeySet,
  KUBECONFIG: string,
  plan: Environment,
): Record<string, Environment> {
  const withSource = { KUBECONFIG, MCPRT_SOURCE_TOKEN: token };
  const tests = { MCP_ADMIN_KEY: world.api.adminKey, MCP_SMOKE_PASSWORD: userPassword, MCPRT_SOURCE_TOKEN: token };
  return {
    'mcprt-plan': plan,
    'mcprt-approval': { hasReviewers: true },
    'mcprt-backup': { secrets: { KUBECONFIG, MCPRT_BACKUP_KEY: backup } },
    production: { secrets: withSource },
    'mcprt-smoke': { secrets: tests },
  };
}
