import * as core from '@actions/core';
import { flag } from '../../shared/action/inputs.js';
import { log } from '../../shared/action/log.js';
import { runPostStep } from '../../shared/action/operation.js';
import { runAction } from '../../shared/action/run.js';
import { McprtError, messageOf } from '../../shared/errors.js';
import { finishRollback } from '../../shared/rollout/finish-rollback.js';
import { holderOf } from '../../shared/run-context.js';
import { states } from './inputs.js';

/**
 * The post step of action-rollout: what the main step was stopped in is put back here, and seen to run. The runner gives
 * a cancelled step seconds, and its post step minutes. It reads no more of the inputs than it needs: files of the job
 * may be gone by now.
 */
export async function rolloutPostAction(): Promise<void> {
  await runAction('action-rollout (post)', async (signal) => {
    if (core.getState(states.written) === '' || core.getState(states.ended) !== '') return;
    if (!flag.parse(core.getInput('rollback'))) return;
    await runPostStep('rollout', refused, async ({ cluster, run }) => {
      const result = await finishRollback(cluster, holderOf(run), { signal, progress: log.info });
      if (result === undefined) return;
      const left =
        result.left.length === 0 ? '' : `; left, as somebody else has written it since: ${result.left.join(', ')}`;
      log.warning(`the rollout was stopped: rolled back; what was there before runs again${left}`);
    });
  });
}

function refused(cause: unknown): McprtError {
  return new McprtError('rollout-post', {
    what: 'a rollout that was stopped could not be rolled back',
    why: cause instanceof McprtError ? `${cause.message}: ${cause.why}` : messageOf(cause),
    next: 'run the rollout again: it knows what was there before. By hand: `kubectl rollout undo -n mcp-sentinel deployment/NAME`',
    cause,
  });
}
