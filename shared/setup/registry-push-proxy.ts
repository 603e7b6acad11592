import type { Cluster } from '../cluster/cluster.js';
import { type KubeObject, kinds } from '../cluster/objects.js';
import { setting } from '../cluster/patches.js';
import { registryAuth } from '../platform/registry-auth.js';
import { platformNamespaces } from '../platform/resources.js';

/** What was found and put right at the public registry. */
export interface DoorState {
  /** Whether the registry asked for no password. */
  wasOpen: boolean;
  /** Pods that an installer had left with which it pushed images. */
  pushersRemoved: string[];
}

const { namespace, name, annotation, value } = registryAuth;

/**
 * Closes what an installer that was stopped leaves open: puts registry authentication back, and removes the pods that
 * push images. Changes nothing where all is well, or where there is no registry.
 */
export async function closeRegistry(cluster: Cluster): Promise<DoorState> {
  // One after the other: credentials that may not list pods close the registry all the same.
  const ingress = await cluster.get<KubeObject>(kinds.ingress, { namespace, name });
  const wasOpen = ingress !== undefined && ingress.metadata.annotations?.[annotation] === undefined;
  if (wasOpen) {
    await cluster.patch(kinds.ingress, { namespace, name }, setting(ingress, 'annotations', annotation, value));
  }
  const pods = await cluster.list(kinds.pod, { namespace: platformNamespaces.registry });
  const pushers = pods.items.filter(({ metadata }) => metadata.name.startsWith('registry-pusher-'));
  await Promise.all(
    pushers.map(({ metadata }) =>
      cluster.delete(kinds.pod, { namespace: platformNamespaces.registry, name: metadata.name }),
    ),
  );
  return { wasOpen, pushersRemoved: pushers.map(({ metadata }) => metadata.name) };
}
