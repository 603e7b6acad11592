import { randomBytes } from 'node:crypto';
import { objectOf } from '../../shared/cluster/cluster.js';
import { type KubeObject, kinds } from '../../shared/cluster/objects.js';
import { type Installation, issuer, type Layout, namespaces, privateIssuer } from './names.js';
import { openKind } from './objects.js';

const random = (): string => randomBytes(24).toString('base64url');
const encode = (text: string): string => Buffer.from(text).toString('base64');

/** Names under which the cluster itself calls the registry. */
export const internalNames: readonly string[] = [
  'registry.local',
  'registry.registry.svc',
  'registry.registry.svc.cluster.local',
];

/** A namespace with the Pod Security level that the installer sets. */
export function namespaceOf(name: string, enforce?: string, labels: Record<string, string> = {}): KubeObject {
  const level = enforce === undefined ? {} : { 'pod-security.kubernetes.io/enforce': enforce };
  return objectOf(kinds.namespace, { metadata: { name, labels: { ...labels, ...level } } });
}

/** A Deployment with one container; kwok makes its pods Running. */
export function deploymentOf(
  namespace: string,
  name: string,
  container: string,
  labels: Record<string, string> = { app: name },
  more: Record<string, unknown> = {},
): KubeObject {
  const limits = {
    allowPrivilegeEscalation: false,
    runAsNonRoot: true,
    capabilities: { drop: ['ALL'] },
    seccompProfile: { type: 'RuntimeDefault' },
  };
  return objectOf(kinds.deployment, {
    metadata: { name, namespace, labels },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          containers: [{ name: container, image: `registry.invalid/${name}:lab`, securityContext: limits, ...more }],
        },
      },
    },
  });
}

/** cert-manager's three Deployments, named and labelled as its own manifest does. */
export function certManagerDeployments(version: string): KubeObject[] {
  const one = (name: string, component: string, more: Record<string, unknown> = {}): KubeObject => {
    const labels = {
      app: name.replace('cert-manager-', ''),
      'app.kubernetes.io/name': component === 'controller' ? 'cert-manager' : component,
      'app.kubernetes.io/instance': 'cert-manager',
      'app.kubernetes.io/component': component,
      'app.kubernetes.io/version': version,
    };
    return deploymentOf(namespaces.certManager, name, `cert-manager-${component}`, labels, more);
  };
  // As in the manifest: without the flag the controller would look for the Secrets of ClusterIssuers in kube-system.
  const flags = {
    args: ['--v=2', '--cluster-resource-namespace=$(POD_NAMESPACE)', '--leader-election-namespace=kube-system'],
    env: [{ name: 'POD_NAMESPACE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } }],
  };
  return [
    one('cert-manager', 'controller', flags),
    one('cert-manager-webhook', 'webhook'),
    one('cert-manager-cainjector', 'cainjector'),
  ];
}

export function acmeIssuer(
  acme: Installation['acme'],
  email: string,
  name: string = issuer,
  accountKey = `${name}-account-key`,
): KubeObject {
  return objectOf(kinds.clusterIssuer, {
    metadata: { name },
    spec: {
      acme: {
        server: acme.directory,
        caBundle: acme.caBundle,
        email,
        privateKeySecretRef: { name: accountKey },
        solvers: [{ http01: { ingress: { ingressClassName: 'traefik' } } }],
      },
    },
  });
}

export function privateCaIssuer(): KubeObject {
  return objectOf(kinds.clusterIssuer, {
    metadata: { name: privateIssuer },
    spec: { ca: { secretName: privateIssuer } },
  });
}

export function certificateOf(
  namespace: string,
  name: string,
  spec: { secretName: string; dnsNames: string[]; issuer: string } & Record<string, unknown>,
): KubeObject {
  const { issuer: issuerName, ...rest } = spec;
  return objectOf(kinds.certificate, {
    metadata: { name, namespace },
    spec: { ...rest, issuerRef: { name: issuerName, kind: 'ClusterIssuer' } },
  });
}

/** An Ingress; with `annotated` cert-manager's ingress-shim makes the Certificate. */
export function ingressOf(
  namespace: string,
  name: string,
  host: string,
  secretName: string | undefined,
  service: string,
  annotated: boolean,
  path = '/',
): KubeObject {
  return objectOf(kinds.ingress, {
    metadata: { name, namespace, annotations: annotated ? { 'cert-manager.io/cluster-issuer': issuer } : {} },
    spec: {
      ingressClassName: 'traefik',
      ...(secretName === undefined ? {} : { tls: [{ hosts: [host], secretName }] }),
      rules: [
        {
          host,
          http: {
            paths: [{ path, pathType: 'Prefix', backend: { service: { name: service, port: { number: 80 } } } }],
          },
        },
      ],
    },
  });
}

/** The platform's Deployments as [name, container], by layout. */
export function platformWorkloads({ layout }: Installation): [string, string][] {
  const apis: [string, string][] =
    layout === 'mono'
      ? [['mcp-sentinel-api', 'api']]
      : [
          ['mcp-platform-api', 'platform-api'],
          ['mcp-runtime-api', 'runtime-api'],
          ['mcp-analytics-api', 'analytics-api'],
        ];
  return [...apis, ['mcp-sentinel-ui', 'ui'], ['mcp-sentinel-gateway', 'traefik']];
}

/** Keys of mcp-sentinel-config; those that go with a version of the code are rendered anew by each installation. */
export function platformConfig({ domain, layout }: Pick<Installation, 'domain' | 'layout'>): Record<string, string> {
  return {
    API_BASE: layout === 'mono' ? '/api' : '/api/v1',
    PLATFORM_MODE: 'tenant',
    CLICKHOUSE_ADDR: 'clickhouse:9000',
    CLICKHOUSE_DB: 'mcp',
    KAFKA_BROKERS: 'kafka-0.kafka:9092',
    GOOGLE_CLIENT_ID: 'lab-client.apps.example.com',
    OIDC_ISSUER: 'https://accounts.example.com',
    OIDC_AUDIENCE: 'lab-client.apps.example.com',
    OIDC_JWKS_URL: 'https://accounts.example.com/certs',
    MCP_PLATFORM_DOMAIN: domain,
    MCP_MCP_INGRESS_HOST: `mcp.${domain}`,
    MCP_REGISTRY_ENDPOINT: `registry.${domain}`,
    MCP_REGISTRY_INGRESS_HOST: `registry.${domain}`,
    PLATFORM_REGISTRY_URL: `registry.${domain}`,
    PLATFORM_TRAEFIK_NAMESPACE: 'kube-system',
    PLATFORM_TEAM_TRAEFIK_WATCH: 'disabled',
  };
}

/** Who administers the platform; empty fields leave to what is there. */
export interface Administration {
  users: string;
  email: string;
  password: string;
}

/**
 * Keys of mcp-sentinel-secrets: what is there stays, what is missing is made at random. An administrator's e-mail
 * without a password counts for nothing, and takes a password away that is there.
 */
export function platformSecrets(
  layout: Layout,
  admin: Administration,
  present: Record<string, string>,
): Record<string, string> {
  const given = (key: string, value: string): string => (value === '' ? (present[key] ?? '') : encode(value));
  const login = {
    email: given('PLATFORM_ADMIN_EMAIL', admin.email),
    password: given('PLATFORM_ADMIN_PASSWORD', admin.password),
  };
  const complete = login.email !== '' && login.password !== '';
  const kept = (key: string, fresh: () => string): string => present[key] ?? encode(fresh());
  const uiKey = kept('UI_API_KEY', random);
  const password = kept('POSTGRES_PASSWORD', random);
  const plainPassword = Buffer.from(password, 'base64').toString();
  return {
    API_KEYS: withKey(present.API_KEYS, uiKey),
    ADMIN_API_KEYS: withKey(present.ADMIN_API_KEYS, uiKey),
    INGEST_API_KEYS: kept('INGEST_API_KEYS', random),
    UI_API_KEY: uiKey,
    POSTGRES_USER: kept('POSTGRES_USER', () => 'mcp_runtime'),
    POSTGRES_PASSWORD: password,
    POSTGRES_DB: kept('POSTGRES_DB', () => 'mcp_runtime'),
    POSTGRES_DSN: kept(
      'POSTGRES_DSN',
      () => `postgres://mcp_runtime:${plainPassword}@mcp-sentinel-postgres:5432/mcp_runtime`,
    ),
    ...(layout === 'mono'
      ? { PLATFORM_JWT_SECRET: kept('PLATFORM_JWT_SECRET', random) }
      : { JWT_SECRET: kept('JWT_SECRET', random), INTERNAL_AUTH_TOKEN: kept('INTERNAL_AUTH_TOKEN', random) }),
    GRAFANA_ADMIN_USER: kept('GRAFANA_ADMIN_USER', () => 'admin'),
    GRAFANA_ADMIN_PASSWORD: kept('GRAFANA_ADMIN_PASSWORD', random),
    ADMIN_USERS: given('ADMIN_USERS', admin.users || admin.email),
    PLATFORM_ADMIN_EMAIL: complete ? login.email : '',
    PLATFORM_ADMIN_PASSWORD: complete ? login.password : '',
    // Outside of the test mode these are there, and empty.
    PLATFORM_DEV_LOGIN_ENABLED: encode('false'),
    PLATFORM_DEV_USER_EMAIL: '',
    PLATFORM_DEV_USER_PASSWORD: '',
    PLATFORM_DEV_ADMIN_EMAIL: '',
    PLATFORM_DEV_ADMIN_PASSWORD: '',
  };
}

/** A comma list, base64 as all here, that has the key at least. */
function withKey(present: string | undefined, key: string): string {
  if (present === undefined) return key;
  const [list, one] = [present, key].map((text) => Buffer.from(text, 'base64').toString());
  const keys = (list ?? '').split(',').filter((item) => item !== '');
  return one === undefined || keys.includes(one) ? present : encode([...keys, one].join(','));
}

/** The registry pull Secret, made from UI_API_KEY as the installer does. */
export function pullSecret(namespace: string, host: string, uiKey: string): KubeObject {
  const password = Buffer.from(uiKey, 'base64').toString();
  const auth = encode(`platform-service:${password}`);
  const config = { auths: { [host]: { username: 'platform-service', password, auth } } };
  return objectOf(kinds.secret, {
    metadata: { name: 'mcp-runtime-registry-pull', namespace },
    type: 'kubernetes.io/dockerconfigjson',
    data: { '.dockerconfigjson': encode(JSON.stringify(config)) },
  });
}

/** The platform's three kinds, with the fields that the stand-in needs none of left open. */
export function platformKinds(): KubeObject[] {
  return ['MCPServer', 'MCPAccessGrant', 'MCPAgentSession'].map((kind) => openKind(kind, 'mcpruntime.org', 'v1alpha1'));
}
