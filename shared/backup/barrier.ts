import { allDone } from '../all-done.js';
import { label } from '../certificates/model.js';
import { type Cluster, objectOf } from '../cluster/cluster.js';
import { type Condition, type KubeObject, kinds } from '../cluster/objects.js';
import { McprtError } from '../errors.js';
import { pause } from '../pause.js';
import { newCanary, sweepCanaries } from './canary.js';

/** In ms. */
const deadline = 60_000;
const rewatch = 200;

/**
 * Waits until cert-manager's controllers have seen every Secret that was written before: a created object is not yet
 * in a controller's cache when the API server has answered.
 *
 * A canary Secret of the same class is written last, with a Certificate that points at it. The Secrets of a class reach
 * the controllers over one watch, in the order in which they were written; so once the canary Certificate is found not
 * Ready for what is *in* its Secret, all others have arrived. Its issuer does not exist: nothing can be ordered.
 *
 * @param signal ends the wait at once
 * @returns what takes the canary away, which need not be waited for before anything but the end
 * @throws McprtError `barrier-timeout`; the signal's reason
 */
export async function barrier(cluster: Cluster, namespace: string, signal: AbortSignal): Promise<() => Promise<void>> {
  const certificate = newCanary(namespace);
  const ref = { name: certificate.metadata.name, namespace };
  const clear = (): Promise<void> => sweepCanaries(cluster, namespace);
  const secret = objectOf(kinds.secret, {
    metadata: { ...ref, labels: { [label.partOfCertManager]: 'true' } },
    type: 'Opaque',
    data: { canary: 'eA==' },
  });
  try {
    // Which of the two comes first does not matter: what is waited for takes both.
    const [{ metadata }] = await allDone([
      cluster.create(kinds.certificate, certificate),
      cluster.create(kinds.secret, secret),
    ]);
    await untilSeen(cluster, ref, metadata.resourceVersion ?? '', signal);
    return clear;
  } catch (error) {
    // Why it ends says more than that the canary could not be taken away, which the next run does.
    await clear().catch(() => undefined);
    throw error;
  }
}

async function untilSeen(
  cluster: Cluster,
  ref: { name: string; namespace: string },
  resourceVersion: string,
  signal: AbortSignal,
): Promise<void> {
  const either = AbortSignal.any([signal, AbortSignal.timeout(deadline)]);
  const fieldSelector = `metadata.name=${ref.name}`;
  const options = { namespace: ref.namespace, fieldSelector, resourceVersion, signal: either };
  // A server may close a watch at any time: it is opened again at the same version, and nothing is missed.
  for (; !either.aborted; await pause(rewatch, either).catch(() => undefined)) {
    for await (const { object } of cluster.watch<WithConditions>(kinds.certificate, options)) {
      const ready = object.status?.conditions?.find(({ type }) => type === 'Ready');
      // cert-manager's check of data runs only on a Secret that it has; without it the reason is DoesNotExist.
      if (ready?.reason === 'MissingData') return;
    }
  }
  signal.throwIfAborted();
  throw new McprtError('barrier-timeout', {
    what: 'cert-manager did not notice the restored Secrets',
    why: `its canary Certificate ${ref.namespace}/${ref.name} was not looked at within ${deadline / 1000} s: the controller hangs, or its pod is only said to run`,
    next: 'see `kubectl logs -n cert-manager deploy/cert-manager`; then run the restore again: what is written stays, and no order was made',
  });
}

type WithConditions = KubeObject & { status?: { conditions?: Condition[] } };
