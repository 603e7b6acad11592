import pMap from 'p-map';
import { type Cluster, isConflict, isNotFound, type PatchOperation } from '../cluster/cluster.js';
import { at, recordsAt } from '../cluster/fields.js';
import { type KubeObject, kinds } from '../cluster/objects.js';
import { isRecord } from '../json.js';
import { isTeamNamespace, teamPolicyName } from '../platform/resources.js';

const namespaceLabel = 'kubernetes.io/metadata.name';
/** Patches under way at a time; a connection carries a hundred requests. */
const width = 64;
const attempts = 4;

/** The policies of all teams, by one list. */
export async function listTeamPolicies(cluster: Cluster): Promise<KubeObject[]> {
  const { items } = await cluster.list(kinds.networkPolicy, { fieldSelector: `metadata.name=${teamPolicyName}` });
  return items.filter(({ metadata }) => isTeamNamespace(metadata.namespace ?? ''));
}

/** The policies that do not let a namespace's pods in: without it, a tenant's servers cannot be reached from outside. */
export function lackingRule(policies: readonly KubeObject[], traefikNamespace: string): KubeObject[] {
  return policies.filter(
    (policy) =>
      policy.metadata.deletionTimestamp === undefined &&
      !recordsAt(policy, 'spec', 'ingress').some((rule) => letsIn(rule, traefikNamespace)),
  );
}

/** Whether an ingress rule lets every pod of a namespace in, on every port. */
function letsIn(rule: Record<string, unknown>, namespace: string): boolean {
  const isEveryPort = !Array.isArray(rule.ports) || rule.ports.length === 0;
  const peers = recordsAt(rule, 'from');
  if (!isEveryPort) return false;
  if (peers.length === 0) return true;
  return peers.some((peer) => {
    const isEveryPod = peer.podSelector === undefined || isEmptySelector(peer.podSelector);
    return isEveryPod && isRecord(peer.namespaceSelector) && selects(peer.namespaceSelector, namespace);
  });
}

/** Whether a selector of namespaces selects one by the label that Kubernetes gives each with its name. */
function selects(selector: Record<string, unknown>, namespace: string): boolean {
  if (isEmptySelector(selector)) return true;
  const labels = Object.entries(isRecord(selector.matchLabels) ? selector.matchLabels : {});
  const expressions = recordsAt(selector, 'matchExpressions');
  return (
    labels.every(([name, value]) => name === namespaceLabel && value === namespace) &&
    expressions.every(
      ({ key, operator, values }) =>
        key === namespaceLabel && operator === 'In' && Array.isArray(values) && values.includes(namespace),
    )
  );
}

function isEmptySelector(selector: unknown): boolean {
  return isRecord(selector) && Object.keys(selector).length === 0;
}

/**
 * Adds the rule to each policy, all at once. The platform's API writes to them too, so each patch holds only for what
 * was read; a policy that was changed meanwhile is read again, and one that is gone is left.
 *
 * @returns how many were patched
 */
export async function addRules(
  cluster: Cluster,
  policies: readonly KubeObject[],
  traefikNamespace: string,
  { signal, progress }: { signal: AbortSignal; progress: (line: string) => void },
): Promise<number> {
  let done = 0;
  let told = performance.now();
  const patched = await pMap(
    policies,
    async (policy) => {
      const isPatched = await addRule(cluster, policy, traefikNamespace);
      done += 1;
      if (performance.now() - told > 3_000) {
        told = performance.now();
        progress(`  ${done} of ${policies.length} policies`);
      }
      return isPatched;
    },
    { concurrency: width, signal },
  );
  return patched.filter((one) => one).length;
}

async function addRule(cluster: Cluster, policy: KubeObject, traefikNamespace: string): Promise<boolean> {
  let found: KubeObject | undefined = policy;
  for (let attempt = 1; found !== undefined && lackingRule([found], traefikNamespace).length > 0; attempt++) {
    try {
      await cluster.patch(kinds.networkPolicy, policy.metadata, operations(found, traefikNamespace));
      return true;
    } catch (error) {
      if (isNotFound(error)) return false;
      if (attempt === attempts || !isConflict(error)) throw error;
      found = await cluster.get(kinds.networkPolicy, policy.metadata);
    }
  }
  return false;
}

function operations(policy: KubeObject, traefikNamespace: string): PatchOperation[] {
  const rule = { from: [{ namespaceSelector: { matchLabels: { [namespaceLabel]: traefikNamespace } } }] };
  return [
    { op: 'test', path: '/metadata/resourceVersion', value: policy.metadata.resourceVersion },
    Array.isArray(at(policy, 'spec', 'ingress'))
      ? { op: 'add', path: '/spec/ingress/-', value: rule }
      : { op: 'add', path: '/spec/ingress', value: [rule] },
  ];
}
