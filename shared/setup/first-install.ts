import { type Cluster, isConflict, objectOf } from '../cluster/cluster.js';
import { textAt } from '../cluster/fields.js';
import { type KubeObject, kinds } from '../cluster/objects.js';
import { McprtError } from '../errors.js';

/**
 * A first install that was begun and not finished, remembered in ConfigMap kube-system/mcprt-setup. The issuer is there
 * from its first minutes on, so that the next run would be taken for a rerun, which may order nothing.
 */
const ref = { namespace: 'kube-system', name: 'mcprt-setup' };

/**
 * When a first install was begun that has not been finished; undefined when there is none.
 *
 * @throws McprtError `setup-record`, when what was written down cannot be read: taken for nothing, the install would go on
 * as a rerun
 */
export async function unfinishedSince(cluster: Cluster): Promise<string | undefined> {
  const found = await cluster.get<KubeObject>(kinds.configMap, ref);
  if (found === undefined) return undefined;
  const since = textAt(found, 'data', 'firstInstallSince');
  if (!Number.isNaN(Date.parse(since))) return since;
  throw new McprtError('setup-record', {
    what: 'what an earlier first install wrote down cannot be read; nothing was changed',
    why: `ConfigMap ${ref.namespace}/${ref.name} has no time in firstInstallSince`,
    next: `\`kubectl delete configmap -n ${ref.namespace} ${ref.name}\`, and run again. If that first install was not finished, what it has still to order is then counted: give \`max-orders\` the number that is named`,
  });
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
