import type { Cluster } from '../cluster/cluster.js';
import { nowOf } from '../cluster/cluster.js';
import { type KubeObject, kinds } from '../cluster/objects.js';
import { McprtError } from '../errors.js';

/** The lock between restores and wipes is the policy that keeps cert-manager from ordering; its annotations say whose it is. */
export const lockName = 'mcprt-brake';
export const lockAnnotations = { run: 'mcprt.dev/run', expires: 'mcprt.dev/expires' } as const;

/**
 * Looks whether the lock is free for a run, and takes nothing.
 *
 * @throws McprtError `restore-locked`
 */
export async function requireFree(cluster: Cluster, run: string): Promise<void> {
  const found = await cluster.get<KubeObject>(kinds.admissionPolicy, { name: lockName });
  if (found !== undefined) refuseHeld(cluster, found, run);
}

/** Who holds the lock; `expires` is undefined where that is no time. */
interface Held {
  run: string;
  expires: Date | undefined;
}

/** Who holds the brake, and until when; undefined when it is off, or where there is no such policy. */
export async function observeLock(cluster: Cluster): Promise<Held | undefined> {
  const found = await cluster.get<KubeObject>(kinds.admissionPolicy, { name: lockName });
  return found && heldBy(found);
}

/** @throws McprtError `restore-locked`, where another run than this one has it */
export function refuseHeld(cluster: Cluster, found: KubeObject, run: string): void {
  const { run: other, expires } = heldBy(found);
  if (other !== run && expires !== undefined && expires > nowOf(cluster)) {
    throw new McprtError('restore-locked', {
      what: `another restore or wipe is under way: ${other}`,
      why: `ValidatingAdmissionPolicy ${lockName} is held until ${expires.toISOString()}`,
      next: `wait for it to finish. If it was killed, run it again, or wait until then; \`kubectl delete validatingadmissionpolicybinding,validatingadmissionpolicy ${lockName}\` frees it by hand`,
    });
  }
}

function heldBy({ metadata: { annotations } }: KubeObject): Held {
  const expires = new Date(annotations?.[lockAnnotations.expires] ?? '');
  return {
    run: annotations?.[lockAnnotations.run] ?? 'an unknown run',
    expires: Number.isNaN(expires.getTime()) ? undefined : expires,
  };
}
