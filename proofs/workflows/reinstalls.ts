import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { difference } from '../../lab/driver/meter.js';
import { installCertManager } from '../../lab/platform/cert-manager.js';
import type { KeySet } from '../../shared/backup/keys.js';
import { canariesOf, keyCanaries } from '../support/canaries.js';
import { leakSearch } from '../support/leaks.js';
import { fingerprintOf } from '../world/installation.js';
import { inWorld, type World as WorldOf } from '../world/world.js';
import { firstInstallation } from './first-installation.js';
import { play, type Story, searchLogs } from './play.js';
import { recovery } from './recovery.js';
import { commitProfile, makeRepository } from './repository.js';
import { restores } from './restores.js';

/**
 * A first installation that is stopped and run again, then a wipe and a new installation by hand, and a deployment by
 * the installer, restores by hand, and one onto another cluster: each certificate is ordered once.
 */
export function reinstalls(story: Story): Promise<void> {
  const folder = join(story.context.folder, 'reinstall');
  return inWorld(story.context, ['front', 'source'], (world) => inRepository(story, world), { folder });
}

type World = WorldOf<'front' | 'source'>;

async function inRepository(story: Story, world: World): Promise<void> {
  const { context } = story;
  const { source, front, domain } = world;
  // Setup would install it from its release on GitHub.
  await installCertManager(world.cluster, world.installation);
  await commitProfile(world, 'export MCP_ACME_EMAIL=ops@acme.dev\n');
  const cluster = await fingerprintOf(world.cluster);
  const onMain = { branches: ['main'] };
  let keys: KeySet | undefined;
  const repository = await makeRepository(context, story.tools, {
    folder: source,
    cluster: world.state,
    install: true,
    variables: { MCPRT_RESOLVE: front.resolve.join('\n'), MCPRT_CA_BUNDLE: world.root },
    environments(made) {
      keys = made;
      return {
        'mcprt-wipe': {
          hasReviewers: true,
          secrets: { MCPRT_BACKUP_KEY: keys.backup },
          variables: { MCPRT_CLUSTER: cluster },
          ...onMain,
        },
        'mcprt-restore': {
          hasReviewers: true,
          secrets: { MCPRT_RESTORE_KEY: keys.restore },
          ...onMain,
        },
        'mcprt-smoke': onMain,
        'mcprt-plan': onMain,
        'mcprt-pull-request': {},
        'mcprt-approval': { hasReviewers: true, ...onMain },
        'mcprt-backup': { secrets: { MCPRT_BACKUP_KEY: keys.backup }, ...onMain },
      };
    },
  });
  try {
    await firstInstallation(story, world, repository);
    const counted = await world.meter();
    const wire = await front.onTheWire();
    await play(story, repository, 'another domain was typed', 'reinstall.yml', {
      event: 'workflow_dispatch',
      payload: { inputs: { domain: 'example.org' } },
      jobs: ['wipe@mcprt-wipe'],
      fails: /wipe-confirm/,
    });
    const again = await play(story, repository, 'wiped and installed again', 'reinstall.yml', {
      event: 'workflow_dispatch',
      payload: { inputs: { domain } },
      jobs: ['wipe@mcprt-wipe', 'install@mcprt-restore'],
    });
    context.expect(Number(again.outputs.wiped) >= 3, `${again.outputs.wiped} namespaces were wiped`);
    await play(story, repository, 'deployed by the installer', 'deploy.yml', {
      event: 'push',
      jobs: [
        ...['plan@mcprt-plan', 'approve@mcprt-approval', 'backup@mcprt-backup', 'setup@mcprt-restore'],
        ...['save@mcprt-backup', 'smoke-test@mcprt-smoke'],
      ],
    });
    await restores(story, world, repository);
    if (!context.small) {
      const deployment = await readFile(join(source, '.github', 'workflows', 'mcprt-deploy.yml'), 'utf8');
      await recovery(story, world, repository, deployment, cluster);
    }
    const { orders, issued, accounts } = difference(counted, await world.meter());
    context.expect(orders + issued + accounts === 0, `${orders} orders, ${issued} issued, ${accounts} accounts`);
    context.expectSame('the certificates', await front.onTheWire(), wire);
    const search = leakSearch([
      ...(await canariesOf(world, [repository.github])),
      ...(keys === undefined ? [] : keyCanaries('the workflows', keys)),
    ]);
    searchLogs(story, search, repository);
  } finally {
    await repository.close();
  }
}
