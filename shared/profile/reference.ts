/** What a run is for; what a profile must say depends on it. */
export type Stage = 'setup' | 'rollout' | 'backup' | 'smoke-test';

/** The form of a value. An array lists the only values that the platform takes. */
export type Kind =
  | 'text'
  | 'path'
  | 'url'
  | 'domain'
  | 'host'
  | 'endpoint'
  | 'email'
  | 'duration'
  | 'count'
  | 'port'
  | 'platform'
  | 'switch'
  | 'secret'
  | readonly string[];

/** What is known of one variable. Facts: the platform's runbook and its setup command. */
export interface VariableRule {
  readonly name: string;
  readonly kind: Kind;
  readonly purpose: string;
  /** What counts when the variable is unset or empty. */
  readonly default?: string;
  /** Other names for it. The first one with a value counts, `name` before all of them. */
  readonly aliases?: readonly string[];
  /** The label before the domain that is the default of this host. */
  readonly derivedLabel?: 'registry' | 'mcp' | 'platform';
  readonly requiredFor?: readonly Stage[];
  /** The variable that, when set, makes this one dispensable. */
  readonly unless?: string;
  /** Without it the stage runs, but often not as meant. */
  readonly recommendedFor?: readonly Stage[];
}

function variable(
  name: string,
  kind: Kind,
  purpose: string,
  more: Omit<VariableRule, 'name' | 'kind' | 'purpose'> = {},
): VariableRule {
  return { name, kind, purpose, ...more };
}

const EVERY_STAGE: readonly Stage[] = ['setup', 'rollout', 'backup', 'smoke-test'];

const CLUSTER: readonly VariableRule[] = [
  variable('KUBECONFIG', 'path', 'Kubeconfig of the cluster.'),
  variable('MCP_SETUP_KUBECONFIG', 'path', 'Kubeconfig of the cluster; it wins over KUBECONFIG.'),
  variable('MCP_KUBE_CONTEXT', 'text', 'Context that setup makes the current one of the kubeconfig.'),
  variable('MCP_CLUSTER_NAME', 'text', 'Name of the cluster in analytics events.', { default: 'local' }),
  variable('MCP_DEPLOY_ENV', 'path', 'Path of the profile. Works in the environment, not in the profile.'),
];

const NAMES: readonly VariableRule[] = [
  variable('MCP_PLATFORM_DOMAIN', 'domain', 'Domain of the platform; the hosts are derived from it.', {
    requiredFor: EVERY_STAGE,
  }),
  variable('MCP_PLATFORM_INGRESS_HOST', 'host', 'Public host of the dashboard and the API.', {
    derivedLabel: 'platform',
  }),
  variable('MCP_REGISTRY_INGRESS_HOST', 'host', 'Public host of the image registry.', { derivedLabel: 'registry' }),
  variable('MCP_MCP_INGRESS_HOST', 'host', 'Public host of the MCP servers.', { derivedLabel: 'mcp' }),
  variable(
    'MCP_REGISTRY_ENDPOINT',
    'endpoint',
    'Host from which the nodes pull images. The registry’s public host when unset.',
  ),
  variable('MCP_REGISTRY_HOST', 'endpoint', 'Older name of the pull host. Leave it unset.'),
  variable('MCP_REGISTRY_PULL_HOST', 'endpoint', 'Pull host in the requests that deploy servers.'),
  variable('MCP_REGISTRY_INTERNAL', 'endpoint', 'Address of the registry Service for a rollout.'),
  variable('PLATFORM_REGISTRY_URL', 'text', 'Registry address that the dashboard shows.'),
];

const IMAGES: readonly VariableRule[] = [
  variable(
    'MCP_IMAGE_PLATFORM',
    'platform',
    'Operating system and processor of the nodes, for the images of the platform.',
    { recommendedFor: ['setup', 'rollout'] },
  ),
  variable('MCP_DOCKER_PLATFORM', 'platform', 'The same for the images of MCP servers.', { default: 'linux/amd64' }),
  variable('MCP_OPERATOR_IMAGE', 'text', 'Operator image to use instead of building it.'),
  variable('MCP_GATEWAY_PROXY_IMAGE', 'text', 'Gateway image to use instead of building it.'),
  variable('MCP_RUNTIME_REGISTRY_IMAGE_OVERRIDE', 'text', 'Image of the bundled registry.'),
  variable('MCP_SKOPEO_IMAGE', 'text', 'Image of the pod that copies images.', {
    default: 'quay.io/skopeo/stable:v1.14',
  }),
  variable('MCP_ROLLOUT_TAG', 'text', 'Tag of the images of a rollout; made from the time when unset.'),
  variable('MCP_PARALLEL_BUILDS', 'switch', 'Build the images side by side.', { default: '0' }),
];

const REGISTRY: readonly VariableRule[] = [
  variable(
    'MCP_SETUP_REGISTRY_MODE',
    ['auto', 'bundled-http', 'bundled-https', 'external'],
    'Whose registry is used, and how the nodes reach it.',
    { default: 'bundled-https', aliases: ['MCP_REGISTRY_MODE'] },
  ),
  variable('MCP_REGISTRY_TYPE', 'text', 'Kind of the bundled registry.', { default: 'docker' }),
  variable('MCP_REGISTRY_STORAGE_SIZE', 'text', 'Size of the registry volume.', { default: '20Gi' }),
  variable('MCP_REGISTRY_PORT', 'port', 'Port of the registry Service.', { default: '5000' }),
  variable('MCP_REGISTRY_PF_PORT', 'port', 'Local port of the forward of a rollout.', { default: '15000' }),
  variable('PROVISIONED_REGISTRY_URL', 'text', 'Address of an external registry.'),
  variable('PROVISIONED_REGISTRY_USERNAME', 'text', 'User of an external registry.'),
  variable('PROVISIONED_REGISTRY_PASSWORD', 'secret', 'Password of an external registry.'),
  variable('MCP_PLATFORM_IMAGE_PULL_SECRET', 'text', 'Name of an image pull Secret to use instead of a new one.', {
    aliases: ['MCP_REGISTRY_PULL_SECRET_NAME'],
  }),
  variable('MCP_REGISTRY_PUSH_TEMP_DIR', 'path', 'Folder for images on their way to the registry.'),
  variable('MCP_REGISTRY_PUSH_HELPER_NAMESPACE', 'text', 'Namespace of the pods that push images.', {
    default: 'mcp-sentinel',
  }),
  variable('MCP_REGISTRY_PUSH_TRANSFER_NAMESPACE', 'text', 'Namespace in which images are handed over.'),
  variable('APPROVED_REGISTRIES', 'text', 'Registries from which servers may come.'),
];

const SETUP: readonly VariableRule[] = [
  variable('MCP_DEPLOYMENT_TIMEOUT', 'duration', 'How long setup waits for each workload.', { default: '5m' }),
  variable(
    'MCP_SETUP_WAIT_TIMEOUT',
    'text',
    'Read by no part of the platform; MCP_DEPLOYMENT_TIMEOUT is what sets the wait.',
  ),
  variable('MCP_CERT_TIMEOUT', 'duration', 'How long setup waits for a certificate.', { default: '5m' }),
  variable('MCP_HELPER_POD_TIMEOUT', 'duration', 'How long helper pods may take.', { default: '3m' }),
  variable('MCP_SETUP_PLATFORM_MODE', ['tenant', 'org', 'public'], 'Who may publish servers.', {
    default: 'tenant',
    aliases: ['MCP_PLATFORM_MODE'],
  }),
  variable('MCP_STORAGE_MODE', ['dynamic', 'hostpath'], 'Where volumes come from.', { default: 'dynamic' }),
  variable(
    'MCP_SETUP_INGRESS',
    ['none', 'traefik'],
    'Ingress controller to install; none when the cluster has one, as k3s does.',
    { default: 'none' },
  ),
  variable('MCP_SETUP_INGRESS_MANIFEST', 'path', 'Manifest of the ingress controller.'),
  variable('MCP_FORCE_INGRESS_INSTALL', 'switch', 'Install it over an existing one.', { default: '0' }),
  variable(
    'MCP_INGRESS_READINESS_MODE',
    ['strict', 'permissive'],
    'Whether an Ingress needs an address to count as ready.',
    { default: 'strict' },
  ),
  variable('MCP_STRICT_PROD', 'switch', 'Refuse what is not fit for production.', { default: '0' }),
  variable('MCP_WITHOUT_SENTINEL', 'switch', 'Leave out API, dashboard and analytics.', { default: '0' }),
  variable('MCP_SETUP_TEST_MODE', 'switch', 'Install without the checks for production.', { default: '0' }),
  variable('MCP_RUNTIME_TEST_MODE', 'switch', 'Set by setup itself in test mode.', { default: '0' }),
  variable('PLATFORM_TRAEFIK_NAMESPACE', 'text', 'Namespace of the Traefik that serves the cluster.', {
    default: 'kube-system',
  }),
  variable(
    'PLATFORM_TEAM_TRAEFIK_WATCH',
    ['auto', 'disabled', 'required'],
    'Whether a new team is added to the namespaces that Traefik watches.',
    { default: 'disabled' },
  ),
];

const CERTIFICATES: readonly VariableRule[] = [
  variable('MCP_SETUP_WITH_TLS', 'switch', 'Serve the public hosts over TLS.', { default: '1' }),
  variable('MCP_SETUP_TLS_CLUSTER_ISSUER', 'text', 'ClusterIssuer that exists already; for reruns.', {
    default: 'letsencrypt-prod',
    aliases: ['MCP_TLS_CLUSTER_ISSUER'],
  }),
  variable('MCP_SETUP_MTLS_CLUSTER_ISSUER', 'text', 'ClusterIssuer of client certificates.', {
    aliases: ['MCP_MTLS_CLUSTER_ISSUER'],
  }),
  variable('MCP_ACME_EMAIL', 'email', 'Contact of a new ACME issuer; for the first install only.'),
  variable('MCP_ACME_STAGING', 'switch', "Use the CA's staging environment.", { default: '0' }),
  variable('MCP_SETUP_SKIP_CERT_MANAGER_INSTALL', 'switch', 'Leave the cert-manager of the cluster as it is.', {
    default: '0',
  }),
  variable('MCP_TLS_BACKUP_DIR', 'path', "Folder of the platform's own backup scripts."),
  variable('MCP_RESTORE_TLS_AFTER_SETUP', 'switch', "Whether the platform's own setup script restores after setup.", {
    default: '1',
  }),
];

const SIGN_IN: readonly VariableRule[] = [
  variable('MCP_PLATFORM_ADMIN_EMAIL', 'email', 'First administrator of the platform.', {
    aliases: ['PLATFORM_ADMIN_EMAIL'],
    requiredFor: ['setup'],
    unless: 'MCP_ADMIN_USERS',
  }),
  variable('MCP_PLATFORM_ADMIN_PASSWORD', 'secret', 'Lets that administrator log in with a password.', {
    aliases: ['PLATFORM_ADMIN_PASSWORD'],
  }),
  variable('MCP_ADMIN_USERS', 'text', 'Administrators who sign in by OIDC.', { aliases: ['ADMIN_USERS'] }),
  variable('GOOGLE_CLIENT_ID', 'text', 'OAuth client for signing in with Google; fills the OIDC variables.', {
    aliases: ['MCP_GOOGLE_CLIENT_ID'],
  }),
  variable('OIDC_ISSUER', 'url', 'Issuer of another identity provider.', { aliases: ['MCP_OIDC_ISSUER'] }),
  variable('OIDC_AUDIENCE', 'text', 'Audience that its tokens carry.', { aliases: ['MCP_OIDC_AUDIENCE'] }),
  variable('OIDC_JWKS_URL', 'url', 'Where its public keys are.', { aliases: ['MCP_OIDC_JWKS_URL'] }),
];

const SERVERS: readonly VariableRule[] = [
  variable('MCP_DEFAULT_SERVER_PORT', 'port', 'Port of a new MCP server.', { default: '8088' }),
  variable('MCP_SENTINEL_INGEST_URL', 'url', 'Where gateways send analytics events.', {
    aliases: ['MCP_ANALYTICS_INGEST_URL'],
  }),
  variable('MCP_GATEWAY_OTEL_EXPORTER_OTLP_ENDPOINT', 'url', 'Where gateways send traces.'),
  variable('PLATFORM_MCP_ACTIVE_SERVER_LIMIT', 'count', 'Running servers of one team.', { default: '5' }),
  variable('PLATFORM_MCP_PUSH_COOLDOWN', 'duration', 'Pause between two pushes.', { default: '0s' }),
  variable('PLATFORM_DB_STARTUP_TIMEOUT', 'duration', 'How long the API waits for its database.', { default: '90s' }),
];

const CLIENTS: readonly VariableRule[] = [
  variable('MCP_PLATFORM_API_URL', 'url', 'Platform API that the command line talks to.'),
  variable('MCP_PLATFORM_API_TOKEN', 'secret', 'Token of the command line.'),
  variable('MCP_PLATFORM_API_PROFILE', 'text', 'Saved login of the command line.'),
  variable('MCP_RUNTIME_CONFIG_DIR', 'path', 'Folder of the saved logins.'),
  variable('MCP_RUNTIME_URL', 'url', 'MCP server that an adapter talks to.'),
  variable('PLATFORM_URL', 'url', 'Platform of the multi-tenancy test.'),
  variable('MCP_URL', 'url', 'MCP host of the multi-tenancy test.'),
  variable('REGISTRY_HOST', 'endpoint', 'Registry of the multi-tenancy test.'),
  variable('ADMIN_EMAIL', 'email', 'Administrator of the multi-tenancy test.'),
  variable('ADMIN_PASSWORD', 'secret', 'Password of that administrator.'),
  variable('ADMIN_TOKEN', 'secret', 'API token of that administrator.'),
];

/** Every variable that the platform, its command line or its scripts read, each once. */
export const VARIABLES: readonly VariableRule[] = [
  ...CLUSTER,
  ...NAMES,
  ...IMAGES,
  ...REGISTRY,
  ...SETUP,
  ...CERTIFICATES,
  ...SIGN_IN,
  ...SERVERS,
  ...CLIENTS,
];

const BY_NAME: ReadonlyMap<string, VariableRule> = new Map(
  VARIABLES.flatMap((rule) => [rule.name, ...(rule.aliases ?? [])].map((name) => [name, rule])),
);

/** Every name that means something: the variables and their aliases. */
export const KNOWN_NAMES: readonly string[] = [...BY_NAME.keys()];

/** The rule of a variable, found by its name or by an alias; undefined for a name that means nothing. */
export function ruleOf(name: string): VariableRule | undefined {
  return BY_NAME.get(name);
}
