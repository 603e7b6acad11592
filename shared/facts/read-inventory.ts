import { annotation, keystoreKeys } from '../certificates/model.js';
import type { Cluster } from '../cluster/cluster.js';
import { type KubeObject, keyOf, kinds } from '../cluster/objects.js';
import { platformConfig } from '../platform/resources.js';
import { inventoryKeys } from './anchor.js';
import { inventory } from './inventory.js';
import type { IsOurs } from './namespaces.js';
import type { Observation } from './observation.js';
import type { Reference } from './roles.js';
import { type LiveSecret, readSecrets } from './secrets.js';

/** What of a cluster belongs into a backup, as it was read. */
export interface LiveInventory {
  references: readonly Reference[];
  /** By `namespace/name`. */
  secrets: ReadonlyMap<string, LiveSecret>;
  /** The platform's ConfigMap. */
  config: KubeObject | undefined;
}

/**
 * Follows the references of an observation and reads what they point at, all at once. What the backup before held stays in
 * the inventory as long as its certificate lies there, although nothing refers to it: after a wipe the Secret of a team's
 * server is back before the team is, and so is the password of its keystore.
 */
export async function readInventory(cluster: Cluster, seen: Observation, isOurs?: IsOurs): Promise<LiveInventory> {
  const referred = inventory(seen, isOurs);
  const candidates = heldBefore(seen, referred);
  const [secrets, config] = await Promise.all([
    readSecrets(cluster, [...referred, ...candidates]),
    cluster.get<KubeObject>(kinds.configMap, platformConfig),
  ]);
  const isCertificate = (one: Reference): boolean =>
    secrets.get(keyOf(one))?.metadata.annotations?.[annotation.certificateName] !== undefined;
  const hasKeystore = (one: Reference): boolean =>
    keystoreKeys.some((key) => secrets.get(keyOf(one))?.data?.[key] !== undefined);
  const certificates = candidates.filter(isCertificate);
  const locked = new Set(certificates.filter(hasKeystore).map(({ namespace }) => namespace));
  const passwords = candidates
    .filter((one) => locked.has(one.namespace) && secrets.has(keyOf(one)) && !isCertificate(one))
    .map((one): Reference => ({ ...one, roles: ['keystore-password'] }));
  const held = [...certificates, ...passwords];
  const kept = new Set(held.map(keyOf));
  for (const one of candidates) if (!kept.has(keyOf(one))) secrets.delete(keyOf(one));
  return { references: [...referred, ...held], secrets, config };
}

function heldBefore({ anchor }: Observation, referred: readonly Reference[]): Reference[] {
  const known = new Set(referred.map(keyOf));
  const referrers = [{ kind: 'the backup before', namespace: '', name: '', isOurs: false }];
  return inventoryKeys(anchor).flatMap((key): Reference[] => {
    const [namespace = '', name = ''] = key.split('/');
    if (name === '' || known.has(`${namespace}/${name}`)) return [];
    return [{ roles: ['tls'], namespace, name, referrers, required: false }];
  });
}
