/** Names that the platform's installer gives its resources, as far as the stand-in makes them. */
export const namespaces = {
  certManager: 'cert-manager',
  registry: 'registry',
  runtime: 'mcp-runtime',
  sentinel: 'mcp-sentinel',
  servers: 'mcp-servers',
  team: 'mcp-team-acme',
} as const;

export const issuer = 'letsencrypt-prod';
export const privateIssuer = 'mcp-runtime-ca';

export type Layout = 'mono' | 'split';

/** What one installation of the platform is made for. */
export interface Installation {
  domain: string;
  layout: Layout;
  acme: { directory: string; caBundle: string };
  /** Folder with cert-manager's CRDs. */
  crds: string;
}
