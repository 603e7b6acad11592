import { annotation } from '../certificates/model.js';
import type { Cluster } from '../cluster/cluster.js';
import { type KubeObject, keyOf, kinds } from '../cluster/objects.js';
import { isCanary } from '../facts/observation.js';

/** An ACME Order or a CertificateRequest. */
export interface Issuance {
  /** `namespace/name (uid)`: one of the same name that was made since is another one. */
  name: string;
  /** `namespace/name` of the Certificate that it is for; undefined where it does not say. */
  certificate: string | undefined;
}

export interface Issuances {
  orders: Issuance[];
  requests: Issuance[];
}

/** ACME Orders and CertificateRequests as they are now: what is new later was issued meanwhile. */
export async function issuances(cluster: Cluster): Promise<Issuances> {
  const [orders, requests] = await Promise.all([cluster.list(kinds.order), cluster.list(kinds.certificateRequest)]);
  const all = (items: KubeObject[]): Issuance[] => items.filter((one) => !isCanary(one)).map(issuanceOf);
  return { orders: all(orders.items), requests: all(requests.items) };
}

/** What was not there before. */
export function newSince(before: Issuances, now: Issuances): Issuances {
  const fresh = (old: Issuance[], all: Issuance[]): Issuance[] => {
    const names = new Set(old.map(({ name }) => name));
    return all.filter(({ name }) => !names.has(name));
  };
  return { orders: fresh(before.orders, now.orders), requests: fresh(before.requests, now.requests) };
}

/** cert-manager copies the annotations of a request to the Order that it makes for it. */
function issuanceOf({ metadata }: KubeObject): Issuance {
  const certificate = metadata.annotations?.[annotation.certificateName];
  return {
    name: `${keyOf(metadata)} (${metadata.uid})`,
    certificate: certificate === undefined ? undefined : keyOf({ ...metadata, name: certificate }),
  };
}
