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

const EVERY_STAGE: readonly Stage[] = ['setup', 'rollout', 'backup', 'smoke-test'];

const CLUSTER: readonly VariableRule[] = [
  { name: 'KUBECONFIG', kind: 'path', purpose: 'Kubeconfig of the cluster.' },
  { name: 'MCP_SETUP_KUBECONFIG', kind: 'path', purpose: 'Kubeconfig of the cluster; it wins over KUBECONFIG.' },
  { name: 'MCP_KUBE_CONTEXT', kind: 'text', purpose: 'Context that setup makes the current one of the kubeconfig.' },
  { name: 'MCP_CLUSTER_NAME', kind: 'text', default: 'local', purpose: 'Name of the cluster in analytics events.' },
  {
    name: 'MCP_DEPLOY_ENV',
    kind: 'path',
    purpose: 'Path of the profile. Works in the environment, not in the profile.',
  },
];

const NAMES: readonly VariableRule[] = [
  {
    name: 'MCP_PLATFORM_DOMAIN',
    kind: 'domain',
    requiredFor: EVERY_STAGE,
    purpose: 'Domain of the platform; the hosts are derived from it.',
  },
  {
    name: 'MCP_PLATFORM_INGRESS_HOST',
    kind: 'host',
    derivedLabel: 'platform',
    purpose: 'Public host of the dashboard and the API.',
  },
  {
    name: 'MCP_REGISTRY_INGRESS_HOST',
    kind: 'host',
    derivedLabel: 'registry',
    purpose: 'Public host of the image registry.',
  },
  { name: 'MCP_MCP_INGRESS_HOST', kind: 'host', derivedLabel: 'mcp', purpose: 'Public host of the MCP servers.' },
  {
    name: 'MCP_REGISTRY_ENDPOINT',
    kind: 'endpoint',
    requiredFor: ['setup', 'rollout'],
    unless: 'PROVISIONED_REGISTRY_URL',
    purpose: 'Host from which the nodes pull images.',
  },
  { name: 'MCP_REGISTRY_HOST', kind: 'endpoint', purpose: 'Older name of the pull host. Leave it unset.' },
  { name: 'MCP_REGISTRY_PULL_HOST', kind: 'endpoint', purpose: 'Pull host in the requests that deploy servers.' },
  { name: 'MCP_REGISTRY_INTERNAL', kind: 'endpoint', purpose: 'Address of the registry Service for a rollout.' },
  { name: 'PLATFORM_REGISTRY_URL', kind: 'text', purpose: 'Registry address that the dashboard shows.' },
];

const IMAGES: readonly VariableRule[] = [
  {
    name: 'MCP_IMAGE_PLATFORM',
    kind: 'platform',
    recommendedFor: ['setup', 'rollout'],
    purpose: 'Operating system and processor of the nodes, for the images of the platform.',
  },
  {
    name: 'MCP_DOCKER_PLATFORM',
    kind: 'platform',
    default: 'linux/amd64',
    purpose: 'The same for the images of MCP servers.',
  },
  { name: 'MCP_OPERATOR_IMAGE', kind: 'text', purpose: 'Operator image to use instead of building it.' },
  { name: 'MCP_GATEWAY_PROXY_IMAGE', kind: 'text', purpose: 'Gateway image to use instead of building it.' },
  { name: 'MCP_RUNTIME_REGISTRY_IMAGE_OVERRIDE', kind: 'text', purpose: 'Image of the bundled registry.' },
  {
    name: 'MCP_SKOPEO_IMAGE',
    kind: 'text',
    default: 'quay.io/skopeo/stable:v1.14',
    purpose: 'Image of the pod that copies images.',
  },
  { name: 'MCP_ROLLOUT_TAG', kind: 'text', purpose: 'Tag of the images of a rollout; made from the time when unset.' },
  { name: 'MCP_PARALLEL_BUILDS', kind: 'switch', default: '0', purpose: 'Build the images side by side.' },
];

const REGISTRY: readonly VariableRule[] = [
  {
    name: 'MCP_SETUP_REGISTRY_MODE',
    kind: ['auto', 'bundled-http', 'bundled-https', 'external'],
    default: 'bundled-https',
    aliases: ['MCP_REGISTRY_MODE'],
    purpose: 'Whose registry is used, and how the nodes reach it.',
  },
  { name: 'MCP_REGISTRY_TYPE', kind: 'text', default: 'docker', purpose: 'Kind of the bundled registry.' },
  { name: 'MCP_REGISTRY_STORAGE_SIZE', kind: 'text', default: '20Gi', purpose: 'Size of the registry volume.' },
  { name: 'MCP_REGISTRY_PORT', kind: 'port', default: '5000', purpose: 'Port of the registry Service.' },
  { name: 'MCP_REGISTRY_PF_PORT', kind: 'port', default: '15000', purpose: 'Local port of the forward of a rollout.' },
  { name: 'PROVISIONED_REGISTRY_URL', kind: 'text', purpose: 'Address of an external registry.' },
  { name: 'PROVISIONED_REGISTRY_USERNAME', kind: 'text', purpose: 'User of an external registry.' },
  { name: 'PROVISIONED_REGISTRY_PASSWORD', kind: 'secret', purpose: 'Password of an external registry.' },
  {
    name: 'MCP_PLATFORM_IMAGE_PULL_SECRET',
    kind: 'text',
    aliases: ['MCP_REGISTRY_PULL_SECRET_NAME'],
    purpose: 'Name of an image pull Secret to use instead of a new one.',
  },
  { name: 'MCP_REGISTRY_PUSH_TEMP_DIR', kind: 'path', purpose: 'Folder for images on their way to the registry.' },
  {
    name: 'MCP_REGISTRY_PUSH_HELPER_NAMESPACE',
    kind: 'text',
    default: 'mcp-sentinel',
    purpose: 'Namespace of the pods that push images.',
  },
  { name: 'MCP_REGISTRY_PUSH_TRANSFER_NAMESPACE', kind: 'text', purpose: 'Namespace in which images are handed over.' },
  { name: 'APPROVED_REGISTRIES', kind: 'text', purpose: 'Registries from which servers may come.' },
];

const SETUP: readonly VariableRule[] = [
  {
    name: 'MCP_DEPLOYMENT_TIMEOUT',
    kind: 'duration',
    default: '5m',
    purpose: 'How long setup waits for each workload.',
  },
  {
    name: 'MCP_SETUP_WAIT_TIMEOUT',
    kind: 'text',
    purpose: 'Read by no part of the platform; MCP_DEPLOYMENT_TIMEOUT is what sets the wait.',
  },
  { name: 'MCP_CERT_TIMEOUT', kind: 'duration', default: '5m', purpose: 'How long setup waits for a certificate.' },
  { name: 'MCP_HELPER_POD_TIMEOUT', kind: 'duration', default: '3m', purpose: 'How long helper pods may take.' },
  {
    name: 'MCP_SETUP_PLATFORM_MODE',
    kind: ['tenant', 'org', 'public'],
    default: 'tenant',
    aliases: ['MCP_PLATFORM_MODE'],
    purpose: 'Who may publish servers.',
  },
  {
    name: 'MCP_STORAGE_MODE',
    kind: ['dynamic', 'hostpath'],
    default: 'dynamic',
    purpose: 'Where volumes come from.',
  },
  {
    name: 'MCP_SETUP_INGRESS',
    kind: ['none', 'traefik'],
    default: 'none',
    purpose: 'Ingress controller to install; none when the cluster has one, as k3s does.',
  },
  { name: 'MCP_SETUP_INGRESS_MANIFEST', kind: 'path', purpose: 'Manifest of the ingress controller.' },
  { name: 'MCP_FORCE_INGRESS_INSTALL', kind: 'switch', default: '0', purpose: 'Install it over an existing one.' },
  {
    name: 'MCP_INGRESS_READINESS_MODE',
    kind: ['strict', 'permissive'],
    default: 'strict',
    purpose: 'Whether an Ingress needs an address to count as ready.',
  },
  { name: 'MCP_STRICT_PROD', kind: 'switch', default: '0', purpose: 'Refuse what is not fit for production.' },
  { name: 'MCP_WITHOUT_SENTINEL', kind: 'switch', default: '0', purpose: 'Leave out API, dashboard and analytics.' },
  { name: 'MCP_SETUP_TEST_MODE', kind: 'switch', default: '0', purpose: 'Install without the checks for production.' },
  { name: 'MCP_RUNTIME_TEST_MODE', kind: 'switch', default: '0', purpose: 'Set by setup itself in test mode.' },
  {
    name: 'PLATFORM_TRAEFIK_NAMESPACE',
    kind: 'text',
    default: 'kube-system',
    purpose: 'Namespace of the Traefik that serves the cluster.',
  },
  {
    name: 'PLATFORM_TEAM_TRAEFIK_WATCH',
    kind: ['auto', 'disabled', 'required'],
    default: 'disabled',
    purpose: 'Whether a new team is added to the namespaces that Traefik watches.',
  },
];

const CERTIFICATES: readonly VariableRule[] = [
  { name: 'MCP_SETUP_WITH_TLS', kind: 'switch', default: '1', purpose: 'Serve the public hosts over TLS.' },
  {
    name: 'MCP_SETUP_TLS_CLUSTER_ISSUER',
    kind: 'text',
    default: 'letsencrypt-prod',
    aliases: ['MCP_TLS_CLUSTER_ISSUER'],
    purpose: 'ClusterIssuer that exists already; for reruns.',
  },
  {
    name: 'MCP_SETUP_MTLS_CLUSTER_ISSUER',
    kind: 'text',
    aliases: ['MCP_MTLS_CLUSTER_ISSUER'],
    purpose: 'ClusterIssuer of client certificates.',
  },
  { name: 'MCP_ACME_EMAIL', kind: 'email', purpose: 'Contact of a new ACME issuer; for the first install only.' },
  { name: 'MCP_ACME_STAGING', kind: 'switch', default: '0', purpose: "Use the CA's staging environment." },
  {
    name: 'MCP_SETUP_SKIP_CERT_MANAGER_INSTALL',
    kind: 'switch',
    default: '0',
    purpose: 'Leave the cert-manager of the cluster as it is.',
  },
  { name: 'MCP_TLS_BACKUP_DIR', kind: 'path', purpose: "Folder of the platform's own backup scripts." },
  {
    name: 'MCP_RESTORE_TLS_AFTER_SETUP',
    kind: 'switch',
    default: '1',
    purpose: "Whether the platform's own setup script restores after setup.",
  },
];

const SIGN_IN: readonly VariableRule[] = [
  {
    name: 'MCP_PLATFORM_ADMIN_EMAIL',
    kind: 'email',
    aliases: ['PLATFORM_ADMIN_EMAIL'],
    requiredFor: ['setup'],
    unless: 'MCP_ADMIN_USERS',
    purpose: 'First administrator of the platform.',
  },
  {
    name: 'MCP_PLATFORM_ADMIN_PASSWORD',
    kind: 'secret',
    aliases: ['PLATFORM_ADMIN_PASSWORD'],
    purpose: 'Lets that administrator log in with a password.',
  },
  { name: 'MCP_ADMIN_USERS', kind: 'text', aliases: ['ADMIN_USERS'], purpose: 'Administrators who sign in by OIDC.' },
  {
    name: 'GOOGLE_CLIENT_ID',
    kind: 'text',
    aliases: ['MCP_GOOGLE_CLIENT_ID'],
    purpose: 'OAuth client for signing in with Google; fills the OIDC variables.',
  },
  { name: 'OIDC_ISSUER', kind: 'url', aliases: ['MCP_OIDC_ISSUER'], purpose: 'Issuer of another identity provider.' },
  { name: 'OIDC_AUDIENCE', kind: 'text', aliases: ['MCP_OIDC_AUDIENCE'], purpose: 'Audience that its tokens carry.' },
  { name: 'OIDC_JWKS_URL', kind: 'url', aliases: ['MCP_OIDC_JWKS_URL'], purpose: 'Where its public keys are.' },
];

const SERVERS: readonly VariableRule[] = [
  { name: 'MCP_DEFAULT_SERVER_PORT', kind: 'port', default: '8088', purpose: 'Port of a new MCP server.' },
  {
    name: 'MCP_SENTINEL_INGEST_URL',
    kind: 'url',
    aliases: ['MCP_ANALYTICS_INGEST_URL'],
    purpose: 'Where gateways send analytics events.',
  },
  { name: 'MCP_GATEWAY_OTEL_EXPORTER_OTLP_ENDPOINT', kind: 'url', purpose: 'Where gateways send traces.' },
  { name: 'PLATFORM_MCP_ACTIVE_SERVER_LIMIT', kind: 'count', default: '5', purpose: 'Running servers of one team.' },
  { name: 'PLATFORM_MCP_PUSH_COOLDOWN', kind: 'duration', default: '0s', purpose: 'Pause between two pushes.' },
  {
    name: 'PLATFORM_DB_STARTUP_TIMEOUT',
    kind: 'duration',
    default: '90s',
    purpose: 'How long the API waits for its database.',
  },
];

const CLIENTS: readonly VariableRule[] = [
  { name: 'MCP_PLATFORM_API_URL', kind: 'url', purpose: 'Platform API that the command line talks to.' },
  { name: 'MCP_PLATFORM_API_TOKEN', kind: 'secret', purpose: 'Token of the command line.' },
  { name: 'MCP_PLATFORM_API_PROFILE', kind: 'text', purpose: 'Saved login of the command line.' },
  { name: 'MCP_RUNTIME_CONFIG_DIR', kind: 'path', purpose: 'Folder of the saved logins.' },
  { name: 'MCP_RUNTIME_URL', kind: 'url', purpose: 'MCP server that an adapter talks to.' },
  { name: 'PLATFORM_URL', kind: 'url', purpose: 'Platform of the multi-tenancy test.' },
  { name: 'MCP_URL', kind: 'url', purpose: 'MCP host of the multi-tenancy test.' },
  { name: 'REGISTRY_HOST', kind: 'endpoint', purpose: 'Registry of the multi-tenancy test.' },
  { name: 'ADMIN_EMAIL', kind: 'email', purpose: 'Administrator of the multi-tenancy test.' },
  { name: 'ADMIN_PASSWORD', kind: 'secret', purpose: 'Password of that administrator.' },
  { name: 'ADMIN_TOKEN', kind: 'secret', purpose: 'API token of that administrator.' },
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
