import { objectOf } from '../../shared/cluster/cluster.js';
import { type KubeObject, kinds } from '../../shared/cluster/objects.js';
import { ownKubeletLabel } from './lab.js';

/** A node that a kubelet of its own looks after, and not kwok. */
export function nodeObject(name: string, spec: Record<string, unknown> = {}): KubeObject {
  const labels = {
    [ownKubeletLabel]: 'true',
    'kubernetes.io/hostname': name,
    'kubernetes.io/arch': 'amd64',
    'kubernetes.io/os': 'linux',
  };
  return objectOf(kinds.node, { metadata: { name, labels }, spec });
}
