import type { Cluster } from '../../shared/cluster/cluster.js';
import { kinds } from '../../shared/cluster/objects.js';

export const brake = { name: 'mcprt-brake' };

/** The parts of a restore's brake, which is a wipe's lock as well, that a cluster has, by their kinds. */
export async function brakeOf(cluster: Cluster): Promise<string[]> {
  const parts = [kinds.admissionPolicy, kinds.admissionPolicyBinding];
  const found = await Promise.all(parts.map((kind) => cluster.get(kind, brake)));
  return parts.flatMap(({ kind }, at) => (found[at] === undefined ? [] : [kind]));
}
