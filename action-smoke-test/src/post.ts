import * as core from '@actions/core';
import { z } from 'zod';
import { readInputs } from '../../shared/action/inputs.js';
import { log } from '../../shared/action/log.js';
import { mask } from '../../shared/action/mask.js';
import { readTarget } from '../../shared/action/profile.js';
import { runAction } from '../../shared/action/run.js';
import { McprtError } from '../../shared/errors.js';
import { openWeb } from '../../shared/platform/web.js';
import { Made, madeKinds, removeMade } from '../../shared/smoke/made.js';
import { keptText } from '../../shared/smoke/tenant.js';
import { inputTypes, states } from './inputs.js';
import { clusterOf, platformOf } from './platform.js';

const things = z.array(z.object({ kind: z.enum(madeKinds), namespace: z.string(), name: z.string() }));

/** The post step of action-smoke-test: removes what the main step had made when it was stopped. */
export async function smokeTestPostAction(): Promise<void> {
  await runAction('action-smoke-test (post)', async (signal) => {
    const saved = core.getState(states.made);
    const made = new Made(() => undefined, saved === '' ? [] : things.parse(JSON.parse(saved)));
    if (made.things.length === 0) return;
    const inputs = readInputs(inputTypes);
    const { hosts } = await readTarget(inputs, { stage: 'smoke-test', env: process.env, mask, quiet: true });
    const cluster = await clusterOf(inputs, mask);
    const web = openWeb({
      overrides: inputs.resolve,
      dnsServer: inputs['dns-server'],
      caBundle: inputs['ca-bundle'],
    });
    try {
      const { admin } = await platformOf(hosts, inputs, cluster, { web, signal, mask, progress: log.info })();
      const count = made.things.length;
      const { left, kept } = await removeMade(made, { admin, cluster });
      if (kept.length > 0) log.warning([keptText(kept), ...kept].join('\n'));
      if (left.length > 0) {
        throw new McprtError('smoke-cleanup', {
          what: 'not everything that the stopped tests had made could be removed',
          why: left.join('\n'),
          next: 'run the action with `operation: cleanup`',
        });
      }
      log.info(`the tests were stopped: ${count - kept.length} things that they had made were removed`);
    } finally {
      web.close();
      await cluster?.close();
    }
  });
}
