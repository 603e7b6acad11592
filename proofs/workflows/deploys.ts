import { dirname, join } from 'node:path';
import { cacheFolder } from '../../lab/driver/folders.js';
import { changeService } from '../../lab/platform/source.js';
import type { KeySet } from '../../shared/backup/keys.js';
import { kinds } from '../../shared/cluster/objects.js';
import { accessCanaries, clusterCanaries, keyCanaries } from '../canary/canaries.js';
import { leakSearch } from '../leaks.js';
import { snapshot } from '../rollout/world.js';
import { userPassword } from '../smoke/world.js';
import { hours } from './hours.js';
import type { Platform } from './platform.js';
import { makeRepository, type PlayedWorkflow, type Repository } from './repository.js';
import { play, type Stage, searchRuns } from './stage.js';

const planOnly = ['plan@mcprt-plan'];
const upToApproval = [...planOnly, 'approve@mcprt-approval'];
const whole = [...upToApproval, 'backup@mcprt-backup', 'rollout@production', 'smoke-test@mcprt-smoke'];

/** The repository of the platform's team: scheduled backups and deployments. */
export async function deploys(stage: Stage, { world, source }: Platform): Promise<void> {
  const { context, problems, docker } = stage;
  const onMain = { branches: ['main'] };
  let keys: KeySet | undefined;
  const repository = await makeRepository(context, stage.tools, {
    folder: source,
    cluster: world.state,
    variables: { MCPRT_RESOLVE: world.front.resolve.join('\n'), MCPRT_CA_BUNDLE: world.root },
    env: {
      // The lab of this proof is compiled already: this machine vouches for it.
      MCPRT_LAB_CACHE: dirname(cacheFolder(context.env)),
      ...(docker === undefined
        ? {}
        : { DOCKER_HOST: docker.host, DOCKER_CONFIG: join(context.folder, 'docker-config') }),
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
        'mcprt-smoke': { secrets: { MCP_ADMIN_KEY: world.adminKey, MCP_SMOKE_PASSWORD: userPassword }, ...onMain },
      };
    },
  });
  const runs: PlayedWorkflow[] = [];
  try {
    runs.push(...(await hours(stage, world, repository)));
    const drill = await play(stage, repository, 'a week', 'drill.yml', {
      event: 'schedule',
      jobs: ['drill@mcprt-drill'],
    });
    if (drill.outputs.orders !== '0') problems.push(`the drill counts ${drill.outputs.orders} orders`);
    runs.push(drill);
    if (docker !== undefined) runs.push(...(await changes(stage, { world, source }, repository)));
    const search = leakSearch([
      ...(await clusterCanaries(world.cluster)),
      ...(await accessCanaries(world.kubeconfig, [repository.github])),
      ...(keys === undefined ? [] : keyCanaries('the workflows', keys)),
      { name: 'the password of the tests', value: userPassword },
    ]);
    searchRuns(stage, search, runs);
    for (const { number, body, comments } of repository.github.issues()) {
      const shown = search.in([body, ...comments].join('\n'));
      problems.push(...shown.map((name) => `issue ${number} shows ${name}`));
    }
  } finally {
    await repository.close();
  }
}

/** A change of the platform's code, from its pull request into production, and what may come between. */
async function changes(stage: Stage, { world, source }: Platform, repository: Repository): Promise<PlayedWorkflow[]> {
  const { problems } = stage;
  const { github } = repository;
  const state = async (): Promise<string> => JSON.stringify(await snapshot(world.cluster));
  const change = (text: string): Promise<string> => changeService(source, 'ui', text);
  const pull = (headRepository: string) => ({
    event: 'pull_request',
    payload: { number: 5, pull_request: { number: 5, head: { repo: { full_name: headRepository } } } },
    as: { ref: 'refs/pull/5/merge', baseRef: 'main' },
  });
  const untouched = async (scene: string, before: string): Promise<void> => {
    if ((await state()) !== before) problems.push(`${scene}: the cluster was changed`);
  };

  const runs: PlayedWorkflow[] = [];
  const before = await state();
  repository.adopt(await change('a new dashboard'));
  const own = github.env.GITHUB_REPOSITORY ?? '';
  runs.push(
    await play(stage, repository, 'a pull request', 'deploy.yml', {
      ...pull(own),
      jobs: ['pull-request@mcprt-pull-request'],
    }),
  );
  runs.push(await play(stage, repository, 'a fork’s pull request', 'deploy.yml', { ...pull('stranger/x'), jobs: [] }));
  const rejected = { event: 'push', jobs: upToApproval, fails: /rejected by its reviewer/, review: async () => false };
  runs.push(await play(stage, repository, 'rejected by the reviewer', 'deploy.yml', rejected));
  github.setEnvironment('mcprt-approval', { hasReviewers: false });
  const unreviewed = { event: 'push', jobs: upToApproval, fails: /github-environment-unreviewed/ };
  runs.push(await play(stage, repository, 'an environment without reviewers', 'deploy.yml', unreviewed));
  github.setEnvironment('mcprt-approval', { hasReviewers: true });
  await untouched('before anybody approved', before);

  let seen = '';
  const approved = await play(stage, repository, 'approved', 'deploy.yml', {
    event: 'push',
    jobs: whole,
    review: async () => {
      seen = await state();
      return true;
    },
  });
  runs.push(approved);
  if (!/Success - Post org\/mcprt\/action-rollout@v1/.test(approved.log)) problems.push('no post step of the rollout');
  if (seen !== before) problems.push('something was changed before the approval');
  if ((await state()) === before) problems.push('nothing was rolled out');
  if (!github.artifacts().some(({ name }) => name === 'smoke-test')) problems.push('no JUnit report was kept');
  const named = `Approved: the rollout of plan \`${approved.outputs.plan}\``;
  if (!approved.summaries.some((text) => text.startsWith(named)))
    problems.push(`the approval’s summary does not name the plan: ${approved.summaries.join('\n')}`);
  runs.push(
    await play(stage, repository, 'again, with nothing to change', 'deploy.yml', { event: 'push', jobs: planOnly }),
  );

  repository.adopt(await change('one more dashboard'));
  let moved = '';
  const overtaken = await play(stage, repository, 'somebody changes the cluster meanwhile', 'deploy.yml', {
    event: 'push',
    jobs: [...upToApproval, 'backup@mcprt-backup', 'rollout@production'],
    fails: /rollout-plan-moved/,
    review: async () => {
      const config = { namespace: 'mcp-sentinel', name: 'mcp-sentinel-config' };
      await world.cluster.patch(kinds.configMap, config, [
        { op: 'add', path: '/data/PLATFORM_TEAM_TRAEFIK_WATCH', value: 'auto' },
      ]);
      moved = await state();
      return true;
    },
  });
  runs.push(overtaken);
  await untouched('an approval of another plan', moved);
  return runs;
}
