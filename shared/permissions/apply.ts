import { ApiError } from '../cluster/api-error.js';
import { type Cluster, isNotFound } from '../cluster/cluster.js';
import { type Kind, type KubeObject, kinds } from '../cluster/objects.js';

/**
 * Applies one object of a manifest, as kubectl would: a Role in a namespace that is not there, or is going, is left out.
 *
 * @returns whether it was applied
 */
export async function applyGrant(cluster: Cluster, object: KubeObject, manager: string): Promise<boolean> {
  try {
    await cluster.apply(kindOf(object), object, { force: true, manager });
    return true;
  } catch (error) {
    const isGoing = error instanceof ApiError && error.status === 403 && /being terminated/.test(error.detail);
    if (isNotFound(error) || isGoing) return false;
    throw error;
  }
}

/** The kind of an object of a manifest. */
export function kindOf({ kind }: KubeObject): Kind {
  const found = Object.values(kinds).find((one: Kind) => one.kind === kind);
  if (found === undefined) throw new Error(`${kind} is no kind of a manifest`);
  return found;
}
