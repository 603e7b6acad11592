import type { Cluster } from '../cluster/cluster.js';
import { inventory } from './inventory.js';
import { observe } from './observe.js';
import { inventoryKeys } from './refusals.js';

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
