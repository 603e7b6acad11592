import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from '../../lab/driver/folders.js';
import { difference } from '../../lab/driver/meter.js';
import { commitFiles } from '../../lab/platform/source.js';
import { kinds } from '../../shared/cluster/objects.js';
import { accessCanaries, clusterCanaries, keyCanaries } from '../canary/canaries.js';
import { leakSearch } from '../leaks.js';
import { makeStage } from '../stage.js';
import { makeRepository, type PlayedWorkflow } from './repository.js';
import { play, type Stage, searchRuns } from './stage.js';

/** A wipe and a new installation by hand, and a deployment by the installer: no order, and the same certificates. */
export async function reinstalls(stage: Stage): Promise<void> {
  const { context, problems } = stage;
  const site = await makeStage(context, join(context.folder, 'reinstall'));
  const { rig, source, front } = site;
  try {
    const first = await site.setup({ 'restore-key': '' });
    if (first.code !== 0) problems.push(`first installation: ${first.log.slice(-3000)}`);
    const profile = await readFile(join(context.folder, 'reinstall', 'profile.env'), 'utf8');
    await commitFiles(
      source,
      { '.gitignore': 'bin/\n', 'config/deployments/mcpruntime-org.env': withoutPassword(profile) },
      'Our profile',
    );
    const kubeconfig = await readFile(rig.state.kubeconfig, 'utf8');
    const cluster = (await rig.cluster.get(kinds.namespace, { name: 'kube-system' }))?.metadata.uid ?? '';
    const onMain = { branches: ['main'] };
    const repository = await makeRepository(context, stage.tools, {
      folder: source,
      examples: ['reinstall.yml', 'deploy.yml'],
      variables: { MCPRT_RESOLVE: front.resolve.join('\n'), MCPRT_CA_BUNDLE: site.root },
      environments: {
        'mcprt-wipe': {
          hasReviewers: true,
          secrets: { KUBECONFIG: kubeconfig, MCPRT_BACKUP_KEY: rig.keys.backup },
          variables: { MCPRT_CLUSTER: cluster },
          ...onMain,
        },
        'mcprt-restore': {
          hasReviewers: true,
          secrets: { KUBECONFIG: kubeconfig, MCPRT_RESTORE_KEY: rig.keys.restore },
          ...onMain,
        },
        'mcprt-plan': { secrets: { KUBECONFIG: kubeconfig } },
        'mcprt-approval': { hasReviewers: true, ...onMain },
        'mcprt-backup': { secrets: { KUBECONFIG: kubeconfig, MCPRT_BACKUP_KEY: rig.keys.backup }, ...onMain },
      },
    });
    try {
      const runs: PlayedWorkflow[] = [];
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
      const text = await readFile(join(root, 'examples', 'deploy.yml'), 'utf8');
      repository.adopt(
        await commitFiles(source, { '.github/workflows/deploy.yml': bySetup(text) }, 'Deployments by the installer'),
      );
      runs.push(
        await play(stage, repository, 'deployed by the installer', 'deploy.yml', {
          event: 'push',
          jobs: [
            ...['plan@mcprt-plan', 'approve@mcprt-approval', 'backup@mcprt-backup', 'setup@mcprt-restore'],
            ...['save@mcprt-backup', 'smoke-test@mcprt-smoke'],
          ],
        }),
      );
      const { orders, issued, accounts } = difference(counted, await rig.meter());
      if (orders + issued + accounts !== 0) problems.push(`${orders} orders, ${issued} issued, ${accounts} accounts`);
      const now = await site.onTheWire();
      if (JSON.stringify(now) !== JSON.stringify(wire)) problems.push(`other certificates: ${JSON.stringify(now)}`);
      const search = leakSearch([
        ...(await clusterCanaries(rig.cluster)),
        ...(await accessCanaries(rig.state.kubeconfig, [repository.github])),
        ...keyCanaries('the workflows', rig.keys),
      ]);
      searchRuns(stage, search, runs);
    } finally {
      await repository.close();
    }
  } finally {
    await site.close();
  }
}

/** What the example's own comment says of deployments by the installer. */
function bySetup(text: string): string {
  return text.replace(
    /^( +)secrets:$/m,
    `$1with:\n$1  apply: setup\n$1  suite: health\n$1secrets:\n$1  MCPRT_RESTORE_KEY: \${{ secrets.MCPRT_RESTORE_KEY }}`,
  );
}

/** A profile in a repository has no secret in it. */
function withoutPassword(profile: string): string {
  return profile.replace(/^.*PASSWORD.*\n/gm, '');
}
