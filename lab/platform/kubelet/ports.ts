import type { Cluster } from '../../../shared/cluster/cluster.js';
import type { KubeObject } from '../../../shared/cluster/objects.js';
import type { NodeRegistry, PulledImage } from './pull.js';

/** How a node ends a pod, in a kubelet's words. */
export interface Ending {
  reason: string;
  message: string;
  /** How long the pod runs before, in ms; undefined for one that is turned away at once. */
  after?: number;
  /** `Failed` when left out. */
  phase?: 'Failed' | 'Succeeded';
}

export interface PodPorts {
  cluster: Cluster;
  node: string;
  registries: ReadonlyMap<string, NodeRegistry>;
  /** The node's images, by reference: one that is there is not pulled again unless the pod says so. */
  images: Map<string, PulledImage>;
  /** How the node is going to end a pod, if it is. */
  ending(pod: KubeObject): Ending | undefined;
  remove(pod: KubeObject): Promise<void>;
}
