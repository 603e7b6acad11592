import * as core from '@actions/core';
import { proxyOf } from '../../shared/action/github.js';
import { readInputs } from '../../shared/action/inputs.js';
import { masker } from '../../shared/action/mask.js';
import { readTarget } from '../../shared/action/profile.js';
import { runAction } from '../../shared/action/run.js';
import { connect } from '../../shared/cluster/connect.js';
import { removeImageArchives } from '../../shared/setup/image-archives.js';
import { closeRegistry } from '../../shared/setup/registry-door.js';
import { inputTypes, startedState } from './inputs.js';

/**
 * The post step of action-setup: whatever became of the installer, the registry asks for a password when the job ends.
 * An installer that is killed leaves it open, and says success before it has closed it.
 */
export async function setupPostAction(): Promise<void> {
  await runAction('action-setup (post)', async () => {
    const mask = masker();
    const inputs = readInputs(inputTypes);
    if (core.getState(startedState) === '') return;
    const target = await readTarget(inputs, { stage: 'setup', env: process.env, mask, quiet: true });
    const { cluster } = await connect({
      kubeconfig: inputs.kubeconfig || target.kubeconfig || (process.env.KUBECONFIG ?? ''),
      trusted: inputs['kubeconfig-trusted'],
      proxy: proxyOf(process.env),
      onSecrets: (secrets) => secrets.forEach(mask),
    });
    try {
      const { wasOpen, pushersRemoved } = await closeRegistry(cluster);
      if (wasOpen)
        core.warning('the public registry asked for no password, as the installer was stopped: it does again');
      const left = [...pushersRemoved, ...(await removeImageArchives(inputs.source))];
      if (left.length > 0) core.info(`removed what the installer left: ${left.join(', ')}`);
    } finally {
      await cluster.close();
    }
  });
}
