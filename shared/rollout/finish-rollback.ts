import type { Cluster } from '../cluster/cluster.js';
import { nowOf } from '../cluster/cluster.js';
import { McprtError } from '../errors.js';
import { endJournal, readJournal } from './journal.js';
import { putBack, type RolledBack } from './rollback.js';
import { openWorkloadWatch, untilRolledOut } from './watch.js';

/** How long what was there before may take to run again, in ms. */
const deadline = 240_000;

/**
 * Puts back what a rollout of this run has left, and waits until it runs.
 *
 * @returns undefined when there is nothing of this run to put back
 * @throws McprtError `rollout-rollback`
 */
export async function finishRollback(
  cluster: Cluster,
  run: string,
  { signal, progress }: { signal: AbortSignal; progress: (line: string) => void },
): Promise<RolledBack | undefined> {
  const journal = await readJournal(cluster);
  if (journal === undefined || journal.run !== run) return undefined;
  progress('a rollout of this run was stopped: rolling back to what was there before');
  const since = nowOf(cluster);
  const result = await putBack(cluster, journal.previous, { config: true, workloads: [] });
  const stage = await openWorkloadWatch(cluster, signal);
  try {
    const outcome = await untilRolledOut(stage, result.awaited, { deadline, since, progress });
    const problems = [
      ...result.failed,
      ...(outcome.done ? [] : outcome.findings.map(({ subject, cause }) => `${subject}: ${cause}`)),
    ];
    if (problems.length > 0) {
      throw new McprtError('rollout-rollback', {
        what: 'what was there before does not run',
        why: problems.join('\n'),
        next: 'look at the pods of mcp-sentinel, then run the rollout again: it knows what was there before',
      });
    }
  } finally {
    await stage.close();
  }
  await endJournal(cluster);
  return result;
}
