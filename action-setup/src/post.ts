import * as core from '@actions/core';
import { proxyOf } from '../../shared/action/github.js';
import { flag } from '../../shared/action/inputs.js';
import { log } from '../../shared/action/log.js';
import { mask } from '../../shared/action/mask.js';
import { readTarget } from '../../shared/action/profile.js';
import { runAction } from '../../shared/action/run.js';
import { connect } from '../../shared/cluster/connect.js';
import { McprtError, messageOf } from '../../shared/errors.js';
import { removeImageArchives } from '../../shared/setup/image-archives.js';
import { closeRegistry } from '../../shared/setup/registry-door.js';
import { startedState } from './inputs.js';

/**
 * The post step of action-setup: whatever became of the installer, the registry asks for a password when the job ends.
 * An installer that is killed leaves it open, and says success before it has closed it. It reads no more of the inputs
 * than it needs: files of the job may be gone by now.
 */
export async function setupPostAction(): Promise<void> {
  await runAction('action-setup (post)', async () => {
    if (core.getState(startedState) === '') return;
    try {
      await close();
    } catch (cause) {
      throw new McprtError('setup-post', {
        what: 'whether the public registry asks for a password could not be seen to',
        why: messageOf(cause),
        next: 'run setup again, or put the annotation back by hand: docs/troubleshooting.md#registry-auth-open',
        cause,
      });
    }
  });
}

async function close(): Promise<void> {
  const inputs = { profile: core.getInput('profile'), domain: core.getInput('domain') };
  const target = async (): Promise<string | undefined> =>
    (await readTarget(inputs, { stage: 'setup', env: process.env, mask, quiet: true })).kubeconfig;
  const { cluster } = await connect({
    kubeconfig:
      core.getInput('kubeconfig') || ((await target().catch(() => undefined)) ?? process.env.KUBECONFIG ?? ''),
    trusted: flag.parse(core.getInput('kubeconfig-trusted')),
    proxy: proxyOf(process.env),
    onSecrets: (secrets) => secrets.forEach(mask),
  });
  try {
    const { wasOpen, pushersRemoved } = await closeRegistry(cluster);
    if (wasOpen) log.warning('the public registry asked for no password, as the installer was stopped: it does again');
    const left = [...pushersRemoved, ...(await removeImageArchives(core.getInput('source')))];
    if (left.length > 0) log.info(`removed what the installer left: ${left.join(', ')}`);
  } finally {
    await cluster.close();
  }
}
