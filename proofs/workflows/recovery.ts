import { join } from 'node:path';
import { installCertManager } from '../../lab/platform/install.js';
import { commitFiles } from '../../lab/platform/source.js';
import { accessCanaries } from '../canary/canaries.js';
import { leakSearch } from '../leaks.js';
import { leaves } from '../leaves.js';
import { makeStage, type Stage as SetupStage } from '../stage.js';
import type { PlayedWorkflow, Repository } from './repository.js';
import { play, type Stage, searchRuns } from './stage.js';

/**
 * The cluster is lost, and another one takes its place: a deployment by the installer with the lost one's fingerprint
 * restores its backup there, and nothing is ordered.
 *
 * @param deployment text of the workflow, as init has written it
 */
export async function recovery(
  stage: Stage,
  lost: SetupStage,
  repository: Repository,
  deployment: string,
  fingerprint: string,
): Promise<PlayedWorkflow> {
  const { context, problems } = stage;
  const fresh = await makeStage(context, join(context.folder, 'recovery'));
  try {
    await installCertManager(fresh.rig.cluster, fresh.rig.installation);
    const before = await leaves(lost.rig.cluster);
    await repository.move({
      cluster: fresh.rig.state,
      variables: {
        MCPRT_RESOLVE: fresh.front.resolve.join('\n'),
        // The certificates are of the lost lab's CA.
        MCPRT_CA_BUNDLE: `${lost.root}\n${fresh.root}`,
      },
    });
    const named = deployment.replace(/^( +)apply: setup$/m, `$&\n$1from-cluster: ${fingerprint}`);
    const files = { '.github/workflows/mcprt-deploy.yml': named };
    repository.adopt(await commitFiles(repository.folder, files, 'A new cluster in place of the lost one'));
    const run = await play(stage, repository, 'a lost cluster', 'deploy.yml', {
      event: 'push',
      jobs: [
        ...['plan@mcprt-plan', 'approve@mcprt-approval', 'setup@mcprt-restore'],
        ...['save@mcprt-backup', 'smoke-test@mcprt-smoke'],
      ],
    });
    const { orders, issued } = await fresh.rig.meter();
    if (orders.length + issued !== 0) problems.push(`a lost cluster: ${orders.length} orders, ${issued} issued`);
    const after = await leaves(fresh.rig.cluster);
    if (before.length === 0 || JSON.stringify(after) !== JSON.stringify(before))
      problems.push(`a lost cluster: other certificates: ${JSON.stringify({ before, after })}`);
    searchRuns(stage, leakSearch(await accessCanaries(fresh.rig.state.kubeconfig, [repository.github])), [run]);
    return run;
  } finally {
    await fresh.close();
  }
}
