/** Names of MCP Runtime's resources, as its installer gives them; both layouts. */
export const platformNamespaces = {
  runtime: 'mcp-runtime',
  sentinel: 'mcp-sentinel',
  registry: 'registry',
  servers: 'mcp-servers',
} as const;

export const platformConfig = { namespace: platformNamespaces.sentinel, name: 'mcp-sentinel-config' } as const;

/**
 * Keys of mcp-sentinel-config that a new installation would have to be told again: those that the installer reads back
 * from the cluster where nobody says them (its function that renders this ConfigMap, `renderAnalyticsConfigManifest`).
 * MCP_SENTINEL_INGEST_URL is read back too, and never empty in its manifest, so that the live value never counts. All
 * others go with the version of the code that reads them (API_BASE, KAFKA_*, CLICKHOUSE_*, …): carried to another version
 * they break it.
 */
export const portableConfigKeys = [
  'GOOGLE_CLIENT_ID',
  'OIDC_ISSUER',
  'OIDC_AUDIENCE',
  'OIDC_JWKS_URL',
  'MCP_PLATFORM_DOMAIN',
  'MCP_MCP_INGRESS_HOST',
  'MCP_REGISTRY_ENDPOINT',
  'MCP_REGISTRY_INGRESS_HOST',
  'PLATFORM_REGISTRY_URL',
  'PLATFORM_TRAEFIK_NAMESPACE',
  'PLATFORM_TEAM_TRAEFIK_WATCH',
  'PLATFORM_MODE',
  'OAUTH_ISSUER_URL',
  'OAUTH_ALLOWED_REDIRECT_URI_SCHEMES',
  'OAUTH_INTERNAL_ISSUER_URL',
  'MCP_MTLS_CLUSTER_ISSUER',
  'MCP_TRUST_DOMAIN',
] as const;

/** Holds what the installer would otherwise make at random: passwords that databases know, and keys that users have. */
export const passwordsSecret = { namespace: platformNamespaces.sentinel, name: 'mcp-sentinel-secrets' } as const;

/** Secrets of the platform. */
export const platformSecrets = [
  { ...passwordsSecret, required: true },
  { namespace: platformNamespaces.sentinel, name: 'mcp-sentinel-user-api-keys', required: false },
  { namespace: platformNamespaces.runtime, name: 'mcp-runtime-registry-pull-creds', required: false },
] as const;

/** The pull Secret that is in every namespace with workloads of the platform. */
export const pullSecretName = 'mcp-runtime-registry-pull';

/** Names of the Secrets that an installation of the platform has or may have: its own, and those of its certificates and issuers. */
export const platformSecretNames: readonly string[] = [
  ...platformSecrets.map(({ name }) => name),
  pullSecretName,
  'registry-tls',
  'registry-internal-tls',
  'mcp-sentinel-platform-tls',
  'mcp-runtime-ca',
  'letsencrypt-prod-account-key',
  'letsencrypt-staging-account-key',
];

/** Labels by which the platform marks the namespaces that it manages. */
export const managedLabels: readonly (readonly [string, string])[] = [
  ['platform.mcpruntime.org/managed', 'true'],
  ['app.kubernetes.io/managed-by', 'mcp-runtime'],
];

/** Whether an object carries one of the labels by which the platform marks what it manages. */
export function isManaged(metadata: { labels?: Record<string, string> }): boolean {
  return managedLabels.some(([name, value]) => metadata.labels?.[name] === value);
}

/** Whether a namespace is the cluster's own: it is there before anything is restored, or made by whoever it belongs to. */
export function isClustersOwn(namespace: string): boolean {
  return namespace === 'default' || namespace.startsWith('kube-');
}

/** Names of the namespaces that the platform marks as its own. */
export function managedNamespaces(
  namespaces: Iterable<{ metadata: { name: string; labels?: Record<string, string> } }>,
): Set<string> {
  return new Set([...namespaces].filter(({ metadata }) => isManaged(metadata)).map(({ metadata }) => metadata.name));
}

/** How the namespace of a team is called: this, then the team's slug. */
const teamPrefix = 'mcp-team-';

/** The NetworkPolicy that the platform makes in each team's namespace. */
export const teamPolicyName = 'platform-default-deny';

/** Whether a namespace is one of a team's, by its name. */
export function isTeamNamespace(name: string): boolean {
  return name.startsWith(teamPrefix);
}

/** Namespaces of the catalogs that exist in some platform modes only. */
const catalogNamespaces = ['mcp-servers-org', 'mcp-servers-public'];

/** Whether a namespace is one of MCP Runtime's by its name alone. */
export function isPlatformNamespace(name: string): boolean {
  return [...Object.values(platformNamespaces), ...catalogNamespaces].includes(name) || isTeamNamespace(name);
}

/**
 * Names of the ClusterRoles that the installer and the platform's API make; bindings have the same names, or one of these.
 * None carries a label of the platform. The `shared` names are common: other programs of the cluster may have made roles of these names.
 */
export const platformClusterRoles = {
  own: [
    'mcp-runtime-operator-role',
    'mcp-runtime-operator-rolebinding',
    'mcp-runtime-api',
    'mcp-runtime-api-team-secrets',
    'mcp-sentinel-gateway-ingressclass',
    'mcp-sentinel-prometheus-discovery',
    // Only a binding, of a group to ClusterRole mcp-runtime-api.
    'mcp-sentinel-platform-admin',
    // Where teams have their Traefik's rights by namespace.
    'mcp-runtime-traefik-watch',
  ],
  shared: ['promtail', 'traefik-ingressclass'],
} as const;

/** Names of the operator's webhook configurations; without the prefix other operators have the same names. */
export const platformWebhooks = {
  own: ['mcp-runtime-mutating-webhook-configuration', 'mcp-runtime-validating-webhook-configuration'],
  shared: ['mutating-webhook-configuration', 'validating-webhook-configuration'],
} as const;

export type Layout = 'mono' | 'split' | 'unknown';

/** The layout that a set of Deployments of mcp-sentinel shows: `split` has three APIs, `mono` has one. */
export function layoutOf(deploymentNames: readonly string[]): Layout {
  if (deploymentNames.includes('mcp-platform-api')) return 'split';
  return deploymentNames.includes('mcp-sentinel-api') ? 'mono' : 'unknown';
}
