import pMap from 'p-map';
import { type Cluster, isConflict } from '../cluster/cluster.js';
import { kinds } from '../cluster/objects.js';
import type { WipeTarget } from './targets.js';

/** Deletions at a time: the API server's own limit for one client's writes is far above. */
const parallel = 32;

/**
 * Deletes objects in parallel, each only if it is still the very one that was planned. What is gone already, or was made
 * anew meanwhile, is left alone; a look at the cluster tells the difference afterwards.
 */
export async function deleteTargets(
  cluster: Cluster,
  targets: readonly WipeTarget[],
  signal: AbortSignal,
): Promise<void> {
  await pMap(
    targets.filter(({ leaving }) => !leaving),
    async ({ kind, name, namespace, uid }) => {
      signal.throwIfAborted();
      try {
        await cluster.delete(kind, { name, ...(namespace === undefined ? {} : { namespace }) }, { uid });
      } catch (error) {
        // 409: another UID, or a namespace that is already leaving.
        if (!isConflict(error)) throw error;
      }
    },
    { concurrency: parallel },
  );
}

/** Targets in groups that must be deleted one after the other, in their order. */
export function groupsOf(targets: readonly WipeTarget[]): WipeTarget[][] {
  return [...Map.groupBy(targets, ({ kind }) => (kind.group === 'mcpruntime.org' ? kind.group : kind.plural)).values()];
}

export function namespacesOf(targets: readonly WipeTarget[]): WipeTarget[] {
  return targets.filter(({ kind }) => kind === kinds.namespace);
}
