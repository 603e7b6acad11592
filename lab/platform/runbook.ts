import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '../../shared/cluster/cluster.js';
import { type Kind, type KubeObject, kinds } from '../../shared/cluster/objects.js';
import { issuer, namespaces } from './names.js';
import { asNew } from './objects.js';

/** What the runbook's scripts save, in the order in which they put it back. */
const saved: readonly [Kind, { name: string; namespace?: string }][] = [
  [kinds.clusterIssuer, { name: issuer }],
  [kinds.secret, { namespace: namespaces.registry, name: 'registry-tls' }],
  [kinds.secret, { namespace: namespaces.sentinel, name: 'mcp-sentinel-platform-tls' }],
  [kinds.certificate, { namespace: namespaces.registry, name: 'registry-cert' }],
  [kinds.certificate, { namespace: namespaces.sentinel, name: 'mcp-sentinel-platform-tls' }],
  [kinds.configMap, { namespace: namespaces.sentinel, name: 'mcp-sentinel-config' }],
  [kinds.secret, { namespace: namespaces.sentinel, name: 'mcp-sentinel-secrets' }],
];

export type RunbookBackup = [Kind, KubeObject][];

/** Stands in for the runbook's backup script: seven objects by fixed names, whatever else there is. */
export async function runbookBackup(cluster: Cluster): Promise<RunbookBackup> {
  const found = await Promise.all(
    saved.map(async ([kind, ref]) => [kind, await cluster.get<KubeObject>(kind, ref)] as const),
  );
  return found.flatMap(
    ([kind, object]): RunbookBackup => (object === undefined ? [] : [[kind, withoutOwners(object)]]),
  );
}

/** Stands in for the runbook's restore script, which setup calls at its end: applied over what is there, by force. */
export async function runbookRestore(cluster: Cluster, backup: RunbookBackup): Promise<void> {
  for (const [kind, object] of backup) {
    await cluster.apply(kind, object, { force: true, manager: 'kubectl' });
  }
}

/** Waits until the count of orders has not changed for a while: cert-manager reacts within seconds, not at once. */
export async function untilQuiet(count: () => Promise<number>, quiet = 12_000): Promise<number> {
  let last = await count();
  for (let since = Date.now(); Date.now() - since < quiet; ) {
    await sleep(500);
    const now = await count();
    if (now !== last) [last, since] = [now, Date.now()];
  }
  return last;
}

/** The runbook's script drops the owners: an Ingress that is made again has another UID. */
function withoutOwners(object: KubeObject): KubeObject {
  const { ownerReferences: _, ...metadata } = object.metadata;
  return asNew({ ...object, metadata });
}
