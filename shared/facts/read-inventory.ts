import { annotation } from '../certificates/model.js';
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
 * server is back before the team is.
 */
export async function readInventory(cluster: Cluster, seen: Observation, isOurs?: IsOurs): Promise<LiveInventory> {
  const referred = inventory(seen, isOurs);
  const candidates = heldBefore(seen, referred);
  const [secrets, config] = await Promise.all([
    readSecrets(cluster, [...referred, ...candidates]),
    cluster.get<KubeObject>(kinds.configMap, platformConfig),
  ]);
  const held = candidates.filter((one) => {
    const isCertificate = secrets.get(keyOf(one))?.metadata.annotations?.[annotation.certificateName] !== undefined;
    if (!isCertificate) secrets.delete(keyOf(one));
    return isCertificate;
  });
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
