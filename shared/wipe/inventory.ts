import { isDeepStrictEqual } from 'node:util';
import { portableConfig } from '../backup/backup.js';
import { inventory } from '../backup/inventory.js';
import { keyOf, type LiveSecret, maskValues, type Observation, readSecrets } from '../backup/observe.js';
import type { Reference } from '../backup/roles.js';
import { cleaned, type Snapshot } from '../backup/snapshot.js';
import type { Cluster } from '../cluster/cluster.js';
import { type KubeObject, kinds } from '../cluster/objects.js';
import { platformConfig } from '../platform/resources.js';

/** What of a cluster a backup must hold, as it is live. */
export interface LiveInventory {
  references: Reference[];
  secrets: Map<string, LiveSecret>;
  config: KubeObject | undefined;
}

/** Follows the references of an observation and reads what they point at; `mask` is told every value. */
export async function readInventory(
  cluster: Cluster,
  seen: Observation,
  mask: (secret: string) => void,
): Promise<LiveInventory> {
  const references = inventory(seen);
  const [secrets, config] = await Promise.all([
    readSecrets(cluster, references),
    cluster.get<KubeObject>(kinds.configMap, platformConfig),
  ]);
  for (const secret of secrets.values()) maskValues(secret, mask);
  return { references, secrets, config };
}

/**
 * What is live and is not in a snapshot exactly as it is; nothing when the snapshot is the live inventory.
 *
 * @param allowMissing whether Secrets that are needed and were never there are accepted, as the backup accepted them
 */
export function unproven(
  snapshot: Pick<Snapshot, 'objects'>,
  live: LiveInventory,
  { allowMissing }: { allowMissing: boolean },
): string[] {
  const saved = new Map(snapshot.objects.map(({ object }) => [`${object.kind} ${keyOf(object.metadata)}`, object]));
  const config = portableConfig(live.config);
  const present = [...live.secrets.values(), ...(config === undefined ? [] : [config])].map(cleaned);
  const differing = present.flatMap((object) => {
    const subject = `${object.kind} ${keyOf(object.metadata)}`;
    const known = saved.get(subject);
    if (known === undefined) return [`${subject} is not in the backup`];
    return isDeepStrictEqual(known, object) ? [] : [`${subject} was changed since it was backed up`];
  });
  const absent = live.references
    .filter((reference) => !allowMissing && reference.required && !live.secrets.has(keyOf(reference)))
    .filter((reference) => !saved.has(`Secret ${keyOf(reference)}`))
    .map((reference) => `Secret ${keyOf(reference)} does not exist yet, and ${reference.because} needs it`);
  return [...differing, ...absent];
}

/** `namespace/name` → resourceVersion of the Secrets of an inventory, without those that are on their way out. */
export function versionsOf(live: LiveInventory, seen: Pick<Observation, 'namespaces'>): Map<string, string> {
  const leaving = new Set(
    seen.namespaces
      .filter(({ metadata }) => metadata.deletionTimestamp !== undefined)
      .map(({ metadata }) => metadata.name),
  );
  return new Map(
    [...live.secrets]
      .filter(([, { metadata }]) => metadata.deletionTimestamp === undefined && !leaving.has(metadata.namespace ?? ''))
      .map(([key, { metadata }]) => [key, metadata.resourceVersion ?? '']),
  );
}
