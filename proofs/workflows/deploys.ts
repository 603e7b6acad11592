import { dirname } from 'node:path';
import { cacheFolder } from '../../lab/driver/folders.js';
import { changeService, services } from '../../lab/platform/source.js';
import type { KeySet } from '../../shared/backup/keys.js';
import { kinds } from '../../shared/cluster/objects.js';
import { canariesOf, keyCanaries } from '../support/canaries.js';
import { leakSearch } from '../support/leaks.js';
import { userPassword } from '../world/actions.js';
import type { PlatformInUse } from '../world/parts.js';
import { configuration } from '../world/services.js';
import type { World as WorldOf } from '../world/world.js';
import { hours } from './hours.js';
import { criticalPath, play, type Story, searchLogs } from './play.js';
import { makeRepository, type Repository } from './repository.js';

type World = WorldOf<PlatformInUse | 'services' | 'source'>;

const planOnly = ['plan@mcprt-plan'];
const upToApproval = [...planOnly, 'approve@mcprt-approval'];
const whole = [...upToApproval, 'backup@mcprt-backup', 'rollout@production', 'smoke-test@mcprt-smoke'];

/** The repository of the platform's team: scheduled backups and deployments. */
export async function deploys(story: Story, world: World): Promise<void> {
  const { context, docker } = story;
  const onMain = { branches: ['main'] };
  let keys: KeySet | undefined;
  const repository = await makeRepository(context, story.tools, {
    folder: world.source,
    cluster: world.state,
    variables: { MCPRT_RESOLVE: world.front.resolve.join('\n'), MCPRT_CA_BUNDLE: world.root },
    env: {
      // The lab of this proof is compiled already: this machine vouches for it.
      MCPRT_LAB_CACHE: dirname(cacheFolder(context.env)),
      ...docker?.env,
    },
    environments(made) {
      keys = made;
      return {
        'mcprt-drill': { secrets: { MCPRT_RESTORE_KEY: keys.restore }, ...onMain },
        'mcprt-plan': onMain,
        'mcprt-pull-request': {},
        'mcprt-approval': { hasReviewers: true, ...onMain },
        'mcprt-backup': { secrets: { MCPRT_BACKUP_KEY: keys.backup }, ...onMain },
        production: onMain,
        'mcprt-smoke': { secrets: { MCP_ADMIN_KEY: world.api.adminKey, MCP_SMOKE_PASSWORD: userPassword }, ...onMain },
      };
    },
  });
  try {
    await hours(story, world, repository);
    const drill = await play(story, repository, 'a week', 'drill.yml', {
      event: 'schedule',
      jobs: ['drill@mcprt-drill'],
    });
    context.expectSame('orders of the drill', drill.outputs.orders, '0');
    if (docker !== undefined) await changes(story, world, repository);
    const search = leakSearch([
      ...(await canariesOf(world, [repository.github])),
      ...(keys === undefined ? [] : keyCanaries('the workflows', keys)),
      { name: 'the password of the tests', value: userPassword },
    ]);
    searchLogs(story, search, repository);
    for (const { number, body, comments } of repository.github.issues()) {
      const shown = search.in([body, ...comments].join('\n'));
      for (const name of shown) context.fail(`issue ${number} shows ${name}`);
    }
  } finally {
    await repository.close();
  }
}

/** A change of the platform's code, from its pull request into production, and what may come between. */
async function changes(story: Story, world: World, repository: Repository): Promise<void> {
  const { expect } = story.context;
  const { github } = repository;
  const state = async (): Promise<string> => JSON.stringify(await world.services.snapshot());
  const change = (text: string): Promise<string> => changeService(world.source, 'ui', text);
  const pull = (headRepository: string) => ({
    event: 'pull_request',
    payload: { number: 5, pull_request: { number: 5, head: { repo: { full_name: headRepository } } } },
    as: { ref: 'refs/pull/5/merge', baseRef: 'main' },
  });
  const untouched = async (scene: string, before: string): Promise<void> => {
    expect((await state()) === before, `${scene}: the cluster was changed`);
  };

  const before = await state();
  for (const service of services[world.layout]) await changeService(world.source, service, `a new ${service}`);
  repository.adopt(await change('a new dashboard'));
  const own = github.env.GITHUB_REPOSITORY ?? '';
  const pulled = { ...pull(own), jobs: ['pull-request@mcprt-pull-request'] };
  await play(story, repository, 'a pull request', 'deploy.yml', pulled);
  await play(story, repository, 'a fork’s pull request', 'deploy.yml', { ...pull('stranger/x'), jobs: [] });
  const rejected = { event: 'push', jobs: upToApproval, fails: /rejected by its reviewer/, review: async () => false };
  await play(story, repository, 'rejected by the reviewer', 'deploy.yml', rejected);
  github.setEnvironment('mcprt-approval', { hasReviewers: false });
  const unreviewed = { event: 'push', jobs: upToApproval, fails: /github-environment-unreviewed/ };
  await play(story, repository, 'an environment without reviewers', 'deploy.yml', unreviewed);
  github.setEnvironment('mcprt-approval', { hasReviewers: true });
  await untouched('before anybody approved', before);

  let seen = '';
  const approved = await play(story, repository, 'approved', 'deploy.yml', {
    event: 'push',
    jobs: whole,
    review: async () => {
      seen = await state();
      return true;
    },
  });
  expect(/Success - Post org\/mcprt\/action-rollout@v1/.test(approved.log), 'no post step of the rollout');
  story.path = criticalPath(approved.log);
  expect(seen === before, 'something was changed before the approval');
  expect((await state()) !== before, 'nothing was rolled out');
  const hasReport = github.artifacts().some(({ name }) => name === 'smoke-test');
  expect(hasReport, 'no JUnit report was kept');
  const named = `Approved: the rollout of plan \`${approved.outputs.plan}\``;
  const isNamed = approved.summaries.some((text) => text.startsWith(named));
  expect(isNamed, `the approval’s summary does not name the plan: ${approved.summaries.join('\n')}`);
  await play(story, repository, 'again, with nothing to change', 'deploy.yml', { event: 'push', jobs: planOnly });

  repository.adopt(await change('one more dashboard'));
  let moved = '';
  await play(story, repository, 'somebody changes the cluster meanwhile', 'deploy.yml', {
    event: 'push',
    jobs: [...upToApproval, 'backup@mcprt-backup', 'rollout@production'],
    fails: /rollout-plan-moved/,
    review: async () => {
      await world.cluster.patch(kinds.configMap, configuration, [
        { op: 'add', path: '/data/PLATFORM_TEAM_TRAEFIK_WATCH', value: 'auto' },
      ]);
      moved = await state();
      return true;
    },
  });
  await untouched('an approval of another plan', moved);
}
