import { formatDuration, parseDuration } from './durations.js';
import { CliError } from './errors.js';
import { type Flag, flagValue, parseFlags } from './flags.js';
import type { Settings } from './settings.js';
import { setupFlags } from './setup-flags.js';

/** What `setup` was asked for, after flags, variables and defaults, and after its own validation. */
export interface SetupOptions {
  /** Path given by flag or variable; empty when none is. */
  kubeconfig: string;
  context: string;
  registryStorage: string;
  platformMode: string;
  ingress: string;
  acme: { email: string; staging: boolean } | undefined;
  /** Name of an existing ClusterIssuer. */
  clusterIssuer: string | undefined;
  skipCertManager: boolean;
  hosts: { platform: string; registry: string; mcp: string };
  /** Apex, where one is given. */
  domain: string;
  /** Host under which nodes pull images. */
  registryEndpoint: string;
  imagePlatform: string | undefined;
  admin: { users: string; email: string; password: string };
  testMode: boolean;
  /** Seconds. */
  waits: { deployment: number; certificate: number; internalCertificate: number; helperPod: number };
}

/**
 * Reads and checks everything in the installer's order, before any call to a cluster.
 *
 * @throws UsageError for flags, CliError for values, both with the installer's words where they are known
 */
export function readSetupOptions(
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
  floors: Settings['floors'],
): SetupOptions {
  const given = parseFlags(setupFlags, argv);
  const value = (name: string): string => flagValue(flagNamed(name), given, env);
  const on = (name: string): boolean => value(name) === 'true';
  const oneOf = (name: string, allowed: readonly string[], fallback: string): string => {
    const found = value(name) || fallback;
    if (!allowed.includes(found))
      throw new CliError(`invalid --${name} "${found}": must be one of ${allowed.join(', ')}`);
    return found;
  };

  const storageMode = oneOf('storage-mode', ['dynamic', 'hostpath'], 'dynamic');
  const registryMode = oneOf('registry-mode', ['auto', 'bundled-http', 'bundled-https', 'external'], 'auto');
  const platformMode = oneOf('platform-mode', ['tenant', 'org', 'public'], 'tenant');
  const ingress = oneOf('ingress', ['traefik', 'none'], 'traefik');
  const withTls = on('with-tls');
  const [email, clusterIssuer, mtlsIssuer] = ['acme-email', 'tls-cluster-issuer', 'mtls-cluster-issuer'].map(value);
  if (email && clusterIssuer) {
    throw new CliError(
      'use either --acme-email (or MCP_ACME_EMAIL) or --tls-cluster-issuer (or MCP_TLS_CLUSTER_ISSUER), not both',
    );
  }
  if (!withTls && (email || clusterIssuer || on('acme-staging'))) {
    throw new CliError('--acme-email, --acme-staging and --tls-cluster-issuer require --with-tls');
  }
  if (registryMode === 'bundled-https' && !withTls) {
    throw new CliError(
      '--registry-mode bundled-https requires --with-tls so setup can provision registry-tls for the registry pod',
    );
  }
  if (mtlsIssuer && !withTls) {
    throw new CliError('--mtls-cluster-issuer requires --with-tls');
  }
  const external = ['external-registry-url', 'external-registry-username', 'external-registry-password'].some(value);
  if (external && !['external', 'auto'].includes(registryMode)) {
    throw new CliError('--external-registry-* flags require --registry-mode external or auto');
  }
  const testMode = on('test-mode');
  const domain = bareHost(env.MCP_PLATFORM_DOMAIN ?? '');
  const host = (variable: string, prefix: string): string =>
    env[variable] || (domain === '' ? '' : `${prefix}.${domain}`);
  const hosts = {
    platform: host('MCP_PLATFORM_INGRESS_HOST', 'platform'),
    registry: host('MCP_REGISTRY_INGRESS_HOST', 'registry'),
    mcp: host('MCP_MCP_INGRESS_HOST', 'mcp'),
  };
  if (!testMode && Object.values(hosts).includes('')) {
    throw new CliError(
      'platform host configuration is incomplete; set MCP_PLATFORM_DOMAIN or set MCP_PLATFORM_INGRESS_HOST, MCP_REGISTRY_INGRESS_HOST and MCP_MCP_INGRESS_HOST',
    );
  }
  const admin = {
    users: env.MCP_ADMIN_USERS || env.ADMIN_USERS || '',
    email: env.MCP_PLATFORM_ADMIN_EMAIL || env.PLATFORM_ADMIN_EMAIL || '',
    password: env.MCP_PLATFORM_ADMIN_PASSWORD || env.PLATFORM_ADMIN_PASSWORD || '',
  };
  if (!testMode && admin.users === '' && admin.email === '') {
    throw new CliError(
      'platform admin configuration is incomplete; set MCP_PLATFORM_ADMIN_EMAIL (or ADMIN_USERS) before running setup',
    );
  }
  if (platformMode === 'public' && withTls && !(env.GOOGLE_CLIENT_ID || env.MCP_GOOGLE_CLIENT_ID)) {
    throw new CliError('platform mode public with TLS requires browser sign-in; set GOOGLE_CLIENT_ID');
  }
  if (registryMode === 'auto' && !external && !testMode && !env.MCP_REGISTRY_ENDPOINT) {
    throw new CliError(
      'bundled registry setup with --registry-mode auto requires MCP_REGISTRY_ENDPOINT set to the exact registry host:port Kubernetes nodes can pull from; set it, or choose another --registry-mode',
    );
  }
  const seconds = (name: string, fallback: string): number => parseDuration(name, env[name] || fallback);
  const certificate = seconds('MCP_CERT_TIMEOUT', '60s');
  const waits = {
    deployment: seconds('MCP_DEPLOYMENT_TIMEOUT', '5m'),
    // A private CA signs at once, so that only waits for the ACME server and for a given issuer have a lower limit.
    certificate: email || clusterIssuer ? Math.max(certificate, floors.certificate) : certificate,
    internalCertificate: Math.max(certificate, floors.internalCertificate),
    helperPod: seconds('MCP_HELPER_POD_TIMEOUT', '3m'),
  };
  refuseWhatIsNotStoodInFor({
    registryMode,
    storageMode,
    mtlsIssuer: mtlsIssuer ?? '',
    withoutSentinel: on('without-sentinel'),
  });
  return {
    kubeconfig: value('kubeconfig'),
    context: value('context'),
    registryStorage: value('registry-storage') || '20Gi',
    platformMode,
    ingress,
    acme: email ? { email, staging: on('acme-staging') } : undefined,
    clusterIssuer: clusterIssuer || undefined,
    skipCertManager: on('skip-cert-manager-install'),
    hosts,
    domain,
    registryEndpoint: env.MCP_REGISTRY_ENDPOINT || hosts.registry,
    imagePlatform: env.MCP_IMAGE_PLATFORM || undefined,
    admin,
    testMode,
    waits,
  };
}

/** What the installer prints of its waits, whatever MCP_SETUP_WAIT_TIMEOUT says: no code reads that variable. */
export function waitNotice({ waits }: SetupOptions): string {
  return `per-resource timeout ${formatDuration(waits.deployment)}; override with MCP_DEPLOYMENT_TIMEOUT`;
}

function flagNamed(name: string): Flag {
  const found = setupFlags.find((flag) => flag.name === name);
  if (found === undefined) throw new Error(`setup has no flag ${name}`);
  return found;
}

/** The installer takes scheme, path and port off the domain. */
function bareHost(text: string): string {
  return text
    .trim()
    .replace(/^[a-z]+:\/\//i, '')
    .replace(/[/:].*$/, '');
}

function refuseWhatIsNotStoodInFor(asked: {
  registryMode: string;
  storageMode: string;
  mtlsIssuer: string;
  withoutSentinel: boolean;
}): void {
  const refused = [
    asked.registryMode === 'bundled-https' ? '' : `--registry-mode ${asked.registryMode}`,
    asked.storageMode === 'dynamic' ? '' : `--storage-mode ${asked.storageMode}`,
    asked.mtlsIssuer === '' ? '' : '--mtls-cluster-issuer',
    asked.withoutSentinel ? '--without-sentinel' : '',
  ].filter((one) => one !== '');
  if (refused.length > 0) {
    throw new CliError(`the stand-in of mcp-runtime does not stand in for ${refused.join(', ')}`);
  }
}
