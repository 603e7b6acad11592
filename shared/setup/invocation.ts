import type { Values } from '../profile/values.js';
import { effective, given } from '../profile/values.js';
import type { Mode } from './mode.js';

/** What a user sets of the installer; empty for what the profile or the default says. */
export interface InstallerSettings {
  acmeEmail: string;
  issuer: string;
  registryMode: string;
  ingress: string;
  /** Go durations; empty for the default. */
  certificateTimeout: string;
  rolloutTimeout: string;
  /** Further arguments, as they are. */
  further: readonly string[];
}

export interface Invocation {
  args: string[];
  env: Record<string, string>;
  /** What was mapped or left out on the way, for the log. */
  notices: string[];
}

/** Variables that would send the installer to the cluster that the runner itself runs in, or are ours to decide. */
const removed = [
  'KUBERNETES_SERVICE_HOST',
  'KUBERNETES_SERVICE_PORT',
  'MCP_SETUP_KUBECONFIG',
  'MCP_KUBE_CONTEXT',
  'MCP_ACME_EMAIL',
  'MCP_ACME_STAGING',
  'MCP_SETUP_TLS_CLUSTER_ISSUER',
  'MCP_TLS_CLUSTER_ISSUER',
  'MCP_SETUP_SKIP_CERT_MANAGER_INSTALL',
  'MCP_RESTORE_TLS_AFTER_SETUP',
] as const;

/** Arguments that would take back what was decided here, or put a secret where every process can read it. */
const ownArguments =
  /^--(?:kubeconfig|context|platform-mode|acme-email|acme-staging|tls-cluster-issuer|skip-cert-manager-install|with-tls|env-file|external-registry-password)(?:=|$)/;

/** Further arguments of the installer, as a user gives them. @throws Error for one that is not theirs to give */
export function furtherArguments(given: readonly string[]): string[] {
  const refused = given.find((one) => ownArguments.test(one));
  if (refused !== undefined) throw new Error(`${refused.split('=')[0]} is decided by action-setup`);
  return [...given];
}

/**
 * Of the runner's own environment the installer gets what programs need, and no secret of the job. By the tracking id
 * the runner ends what a killed step has left running.
 */
const passedOn =
  /^(?:PATH|HOME|USER|LANG|LC_.*|TZ|TMPDIR|TEMP|TMP|SSL_CERT_(?:FILE|DIR)|(?:HTTPS?|NO|ALL)_PROXY|https?_proxy|no_proxy|GO[A-Z]*|DOCKER_(?:HOST|CONFIG|CONTEXT|BUILDKIT|TLS_VERIFY|CERT_PATH)|BUILDX_.*|XDG_.*|RUNNER_TRACKING_ID)$/;

/** What of an environment is passed on to programs that are started here. */
export function programEnv(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined && passedOn.test(entry[0])),
  );
}

/**
 * The installer's arguments and environment. Source of names and defaults: the setup command of the platform, and the
 * runbook's table; `MCP_SETUP_WAIT_TIMEOUT`, which nothing reads, is mapped to the variable that is read.
 */
export function invocationOf(input: {
  mode: Mode;
  /** Undefined when nobody has ever said one. */
  platformMode: string | undefined;
  /** The sign-in that the installer keeps, and asks for nevertheless where the mode is `public`. */
  googleClientId: string;
  settings: InstallerSettings;
  profile: Values;
  env: NodeJS.ProcessEnv;
  domain: string;
  /** The registry's public host: nodes pull from it where its certificate is a public one. */
  registry: string;
  kubeconfig: string;
}): Invocation {
  const { mode, platformMode, settings, profile, env, kubeconfig } = input;
  const notices: string[] = [];
  const say = (name: string, fallback: string): string => effective(profile, name) ?? fallback;
  const registryMode = settings.registryMode || say('MCP_SETUP_REGISTRY_MODE', 'bundled-https');
  const args = [
    'setup',
    '--kubeconfig',
    kubeconfig,
    '--with-tls',
    ...(mode === 'first-install'
      ? ['--acme-email', settings.acmeEmail]
      : ['--tls-cluster-issuer', settings.issuer, '--skip-cert-manager-install']),
    '--ingress',
    settings.ingress || say('MCP_SETUP_INGRESS', 'none'),
    '--registry-mode',
    registryMode,
    ...(platformMode === undefined ? [] : ['--platform-mode', platformMode]),
    ...settings.further,
  ];
  const own = programEnv(env);
  const profiled = Object.fromEntries([...profile].filter(([, value]) => value !== ''));
  const used: readonly string[] =
    mode === 'first-install' ? ['MCP_ACME_EMAIL'] : ['MCP_SETUP_TLS_CLUSTER_ISSUER', 'MCP_TLS_CLUSTER_ISSUER'];
  for (const name of removed.filter((one) => profiled[one] !== undefined && !used.includes(one))) {
    notices.push(`${name} of the profile is not passed on: action-setup decides it from the cluster`);
  }
  const wait = waitOf(settings, profile, notices);
  const certificates =
    settings.certificateTimeout || given(profile, 'MCP_CERT_TIMEOUT') || (mode === 'first-install' ? '15m' : '');
  const whole: Record<string, string> = {
    ...(platformMode === 'public' && input.googleClientId !== '' ? { GOOGLE_CLIENT_ID: input.googleClientId } : {}),
    ...own,
    ...(registryMode === 'bundled-https' ? { MCP_REGISTRY_ENDPOINT: input.registry } : {}),
    ...profiled,
    MCP_PLATFORM_DOMAIN: input.domain,
    ...(wait === '' ? {} : { MCP_DEPLOYMENT_TIMEOUT: wait }),
    ...(certificates === '' ? {} : { MCP_CERT_TIMEOUT: certificates }),
    KUBECONFIG: kubeconfig,
    NO_COLOR: '1',
  };
  for (const name of removed) delete whole[name];
  return { args, env: whole, notices };
}

function waitOf(settings: InstallerSettings, profile: Values, notices: string[]): string {
  const read = settings.rolloutTimeout || given(profile, 'MCP_DEPLOYMENT_TIMEOUT');
  if (read) return read;
  const unread = given(profile, 'MCP_SETUP_WAIT_TIMEOUT') ?? '';
  if (!/^\d+$/.test(unread)) return '';
  notices.push(
    `MCP_SETUP_WAIT_TIMEOUT=${unread} is read by nothing: it is passed on as MCP_DEPLOYMENT_TIMEOUT=${unread}s`,
  );
  return `${unread}s`;
}
