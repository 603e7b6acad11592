import { annotation } from '../certificates/model.js';
import { ApiError } from '../cluster/api-error.js';
import type { Cluster } from '../cluster/cluster.js';
import { type KubeObject, keyOf, kinds } from '../cluster/objects.js';
import { isCanary } from '../facts/observation.js';
import { atMost, pause } from '../pause.js';

/** An ACME Order. */
export interface Issuance {
  /** `namespace/name (uid)`: one of the same name that was made since is another one. */
  name: string;
  /** `namespace/name` of the Certificate that it is for; undefined where it does not say. */
  certificate: string | undefined;
}

/** Orders that are made from a moment on. */
export interface OrderLog {
  /** All of them so far, with those that are gone by now: what was ordered was ordered. */
  appeared(): Promise<Issuance[]>;
  close(): Promise<void>;
}

/** Before a watch that has ended is begun again, how long one is trusted that says nothing, and how long its end may take, in ms. */
const rewatch = 1_000;
const watchAtMost = 60_000;
const closeWithin = 1_000;

/**
 * Notes each ACME Order that is made from now on. A look before and one after would miss those that were taken away between: an Order
 * goes with the CertificateRequest that it is for, also with one that is called off.
 *
 * @returns once those that are there are known
 */
export async function followOrders(cluster: Cluster, signal: AbortSignal): Promise<OrderLog> {
  const closed = new AbortController();
  const ends = AbortSignal.any([signal, closed.signal]);
  const { items, resourceVersion: first } = await cluster.list(kinds.order);
  const before = new Set(items.map(({ metadata }) => metadata.uid));
  const found = new Map<string, Issuance>();
  const note = (order: KubeObject): void => {
    if (before.has(order.metadata.uid) || isCanary(order)) return;
    const one = issuanceOf(order);
    found.set(one.name, one);
  };
  const look = async (): Promise<string> => {
    const { items, resourceVersion } = await cluster.list(kinds.order);
    items.forEach(note);
    return resourceVersion;
  };
  const follow = async (): Promise<void> => {
    let resourceVersion = first;
    while (!ends.aborted) {
      try {
        const watching = AbortSignal.any([ends, AbortSignal.timeout(watchAtMost)]);
        for await (const { object } of cluster.watch(kinds.order, { resourceVersion, signal: watching })) {
          note(object);
          resourceVersion = object.metadata.resourceVersion ?? resourceVersion;
        }
      } catch (error) {
        const status = error instanceof ApiError ? error.status : undefined;
        // Where only looks are allowed, the one at the end has to do.
        if (status === 403) return;
        // What is too old is never told again. After anything else the watch goes on where it was, and misses nothing.
        if (status === 410) resourceVersion = await look().catch(() => resourceVersion);
      }
      await pause(rewatch, ends).catch(() => undefined);
    }
  };
  const following = follow();
  return {
    async appeared() {
      await look();
      return [...found.values()];
    },
    async close() {
      closed.abort();
      // A look at an API server that does not answer may go on; nobody waits for that.
      await atMost(closeWithin, following);
    },
  };
}

/** cert-manager copies the annotations of a request to the Order that it makes for it. */
function issuanceOf({ metadata }: KubeObject): Issuance {
  const certificate = metadata.annotations?.[annotation.certificateName];
  return {
    name: `${keyOf(metadata)} (${metadata.uid})`,
    certificate: certificate === undefined ? undefined : keyOf({ ...metadata, name: certificate }),
  };
}
