import { join } from 'node:path';
import { installCertManager } from '../../lab/platform/cert-manager.js';
import { commitFiles } from '../../lab/platform/source.js';
import { accessCanaries } from '../support/canaries.js';
import { leakSearch } from '../support/leaks.js';
import { leaves } from '../support/leaves.js';
import { inWorld, type World } from '../world/world.js';
import { play, type Story, searchLogs } from './play.js';
import type { Repository } from './repository.js';

/**
 * The cluster is lost, and another one takes its place: a deployment by the installer with the lost one's fingerprint
 * restores its backup there, and nothing is ordered.
 *
 * @param deployment text of the workflow, as init has written it
 */
export async function recovery(
  story: Story,
  lost: World,
  repository: Repository,
  deployment: string,
  fingerprint: string,
): Promise<void> {
  const { context } = story;
  return inWorld(
    context,
    ['front'],
    async (fresh) => {
      await installCertManager(fresh.cluster, fresh.installation);
      const before = await leaves(lost.cluster);
      await repository.move({
        cluster: fresh.state,
        variables: {
          MCPRT_RESOLVE: fresh.front.resolve.join('\n'),
          // The certificates are of the lost lab's CA.
          MCPRT_CA_BUNDLE: `${lost.root}\n${fresh.root}`,
        },
      });
      const named = deployment.replace(/^( +)apply: setup$/m, `$&\n$1from-cluster: ${fingerprint}`);
      const files = { '.github/workflows/mcprt-deploy.yml': named };
      repository.adopt(await commitFiles(repository.folder, files, 'A new cluster in place of the lost one'));
      await play(story, repository, 'a lost cluster', 'deploy.yml', {
        event: 'push',
        jobs: [
          ...['plan@mcprt-plan', 'approve@mcprt-approval', 'setup@mcprt-restore'],
          ...['save@mcprt-backup', 'smoke-test@mcprt-smoke'],
        ],
      });
      const { orders, issued } = await fresh.meter();
      context.expect(orders.length + issued === 0, `a lost cluster: ${orders.length} orders, ${issued} issued`);
      context.expect(before.length > 0, 'the lost cluster had no certificates');
      context.expectSame('a lost cluster: other certificates', await leaves(fresh.cluster), before);
      searchLogs(story, leakSearch(await accessCanaries(fresh.kubeconfig, [repository.github])), repository);
    },
    { folder: join(context.folder, 'recovery') },
  );
}
