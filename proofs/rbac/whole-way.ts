import { grant, withToken } from '../../lab/driver/rbac.js';
import type { OperationName } from '../../shared/permissions/operations.js';
import { withoutMasks } from '../leaks.js';
import type { Stage } from '../stage.js';

/** In this order they need nothing of each other but what the ones before have left. */
const way = ['backup', 'verify', 'plan', 'wipe', 'restore'] as const satisfies readonly OperationName[];

/**
 * Runs every operation of action-backup once with exactly its generated RBAC: what later fails without a verb is known
 * to work with it.
 *
 * @returns what failed, in words
 */
export async function walkWholeWay({ rig }: Stage): Promise<string[]> {
  const problems: string[] = [];
  for (const operation of way) {
    const { token } = await grant(rig.state, rig.cluster, [operation]);
    const run = await rig.act(operation, {
      kubeconfig: await withToken(rig.state, token),
      ...(operation === 'wipe' ? { confirm: rig.installation.domain } : {}),
    });
    if (run.code !== 0) problems.push(`${operation} with generated RBAC: ${withoutMasks(run.log).slice(-900)}`);
  }
  return problems;
}
