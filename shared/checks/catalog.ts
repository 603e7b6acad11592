/**
 * Every finding's code, root causes before what they bring about: of several findings the first in this order is the
 * likeliest cause of the rest. Each code has an entry in docs/troubleshooting.md.
 */
export const findingCodes = [
  // access
  'permission-missing',
  // what k3s itself runs
  'kube-system-wiped',
  'helmchart-crd-missing',
  'node-not-ready',
  'node-unschedulable',
  'node-architecture-mixed',
  'node-architecture',
  'coredns-down',
  'traefik-down',
  'svclb-missing',
  'ingress-class-missing',
  'storage-class-missing',
  // what stands in the way of any write
  'apiservice-unavailable',
  'namespace-held',
  'namespace-terminating',
  'admission-webhook-orphaned',
  // the way from outside
  'dns-missing',
  'dns-elsewhere',
  'port-80-closed',
  'port-80-foreign',
  'port-443-closed',
  // cert-manager
  'certmanager-gone',
  'certmanager-missing',
  'certmanager-unready',
  'certmanager-webhook-down',
  'certmanager-old',
  'issuer-missing',
  'issuer-not-ready',
  'issuer-staging',
  // issuance
  'brake-left',
  'certificate-stale-owner',
  'certificate-names',
  'certificate-missing',
  'rate-limited',
  'budget-exhausted',
  'challenge-dns',
  'challenge-network-policy',
  'challenge-port-80',
  'challenge-redirect',
  'challenge-wrong-answer',
  'challenge-pending',
  'order-failed',
  'certificate-backoff',
  'certificate-expired',
  'certificate-expiring',
  'certificate-not-ready',
  'renewal-blocked',
  // the installer
  'installer-registry-mode',
  'installer-image-platform',
  'installer-both-issuers',
  'installer-configuration',
  'installer-root',
  'installer-step',
  // the platform
  'platform-missing',
  'registry-auth-open',
  'registry-endpoint-address',
  'registry-pusher-left',
  'traefik-watch',
  'pull-secret-missing',
  'pull-secret-stale',
  'volume-pending',
  'image-architecture',
  'image-pull',
  'pod-crash-loop',
  'pod-unschedulable',
  'workload-quota',
  'workload-not-ready',
  // seen from outside
  'tls-default-certificate',
  'tls-other-certificate',
  'tls-untrusted',
  'doctor',
] as const;

export type FindingCode = (typeof findingCodes)[number];
