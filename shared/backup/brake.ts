import { allDone } from '../all-done.js';
import { type Cluster, isConflict, isNotFound, objectOf } from '../cluster/cluster.js';
import { type KubeObject, kinds } from '../cluster/objects.js';
import { McprtError } from '../errors.js';
import { requireNoInstallation, requireNoRollout } from '../facts/installation.js';
import { type LockPlace, lockAnnotations, lockName, plainLock, policyLock, refuseHeld } from '../facts/lock.js';
import { canaryPrefix } from '../facts/observation.js';
import { type Orderer, proveBrake } from './brake-proof.js';

/**
 * Who holds the brake. The brake is also the lock between restores and wipes: creating it is atomic. A run that was killed leaves
 * it, and the next attempt of the same run, or any run after `expires`, takes it over.
 */
export interface Holder {
  run: string;
  expires: Date;
}

/** A brake that is on. */
export interface Brake {
  /** Whether it was found, left by a run that was killed. */
  takenOver: boolean;
  place: LockPlace;
  /** Waits until orders are denied to cert-manager, where the cluster can deny them. @throws as `brake`; the brake stays on */
  prove(certManager: Orderer): Promise<void>;
  isProven(): boolean;
  release(): Promise<void>;
  isReleased(): boolean;
}

/** How a cluster is braked. */
export interface BrakeOptions {
  /** Whether the cluster can deny orders; where it cannot, this is the lock only. */
  canDeny: boolean;
  /** What could order now; where nothing can, the brake is the lock, and is proven when something turns up. */
  orderer?: Orderer;
  /** Ends the wait for the proof; the brake is let go then, as nothing has been written under it. */
  signal: AbortSignal;
  /** Told when the lock is in hand, before the brake is proven. */
  onTaken?: () => void;
}

/**
 * Denies new ACME orders in the whole cluster until released, and proves that it does (`proveBrake`), where it must hold at once. cert-manager's
 * CertificateRequests wait meanwhile and count no failure.
 *
 * @throws McprtError `restore-locked`, `setup-busy`, `rollout-busy`, `brake-ineffective`, ApiError `cluster-forbidden`
 */
export async function brake(
  cluster: Cluster,
  holder: Holder,
  { canDeny, orderer, signal, onTaken }: BrakeOptions,
): Promise<Brake> {
  const place = canDeny ? policyLock : plainLock;
  const takenOver = await take(cluster, holder, place);
  onTaken?.();
  const binding = objectOf(kinds.admissionPolicyBinding, {
    metadata: { name: lockName },
    spec: { policyName: lockName, validationActions: ['Deny'] },
  });
  let proven = false;
  let released = false;
  const prove = async (certManager: Orderer): Promise<void> => {
    if (!canDeny) return;
    await proveBrake(cluster, certManager, signal);
    proven = true;
  };
  const release = async (): Promise<void> => {
    // The binding goes first: while the policy stands, no other run can begin.
    if (canDeny) await cluster.delete(kinds.admissionPolicyBinding, { name: lockName });
    await cluster.delete(place.kind, place.ref);
    released = true;
  };
  try {
    // Looked for with the lock in hand, as they look for it with theirs: of two that begin at once, one sees the other.
    await allDone([
      requireNoInstallation(cluster, holder.run),
      requireNoRollout(cluster),
      ...(canDeny ? [cluster.apply(kinds.admissionPolicyBinding, binding, { force: true })] : []),
    ]);
    if (orderer !== undefined) await prove(orderer);
  } catch (error) {
    // What a killed run has written may still need it.
    if (takenOver) throw withBrakeNote(error, place);
    await release().catch(() => {
      throw withBrakeNote(error, place);
    });
    throw error;
  }
  return { takenOver, place, prove, isProven: () => proven, release, isReleased: () => released };
}

/** An error of a run that ends with the brake on: whoever reads it must know, whatever the error is. */
export function withBrakeNote(error: unknown, place: LockPlace): unknown {
  if (!(error instanceof McprtError)) return error;
  const [still, what] =
    place === policyLock
      ? ['the brake is still on, so that cert-manager orders nothing while this is unfinished', 'the brake']
      : ['the lock is still held, so that nothing else begins while this is unfinished', 'the lock'];
  return new McprtError(error.code, {
    what: error.message,
    why: `${error.why}\n${still}`,
    next: `${error.next}\nrun it again: it takes ${what} over; or release it with ${place.byHand}`,
    cause: error.cause,
  });
}

async function take(cluster: Cluster, holder: Holder, place: LockPlace): Promise<boolean> {
  const { kind, ref } = place;
  const wanted = lockOf(holder, place);
  try {
    await cluster.create(kind, wanted);
    return false;
  } catch (error) {
    if (!isConflict(error)) throw error;
  }
  const found = await cluster.get<KubeObject>(kind, ref);
  if (found === undefined) return take(cluster, holder, place);
  refuseHeld(cluster, place, found, holder.run);
  try {
    // Of two runs that find the same old lock only one takes it over.
    await cluster.patch(kind, ref, [
      { op: 'test', path: '/metadata/resourceVersion', value: found.metadata.resourceVersion },
      { op: 'add', path: '/metadata/annotations', value: wanted.metadata.annotations },
      ...(wanted.spec === undefined ? [] : [{ op: 'add', path: '/spec', value: wanted.spec } as const]),
    ]);
  } catch (error) {
    if (isConflict(error) || isNotFound(error)) return take(cluster, holder, place);
    throw error;
  }
  return true;
}

function lockOf(holder: Holder, { kind, ref }: LockPlace): KubeObject {
  const { run, expires } = lockAnnotations;
  const metadata = { ...ref, annotations: { [run]: holder.run, [expires]: holder.expires.toISOString() } };
  if (kind !== kinds.admissionPolicy) return objectOf(kind, { metadata });
  return objectOf(kind, {
    metadata,
    spec: {
      failurePolicy: 'Fail',
      matchConstraints: {
        resourceRules: [
          { apiGroups: ['acme.cert-manager.io'], apiVersions: ['*'], operations: ['CREATE'], resources: ['orders'] },
          {
            apiGroups: ['cert-manager.io'],
            apiVersions: ['*'],
            operations: ['CREATE'],
            resources: ['certificaterequests'],
          },
        ],
      },
      validations: [
        {
          // Of CertificateRequests, only a canary's is denied: it shows what cert-manager's API server denies.
          expression: `request.resource.resource != 'orders' && !object.metadata.name.startsWith('${canaryPrefix}')`,
          message: 'mcprt is restoring or wiping: no new orders until it has finished',
        },
      ],
    },
  });
}
