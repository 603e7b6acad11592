import type { Flag } from './flags.js';

const text = (name: string, env: readonly string[], usage: string): Flag => ({ name, kind: 'string', env, usage });
const toggle = (name: string, env: readonly string[], usage: string): Flag => ({ name, kind: 'bool', env, usage });

/** Every flag of `setup` with the variables that stand for it. */
export const setupFlags: readonly Flag[] = [
  text('kubeconfig', ['MCP_SETUP_KUBECONFIG'], 'Path of the kubeconfig (default ~/.kube/config)'),
  text('context', ['MCP_KUBE_CONTEXT'], 'Kubernetes context to switch to'),
  text('env-file', [], 'File with environment variables'),
  text('registry-type', ['MCP_REGISTRY_TYPE'], 'Registry type (default "docker")'),
  text('registry-storage', ['MCP_REGISTRY_STORAGE_SIZE'], 'Registry storage size (default "20Gi")'),
  text(
    'registry-mode',
    ['MCP_SETUP_REGISTRY_MODE', 'MCP_REGISTRY_MODE'],
    'auto, bundled-http, bundled-https or external',
  ),
  text('external-registry-url', ['PROVISIONED_REGISTRY_URL'], 'External registry URL'),
  text('external-registry-username', ['PROVISIONED_REGISTRY_USERNAME'], 'External registry user'),
  text('external-registry-password', ['PROVISIONED_REGISTRY_PASSWORD'], 'External registry password'),
  text('storage-mode', ['MCP_STORAGE_MODE'], 'dynamic or hostpath'),
  text('platform-mode', ['MCP_SETUP_PLATFORM_MODE', 'MCP_PLATFORM_MODE'], 'tenant, org or public'),
  text('ingress', ['MCP_SETUP_INGRESS'], 'traefik or none'),
  text('ingress-manifest', ['MCP_SETUP_INGRESS_MANIFEST'], 'Ingress manifest to apply'),
  toggle('force-ingress-install', ['MCP_FORCE_INGRESS_INSTALL'], 'Install the ingress controller anyway'),
  toggle('with-tls', ['MCP_SETUP_WITH_TLS'], 'Enable TLS'),
  text('acme-email', ['MCP_ACME_EMAIL'], "E-mail of the Let's Encrypt account"),
  toggle('acme-staging', ['MCP_ACME_STAGING'], "Use Let's Encrypt's staging server"),
  text(
    'tls-cluster-issuer',
    ['MCP_SETUP_TLS_CLUSTER_ISSUER', 'MCP_TLS_CLUSTER_ISSUER'],
    'Existing ClusterIssuer to use',
  ),
  text('mtls-cluster-issuer', ['MCP_SETUP_MTLS_CLUSTER_ISSUER', 'MCP_MTLS_CLUSTER_ISSUER'], 'ClusterIssuer for mTLS'),
  toggle('skip-cert-manager-install', ['MCP_SETUP_SKIP_CERT_MANAGER_INSTALL'], 'Do not install cert-manager'),
  toggle('test-mode', ['MCP_SETUP_TEST_MODE'], 'Test mode'),
  toggle('parallel-builds', ['MCP_PARALLEL_BUILDS'], 'Build images in parallel'),
  toggle('strict-prod', ['MCP_STRICT_PROD'], 'Refuse settings unfit for production'),
  toggle('without-sentinel', ['MCP_WITHOUT_SENTINEL'], 'Do not install mcp-sentinel'),
  text('operator-metrics-addr', [], 'Metrics address of the operator'),
  text('operator-probe-addr', [], 'Probe address of the operator'),
  toggle('operator-leader-elect', [], 'Leader election of the operator'),
  toggle('debug', [], 'Print more about errors'),
];
