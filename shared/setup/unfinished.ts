import { type Cluster, isConflict, objectOf } from '../cluster/cluster.js';
import { textAt } from '../cluster/fields.js';
import { kinds } from '../cluster/objects.js';

/**
 * A first install that was begun and not finished, remembered in ConfigMap kube-system/mcprt-setup. The issuer is there
 * from its first minutes on, so that the next run would be taken for a rerun, which may order nothing.
 */
const ref = { namespace: 'kube-system', name: 'mcprt-setup' };

/** When a first install was begun that has not been finished; undefined when there is none. */
export async function unfinishedSince(cluster: Cluster): Promise<string | undefined> {
  return textAt(await cluster.get(kinds.configMap, ref), 'data', 'firstInstallSince') || undefined;
}

/** Remembers that a first install begins. One that was begun before stays remembered. */
export async function beginFirstInstall(cluster: Cluster, now: Date): Promise<void> {
  const data = { firstInstallSince: now.toISOString() };
  try {
    await cluster.create(kinds.configMap, objectOf(kinds.configMap, { metadata: ref, data }));
  } catch (error) {
    if (!isConflict(error)) throw error;
  }
}

/** Forgets it: from now on an order is one too many. */
export async function endFirstInstall(cluster: Cluster): Promise<void> {
  await cluster.delete(kinds.configMap, ref);
}
