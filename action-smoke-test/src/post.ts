import * as core from '@actions/core';
import * as z from 'zod';
import { readInputs } from '../../shared/action/inputs.js';
import { log } from '../../shared/action/log.js';
import { runOperation } from '../../shared/action/operation.js';
import { reachOf } from '../../shared/action/reach.js';
import { McprtError } from '../../shared/errors.js';
import { openWeb } from '../../shared/platform/web.js';
import { Made, madeKinds, removeMade } from '../../shared/smoke/made.js';
import { keptText } from '../../shared/smoke/tenant.js';
import { inputTypes, type SmokeInputs, states } from './inputs.js';
import { door, platformOf } from './platform.js';

const things = z.array(z.object({ kind: z.enum(madeKinds), namespace: z.string(), name: z.string() }));

/** The post step of action-smoke-test: removes what the main step had made when it was stopped. */
export async function smokeTestPostAction(): Promise<void> {
  const saved = core.getState(states.made);
  if (saved === '') return;
  const read = (): SmokeInputs => readInputs(inputTypes);
  await runOperation({ ...door, title: 'action-smoke-test (post)', version: '', read, quiet: true }, async (opened) => {
    const { inputs, target, signal, mask, progress, env } = opened;
    const cluster = opened.connection?.cluster;
    const made = new Made(() => undefined, things.parse(JSON.parse(saved)));
    const count = made.things.length;
    if (count === 0) return undefined;
    const web = openWeb(reachOf(inputs, env));
    try {
      const { admin } = await platformOf(target.hosts, inputs, cluster, { web, signal, mask, progress })();
      const { left, kept } = await removeMade(made, { admin, cluster });
      if (kept.length > 0) log.warning([keptText(kept), ...kept].join('\n'));
      if (left.length > 0) {
        throw new McprtError('smoke-cleanup', {
          what: 'not everything that the stopped tests had made could be removed',
          why: left.join('\n'),
          next: 'run `operation: cleanup`',
        });
      }
      log.info(`the tests were stopped: ${count - kept.length} things that they had made were removed`);
      return undefined;
    } finally {
      web.close();
    }
  });
}
