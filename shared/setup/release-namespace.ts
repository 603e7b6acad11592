import type { Cluster } from '../cluster/cluster.js';
import { isTrue } from '../cluster/fields.js';
import { type KubeObject, kinds } from '../cluster/objects.js';
import { waitUntil } from '../cluster/wait.js';
import { McprtError } from '../errors.js';
import { explainStuck } from '../facts/namespace-blockers.js';

const deadline = 60_000;

/**
 * Drops the finalizers of one namespace that is stuck in Terminating, as the runbook does for all of them at once. What
 * is left in it is no longer cleaned up by anybody, so it is named before.
 *
 * @throws McprtError `namespace-release`, `cluster-wait`
 */
export async function releaseNamespace(
  cluster: Cluster,
  name: string,
  { warn, progress, signal }: { warn: (line: string) => void; progress: (line: string) => void; signal: AbortSignal },
): Promise<void> {
  const found = await cluster.get<KubeObject>(kinds.namespace, { name });
  if (found === undefined) {
    progress(`namespace ${name} is gone already`);
    return;
  }
  if (/^(?:kube-.*|default)$/.test(name) || found.metadata.deletionTimestamp === undefined) {
    throw new McprtError('namespace-release', {
      what: `the finalizers of namespace ${name} are not dropped`,
      why:
        found.metadata.deletionTimestamp === undefined
          ? 'it is not being deleted'
          : 'it is one of the cluster’s own namespaces',
      next: 'name one namespace in `release-namespace` that `kubectl get ns` shows as Terminating',
    });
  }
  const stuck = [
    'NamespaceContentRemaining',
    'NamespaceFinalizersRemaining',
    'NamespaceDeletionContentFailure',
    'NamespaceDeletionDiscoveryFailure',
    'NamespaceDeletionGroupVersionParsingFailure',
  ];
  if (!stuck.some((type) => isTrue(found, type))) {
    throw new McprtError('namespace-release', {
      what: `the finalizers of namespace ${name} are not dropped`,
      why: 'the cluster’s namespace controller does not say that anything holds it: it is just being deleted',
      next: 'wait for it; `kubectl describe ns` shows what it is busy with',
    });
  }
  const lines = await explainStuck(cluster, [found], await cluster.groups());
  warn(`dropping the finalizers of namespace ${name}; nobody cleans up what is left in it:\n${lines.join('\n')}`);
  await cluster.replace(kinds.namespace, { ...found, spec: { finalizers: [] } }, 'finalize');
  await waitUntil(cluster, kinds.namespace, (objects) => (objects.length === 0 ? '' : 'it is still there'), {
    fieldSelector: `metadata.name=${name}`,
    what: `namespace ${name} to be gone`,
    deadline,
    signal,
    progress,
  });
}
