import type { Cluster } from '../shared/cluster/cluster.js';
import { nowOf } from '../shared/cluster/cluster.js';
import { type Kind, type KubeObject, kinds } from '../shared/cluster/objects.js';
import { McprtError } from '../shared/errors.js';
import { requireNoInstallation, requireNoRollout } from '../shared/facts/installation.js';
import { observeLock, plainLock, policyLock } from '../shared/facts/lock.js';
import { kindOf } from '../shared/permissions/apply.js';
import { managedBy, manifestOf } from '../shared/permissions/manifest.js';
import { accountNamespace, grants } from '../shared/permissions/operations.js';

/** Bindings first: from then on nobody of ours may do anything. */
const order: readonly Kind[] = [
  kinds.clusterRoleBinding,
  kinds.roleBinding,
  kinds.serviceAccount,
  kinds.secret,
  kinds.clusterRole,
  kinds.role,
  kinds.admissionPolicyBinding,
  kinds.admissionPolicy,
];

/** What operations write down for the next one. */
const memories = ['mcprt-anchor', 'mcprt-setup', 'mcprt-install', 'mcprt-rollout', 'mcprt-wipe'];

/**
 * Takes everything of mcprt's off a cluster: what bears its label, what releases made that set none, and what operations
 * remember. Backups are in their stores, and stay.
 *
 * @param isDry takes nothing away, and says what would be
 * @returns what was taken away, as `KIND namespace/name`
 * @throws McprtError `restore-locked`, `setup-busy`, `rollout-busy` while an operation is under way
 */
export async function removeFromCluster(cluster: Cluster, isDry: boolean): Promise<string[]> {
  const [holder] = await Promise.all([
    observeLock(cluster),
    requireNoInstallation(cluster, ''),
    requireNoRollout(cluster),
  ]);
  const now = nowOf(cluster);
  if (holder !== undefined && (holder.expires === undefined || holder.expires > now)) {
    throw new McprtError('restore-locked', {
      what: 'a restore or a wipe holds the lock of this cluster; nothing was taken away',
      why: `run ${holder.run}, until ${holder.expires?.toISOString() ?? 'somebody takes it over'}`,
      next: 'wait until it has ended, or run it again to its end; a lock whose time has passed is taken away as well',
    });
  }
  const labelled = await Promise.all(order.map((kind) => labelledOf(cluster, kind)));
  const byName = [...grants].flatMap(([name, operation]) => manifestOf(name, operation));
  const tokens = [...grants.keys()].map((name) => ({
    kind: kinds.secret,
    ref: { namespace: accountNamespace, name: `mcprt-${name}-token` },
  }));
  const found = [
    ...labelled.flat(),
    ...byName.map((object) => ({ kind: kindOf(object), ref: object.metadata })),
    ...tokens,
    { kind: kinds.admissionPolicyBinding, ref: policyLock.ref },
    ...[policyLock, plainLock],
    ...memories.map((name) => ({ kind: kinds.configMap, ref: { namespace: accountNamespace, name } })),
  ];
  const each = new Map(found.map(({ kind, ref }) => [`${kind.kind} ${nameIn(ref)}`, { kind, ref }] as const));
  const removed: string[] = [];
  for (const kind of [...order, kinds.configMap]) {
    for (const [words, { ref }] of [...each].filter(([, one]) => one.kind === kind)) {
      const own = { name: ref.name, ...(ref.namespace ? { namespace: ref.namespace } : {}) };
      const isThere = isDry ? (await cluster.get(kind, own)) !== undefined : await cluster.delete(kind, own);
      if (isThere) removed.push(words);
    }
  }
  return removed;
}

function nameIn({ namespace, name }: { namespace?: string | undefined; name: string }): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}

async function labelledOf(cluster: Cluster, kind: Kind): Promise<{ kind: Kind; ref: KubeObject['metadata'] }[]> {
  const [[label, value] = ['', '']] = Object.entries(managedBy);
  const { items } = await cluster.list(kind, { labelSelector: `${label}=${value}` });
  return items.map(({ metadata }) => ({ kind, ref: metadata }));
}
