import type { Cluster, Ref } from '../cluster/cluster.js';
import { nowOf } from '../cluster/cluster.js';
import { type Kind, type KubeObject, kinds } from '../cluster/objects.js';
import { McprtError } from '../errors.js';
import { momentText } from '../moment.js';

/** An object that is the lock between restores and wipes; its annotations say whose it is. */
export interface LockPlace {
  kind: Kind;
  ref: Ref;
  /** What frees the lock by hand. */
  byHand: string;
}

export const lockName = 'mcprt-brake';
const lockNamespace = 'kube-system';
/** Where a cluster has such policies, the one that keeps cert-manager from ordering is the lock too. */
export const policyLock: LockPlace = {
  kind: kinds.admissionPolicy,
  ref: { name: lockName },
  byHand: `\`kubectl delete validatingadmissionpolicybinding,validatingadmissionpolicy ${lockName}\``,
};
/** Before Kubernetes 1.30 there are none, and a ConfigMap is the lock. */
export const plainLock: LockPlace = {
  kind: kinds.configMap,
  ref: { namespace: lockNamespace, name: lockName },
  byHand: `\`kubectl delete configmap -n ${lockNamespace} ${lockName}\``,
};
export const lockAnnotations = { run: 'mcprt.dev/run', expires: 'mcprt.dev/expires' } as const;

/**
 * Looks whether the lock is free for a run, and takes nothing.
 *
 * @throws McprtError `restore-locked`
 */
export async function requireFree(cluster: Cluster, run: string): Promise<void> {
  for (const { place, object } of await findLocks(cluster)) refuseHeld(cluster, place, object, run);
}

async function findLocks(cluster: Cluster): Promise<{ place: LockPlace; object: KubeObject }[]> {
  const found = [policyLock, plainLock].map(async (place) => {
    const object = await cluster.get<KubeObject>(place.kind, place.ref);
    return object === undefined ? [] : [{ place, object }];
  });
  return (await Promise.all(found)).flat();
}

/** Who holds the lock; `expires` is undefined where that is no time. */
interface Held {
  place: LockPlace;
  run: string;
  expires: Date | undefined;
}

/** Who holds the lock, and until when; undefined when it is free. */
export async function observeLock(cluster: Cluster): Promise<Held | undefined> {
  const [found] = await findLocks(cluster);
  return found && heldBy(found.place, found.object);
}

/** @throws McprtError `restore-locked`, where another run than this one has it */
export function refuseHeld(cluster: Cluster, place: LockPlace, found: KubeObject, run: string): void {
  const { run: other, expires } = heldBy(place, found);
  if (other !== run && expires !== undefined && expires > nowOf(cluster)) {
    const until = momentText(expires, nowOf(cluster));
    throw new McprtError('restore-locked', {
      what: `another restore or wipe is under way: ${other}`,
      why: `${place.kind.kind} ${lockName} is held until ${until}`,
      next: `wait for it to finish. If it was killed, run it again${resuming(other)}, or wait until ${until}; ${place.byHand} frees it by hand`,
    });
  }
}

/** A job that is run again is the same run; a command is another one, unless it says which: its number is longer than GitHub's. */
function resuming(run: string): string {
  const [, id] = /\/(\d{15,})\/[^/]*$/.exec(run) ?? [];
  return id === undefined ? '' : ` with \`--resume ${id}\``;
}

function heldBy(place: LockPlace, { metadata: { annotations } }: KubeObject): Held {
  const expires = new Date(annotations?.[lockAnnotations.expires] ?? '');
  return {
    place,
    run: annotations?.[lockAnnotations.run] ?? 'an unknown run',
    expires: Number.isNaN(expires.getTime()) ? undefined : expires,
  };
}
