import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { difference } from '../../lab/driver/meter.js';
import { installCertManager } from '../../lab/platform/install.js';
import { commitFiles } from '../../lab/platform/source.js';
import type { KeySet } from '../../shared/backup/keys.js';
import { kinds } from '../../shared/cluster/objects.js';
import { accessCanaries, clusterCanaries, keyCanaries } from '../canary/canaries.js';
import { leakSearch } from '../leaks.js';
import { makeStage } from '../stage.js';
import { firstInstallation } from './first-installation.js';
import { recovery } from './recovery.js';
import { makeRepository, type PlayedWorkflow } from './repository.js';
import { restores } from './restores.js';
import { play, type Stage, searchRuns } from './stage.js';

/**
 * A first installation that is stopped and run again, then a wipe and a new installation by hand, and a deployment by
 * the installer, restores by hand, and one onto another cluster: each certificate is ordered once.
 */
export async function reinstalls(stage: Stage): Promise<void> {
  const { context, problems } = stage;
  const site = await makeStage(context, join(context.folder, 'reinstall'));
  const { rig, source, front } = site;
  try {
    // Setup would install it from its release on GitHub.
    await installCertManager(rig.cluster, rig.installation);
    const profile = await readFile(join(context.folder, 'reinstall', 'profile.env'), 'utf8');
    await commitFiles(
      source,
      {
        '.gitignore': 'bin/\n',
        'config/deployments/mcpruntime-org.env': asCommitted(profile),
      },
      'Our profile',
    );
    const cluster = (await rig.cluster.get(kinds.namespace, { name: 'kube-system' }))?.metadata.uid ?? '';
    const onMain = { branches: ['main'] };
    let keys: KeySet | undefined;
    const repository = await makeRepository(context, stage.tools, {
      folder: source,
      cluster: rig.state,
      install: true,
      variables: { MCPRT_RESOLVE: front.resolve.join('\n'), MCPRT_CA_BUNDLE: site.root },
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
      const runs: PlayedWorkflow[] = [];
      runs.push(...(await firstInstallation(stage, rig, repository)));
      const counted = await rig.meter();
      const wire = await site.onTheWire();
      const domain = rig.installation.domain;
      const wrong = { event: 'workflow_dispatch', payload: { inputs: { domain: 'example.org' } } };
      runs.push(
        await play(stage, repository, 'another domain was typed', 'reinstall.yml', {
          ...wrong,
          jobs: ['wipe@mcprt-wipe'],
          fails: /wipe-confirm/,
        }),
      );
      const again = await play(stage, repository, 'wiped and installed again', 'reinstall.yml', {
        event: 'workflow_dispatch',
        payload: { inputs: { domain } },
        jobs: ['wipe@mcprt-wipe', 'install@mcprt-restore'],
      });
      runs.push(again);
      if (Number(again.outputs.wiped) < 3) problems.push(`${again.outputs.wiped} namespaces were wiped`);
      runs.push(
        await play(stage, repository, 'deployed by the installer', 'deploy.yml', {
          event: 'push',
          jobs: [
            ...['plan@mcprt-plan', 'approve@mcprt-approval', 'backup@mcprt-backup', 'setup@mcprt-restore'],
            ...['save@mcprt-backup', 'smoke-test@mcprt-smoke'],
          ],
        }),
      );
      runs.push(...(await restores(stage, rig, repository)));
      if (!context.small) {
        const deployment = await readFile(join(source, '.github', 'workflows', 'mcprt-deploy.yml'), 'utf8');
        runs.push(await recovery(stage, site, repository, deployment, cluster));
      }
      const { orders, issued, accounts } = difference(counted, await rig.meter());
      if (orders + issued + accounts !== 0) problems.push(`${orders} orders, ${issued} issued, ${accounts} accounts`);
      const now = await site.onTheWire();
      if (JSON.stringify(now) !== JSON.stringify(wire)) problems.push(`other certificates: ${JSON.stringify(now)}`);
      const search = leakSearch([
        ...(await clusterCanaries(rig.cluster)),
        ...(await accessCanaries(rig.state.kubeconfig, [repository.github])),
        ...(keys === undefined ? [] : keyCanaries('the workflows', keys)),
      ]);
      searchRuns(stage, search, runs);
    } finally {
      await repository.close();
    }
  } finally {
    await site.close();
  }
}

/** A profile in a repository has no secret in it, and what a first installation needs. */
function asCommitted(profile: string): string {
  return `${profile.replace(/^.*PASSWORD.*\n/gm, '')}export MCP_ACME_EMAIL=ops@acme.dev\n`;
}
