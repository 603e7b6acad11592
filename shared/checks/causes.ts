import type { FindingCode } from './catalog.js';
import { blocking, type Finding } from './finding.js';

/** What each brings about by itself, where that is known for sure; what follows from the consequences follows too. */
const bringsAbout: Partial<Record<FindingCode, readonly FindingCode[]>> = {
  'kube-system-wiped': [
    'helmchart-crd-missing',
    'coredns-down',
    'traefik-down',
    'svclb-missing',
    'ingress-class-missing',
    'storage-class-missing',
  ],
  'node-not-ready': ['coredns-down', 'traefik-down', 'certmanager-unready', 'pod-unschedulable', 'workload-not-ready'],
  'node-unschedulable': [
    'coredns-down',
    'traefik-down',
    'certmanager-unready',
    'pod-unschedulable',
    'workload-not-ready',
  ],
  'node-architecture': ['installer-image-platform', 'image-architecture'],
  'coredns-down': ['challenge-dns', 'issuer-not-ready'],
  'traefik-down': ['port-80-closed', 'port-443-closed', 'endpoint-failing'],
  'svclb-missing': ['port-80-closed', 'port-443-closed', 'endpoint-failing'],
  'storage-class-missing': ['volume-pending'],
  'volume-pending': ['pod-unschedulable', 'workload-not-ready'],
  'apiservice-unavailable': ['namespace-held', 'namespace-terminating'],
  'dns-missing': ['challenge-dns', 'endpoint-failing'],
  'dns-elsewhere': ['port-80-foreign', 'challenge-wrong-answer', 'tls-other-certificate'],
  'port-80-closed': ['challenge-port-80'],
  'port-80-foreign': ['challenge-wrong-answer'],
  'port-443-closed': ['endpoint-failing'],
  'certmanager-missing': ['issuer-missing', 'certificate-missing'],
  'certmanager-gone': ['issuer-not-ready', 'certificate-not-ready', 'certificate-expired'],
  'certmanager-unready': ['certmanager-webhook-down', 'issuer-not-ready', 'certificate-not-ready'],
  'issuer-missing': ['certificate-not-ready'],
  'issuer-not-ready': ['certificate-not-ready'],
  'brake-left': ['certificate-not-ready', 'renewal-blocked'],
  'rate-limited': ['order-failed', 'certificate-not-ready'],
  'challenge-dns': ['order-failed', 'certificate-not-ready'],
  'challenge-network-policy': ['order-failed', 'certificate-not-ready'],
  'challenge-port-80': ['order-failed', 'certificate-not-ready'],
  'challenge-redirect': ['order-failed', 'certificate-not-ready'],
  'challenge-wrong-answer': ['order-failed', 'certificate-not-ready'],
  'challenge-pending': ['certificate-not-ready'],
  'order-failed': ['certificate-backoff', 'certificate-not-ready'],
  'certificate-backoff': ['certificate-not-ready'],
  'certificate-not-ready': ['tls-default-certificate'],
  'certificate-expired': ['tls-untrusted'],
  'certificate-stale-owner': ['installer-step'],
  'platform-missing': ['endpoint-failing', 'tls-default-certificate'],
  'registry-endpoint-address': ['image-pull'],
  'passwords-missing': ['pod-config', 'workload-not-ready', 'endpoint-failing'],
  'pull-secret-missing': ['image-pull'],
  'pull-secret-stale': ['image-pull'],
  'workload-quota': ['workload-not-ready'],
  'pod-crash-loop': ['endpoint-failing'],
  'image-pull': ['endpoint-failing'],
  'workload-not-ready': ['endpoint-failing'],
};

/**
 * The errors that the first one is known to bring about, and nothing else that was found. That something else comes first says
 * nothing: a wiped kube-system takes no DNS record away, and without an issuer nobody asks at port 80.
 */
export function consequencesOfFirst(findings: readonly Finding[]): Finding[] {
  const [first, ...others] = blocking(findings);
  if (first === undefined) return [];
  const following = effectsOf(first.code);
  const apart = others.filter(({ code }) => !following.has(code)).map(({ code }) => effectsOf(code));
  return others.filter(({ code }) => following.has(code) && !apart.some((effects) => effects.has(code)));
}

function effectsOf(code: FindingCode): ReadonlySet<FindingCode> {
  const known = new Set<FindingCode>();
  const due = [code];
  for (let next = due.pop(); next !== undefined; next = due.pop()) {
    for (const effect of bringsAbout[next] ?? []) {
      if (known.has(effect)) continue;
      known.add(effect);
      due.push(effect);
    }
  }
  return known;
}

/** That table, for the test that holds it to the catalog's order. */
export const knownEffects: readonly (readonly [FindingCode, FindingCode])[] = (
  Object.keys(bringsAbout) as FindingCode[]
).flatMap((cause) => (bringsAbout[cause] ?? []).map((effect) => [cause, effect] as const));
