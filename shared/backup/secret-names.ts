import type { Cluster } from '../cluster/cluster.js';
import { inventoryKeys } from '../facts/anchor.js';
import { inventory } from '../facts/inventory.js';
import { observe } from '../facts/observation.js';

/**
 * The names of all Secrets that a cluster refers to now, or has backed up before: what its accounts must be able to read.
 * No Secret is read for it.
 */
export async function secretNamesOf(cluster: Cluster): Promise<string[]> {
  const seen = await observe(cluster);
  const referred = [
    ...inventory(seen).map(({ name }) => name),
    ...seen.certificates.map(({ spec }) => spec.secretName),
    ...inventoryKeys(seen.anchor).map((key) => key.split('/')[1] ?? ''),
  ];
  return [...new Set(referred)].filter((name) => name !== '').sort();
}
