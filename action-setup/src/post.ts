import * as core from '@actions/core';
import { log } from '../../shared/action/log.js';
import { runPostStep } from '../../shared/action/operation.js';
import { runAction } from '../../shared/action/run.js';
import { McprtError, messageOf } from '../../shared/errors.js';
import { endInstallation } from '../../shared/facts/installation.js';
import { holderOf } from '../../shared/run-context.js';
import { removeImageArchives } from '../../shared/setup/image-archives.js';
import { removeKubeconfig } from '../../shared/setup/kubeconfig-file.js';
import { closeRegistry } from '../../shared/setup/registry-push-proxy.js';
import { kubeconfigState, startedState } from './inputs.js';

/**
 * The post step of action-setup: whatever became of the installer, the registry asks for a password when the job ends.
 * An installer that is killed leaves it open, and says success before it has closed it. It reads no more of the inputs
 * than it needs: files of the job may be gone by now.
 */
export async function setupPostAction(): Promise<void> {
  await runAction('action-setup (post)', async () => {
    // First of all, and whatever becomes of the rest: a step that was killed has removed nothing.
    if (await removeKubeconfig(core.getState(kubeconfigState)))
      log.info('removed the kubeconfig that the step has left');
    if (core.getState(startedState) === '') return;
    await runPostStep('setup', refused, async ({ cluster, run }) => {
      const { wasOpen, pushersRemoved } = await closeRegistry(cluster);
      await endInstallation(cluster, holderOf(run), false);
      if (wasOpen)
        log.warning('the public registry asked for no password, as the installer was stopped: it does again');
      const left = [...pushersRemoved, ...(await removeImageArchives(core.getInput('source')))];
      if (left.length > 0) log.info(`removed what the installer left: ${left.join(', ')}`);
    });
  });
}

function refused(cause: unknown): McprtError {
  return new McprtError('setup-post', {
    what: 'whether the public registry asks for a password could not be seen to',
    why: messageOf(cause),
    next: 'run setup again, or put the annotation back by hand: docs/troubleshooting.md#registry-auth-open',
    cause,
  });
}
