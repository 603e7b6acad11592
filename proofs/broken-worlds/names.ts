import type { Ref } from '../../shared/cluster/cluster.js';

/** Objects of the installed platform that several cases are about. */
export const hosts = {
  registry: 'registry.example.com',
  mcp: 'mcp.example.com',
  platform: 'platform.example.com',
} as const;

export const issuer = 'letsencrypt-prod';
export const privateIssuer = 'mcp-runtime-ca';

export const refs = {
  coredns: { namespace: 'kube-system', name: 'coredns' },
  traefik: { namespace: 'kube-system', name: 'traefik' },
  controller: { namespace: 'cert-manager', name: 'cert-manager' },
  webhook: { namespace: 'cert-manager', name: 'cert-manager-webhook' },
  cainjector: { namespace: 'cert-manager', name: 'cert-manager-cainjector' },
  registryTls: { namespace: 'registry', name: 'registry-tls' },
  platformTls: { namespace: 'mcp-sentinel', name: 'mcp-sentinel-platform-tls' },
  config: { namespace: 'mcp-sentinel', name: 'mcp-sentinel-config' },
  secrets: { namespace: 'mcp-sentinel', name: 'mcp-sentinel-secrets' },
  ui: { namespace: 'mcp-sentinel', name: 'mcp-sentinel-ui' },
} as const satisfies Record<string, Ref>;
