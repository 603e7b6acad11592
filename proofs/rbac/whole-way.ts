import { grant, withToken } from '../../lab/driver/rbac.js';
import type { OperationName } from '../../shared/permissions/operations.js';
import type { World } from '../world/world.js';

/** In this order they need nothing of each other but what the ones before have left. */
const way = ['backup', 'verify', 'plan', 'wipe', 'restore'] as const satisfies readonly OperationName[];

/**
 * Runs every operation of action-backup once with exactly its generated RBAC: what later fails without a verb is known
 * to work with it.
 */
export async function walkWholeWay({ context, state, cluster, domain, backup }: World): Promise<void> {
  for (const operation of way) {
    const { token } = await grant(state, cluster, [operation]);
    const kubeconfig = await withToken(state, token);
    const run = await backup(operation, { kubeconfig, ...(operation === 'wipe' ? { confirm: domain } : {}) });
    context.expectDone(`${operation} with generated RBAC`, run);
  }
}
