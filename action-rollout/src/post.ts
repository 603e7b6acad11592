import * as core from '@actions/core';
import { openPostConnection } from '../../shared/action/connection.js';
import { runContext } from '../../shared/action/github.js';
import { flag } from '../../shared/action/inputs.js';
import { log } from '../../shared/action/log.js';
import { runAction } from '../../shared/action/run.js';
import { holderOf } from '../../shared/backup/brake.js';
import { McprtError, messageOf } from '../../shared/errors.js';
import { finishRollback } from '../../shared/rollout/finish-rollback.js';
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
    try {
      await putBack(signal);
    } catch (cause) {
      throw new McprtError('rollout-post', {
        what: 'what was there before a rollout that was stopped could not be put back',
        why: cause instanceof McprtError ? `${cause.message}: ${cause.why}` : messageOf(cause),
        next: 'run the rollout again: it knows what was there before. By hand: `kubectl rollout undo -n mcp-sentinel deployment/NAME`',
        cause,
      });
    }
  });
}

async function putBack(signal: AbortSignal): Promise<void> {
  const { cluster, target } = await openPostConnection('rollout');
  try {
    const run = holderOf(runContext(process.env, target?.domain ?? '', 'mcprt'));
    const result = await finishRollback(cluster, run, { signal, progress: log.info });
    if (result === undefined) return;
    const left =
      result.left.length === 0 ? '' : `; left, as somebody else has written it since: ${result.left.join(', ')}`;
    log.warning(`the rollout was stopped: what was there before was put back, and runs${left}`);
  } finally {
    await cluster.close();
  }
}
