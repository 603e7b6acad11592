import { isDeepStrictEqual } from 'node:util';
import { type Allowance, isAllowed } from '../backup/allowance.js';
import type { Snapshot } from '../backup/snapshot.js';
import { takeSnapshot } from '../backup/take-snapshot.js';
import { keyOf } from '../cluster/objects.js';
import type { Observation } from '../facts/observation.js';
import type { LiveInventory } from '../facts/read-inventory.js';
import { becauseOf } from '../facts/roles.js';

/**
 * What is live and is not in a snapshot exactly as it is; nothing when the snapshot is what a backup made now would hold.
 *
 * @param allow what the backup accepted: Secrets of the platform that are needed and were never there
 */
export function unproven(
  snapshot: Pick<Snapshot, 'objects'>,
  seen: Observation,
  live: LiveInventory,
  allow: readonly Allowance[],
): string[] {
  const saved = new Map(snapshot.objects.map((item) => [`${item.object.kind} ${keyOf(item.object.metadata)}`, item]));
  const differing = takeSnapshot(seen, live)
    .snapshot.objects.filter(({ object }) => object.kind !== 'Namespace')
    .flatMap((item) => {
      const subject = `${item.object.kind} ${keyOf(item.object.metadata)}`;
      const known = saved.get(subject);
      if (known === undefined) return [`${subject} is not in the backup`];
      return isDeepStrictEqual(known.object, item.object) ? [] : [`${subject} was changed since it was backed up`];
    });
  const absent = live.references
    .filter((one) => one.required && !live.secrets.has(keyOf(one)) && one.referrers.some(({ isOurs }) => isOurs))
    .filter((one) => !isAllowed(allow, 'secret-missing', [keyOf(one), ...one.referrers.map(keyOf)]))
    .filter((one) => !saved.has(`Secret ${keyOf(one)}`))
    .map((one) => `Secret ${keyOf(one)} does not exist yet, and ${becauseOf(one)} needs it`);
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
