import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeAccount } from '../../init/accounts.js';
import { root } from '../../lab/driver/folders.js';
import { difference } from '../../lab/driver/meter.js';
import { commitFiles } from '../../lab/platform/source.js';
import { loadCredentials } from '../../shared/cluster/credentials.js';
import { kinds } from '../../shared/cluster/objects.js';
import { accessCanaries, clusterCanaries, keyCanaries } from '../canary/canaries.js';
import { leakSearch, withoutMasks } from '../leaks.js';
import type { Rig } from '../rig.js';
import { makeStage } from '../stage.js';
import { type Made, makeRepository, type PlayedWorkflow } from './repository.js';
import { play, type Stage, searchRuns } from './stage.js';

/** A wipe and a new installation by hand, and a deployment by the installer: no order, and the same certificates. */
export async function reinstalls(stage: Stage): Promise<void> {
  const { context, problems } = stage;
  const site = await makeStage(context, join(context.folder, 'reinstall'));
  const { rig, source, front } = site;
  try {
    const install = () => site.setup({ 'restore-key': '' });
    const attempt = await install();
    // The installer replaces an Ingress whose status Traefik's stand-in may be writing: as it says itself, it can be run again.
    const first =
      attempt.code !== 0 && /ingresses\/registry: 409 Conflict/.test(attempt.log) ? await install() : attempt;
    if (first.code !== 0) problems.push(`first installation: ${withoutMasks(first.log).slice(-3000)}`);
    const profile = await readFile(join(context.folder, 'reinstall', 'profile.env'), 'utf8');
    await commitFiles(
      source,
      { '.gitignore': 'bin/\n', 'config/deployments/mcpruntime-org.env': withoutPassword(profile) },
      'Our profile',
    );
    const cluster = (await rig.cluster.get(kinds.namespace, { name: 'kube-system' }))?.metadata.uid ?? '';
    const onMain = { branches: ['main'] };
    let keys: Made['keys'] | undefined;
    const repository = await makeRepository(context, stage.tools, {
      folder: source,
      administrator: rig.state.kubeconfig,
      variables: { MCPRT_RESOLVE: front.resolve.join('\n'), MCPRT_CA_BUNDLE: site.root },
      async environments(made) {
        keys = made.keys;
        const account = async (name: string): Promise<{ KUBECONFIG: string }> => ({
          KUBECONFIG: await made.kubeconfig(name),
        });
        return {
          'mcprt-wipe': {
            hasReviewers: true,
            secrets: { ...(await account('mcprt-wipe')), MCPRT_BACKUP_KEY: keys.backup },
            variables: { MCPRT_CLUSTER: cluster },
            ...onMain,
          },
          'mcprt-restore': {
            hasReviewers: true,
            secrets: { ...(await account('mcprt-restore')), MCPRT_RESTORE_KEY: keys.restore },
            ...onMain,
          },
          // A plan of what the installer would do looks, and changes nothing.
          'mcprt-plan': { secrets: { KUBECONFIG: await looking(rig) } },
          'mcprt-approval': { hasReviewers: true, ...onMain },
          'mcprt-backup': { secrets: { ...(await account('mcprt-backup')), MCPRT_BACKUP_KEY: keys.backup }, ...onMain },
        };
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
        await commitFiles(
          source,
          { '.github/workflows/mcprt-deploy.yml': bySetup(text) },
          'Deployments by the installer',
        ),
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

/** Kubeconfig of an account that may do what a plan of setup does. */
async function looking({ cluster, state }: Rig): Promise<string> {
  const { server, tls } = await loadCredentials(state.kubeconfig, { trusted: false });
  const certificateAuthority = tls.ca === undefined ? undefined : Buffer.from(tls.ca).toString('base64');
  return (await makeAccount(cluster, 'mcprt-plan', 'setup-plan', { address: server, certificateAuthority })).kubeconfig;
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
