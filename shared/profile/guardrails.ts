import { isIP } from 'node:net';
import type { Finding } from './finding.js';
import { bareDomain, hostOf, isHost, isOn } from './forms.js';
import type { Stage } from './reference.js';
import { effective, given, hostsOf, secretValues, type Values } from './values.js';

/** What the guardrails look at. */
export interface Circumstances {
  readonly values: Values;
  readonly stage: Stage;
}

/** A finding before its line is known: `variable` names the place. */
export type Placeless = Omit<Finding, 'line' | 'column'>;

type Guardrail = (circumstances: Circumstances) => Placeless | undefined;

/** What is known to go wrong on a cluster with public certificates, though every value has the right form. */
export function checkGuardrails(circumstances: Circumstances): Placeless[] {
  return GUARDRAILS.map((guardrail) => guardrail(circumstances)).filter((finding) => finding !== undefined);
}

const GUARDRAILS: readonly Guardrail[] = [
  domainIsBare,
  endpointIsCovered,
  endpointIsKnown,
  legacyRegistryHost,
  noTestMode,
  waitThatIsRead,
  wholeIdentityProvider,
  someoneCanSignIn,
  oneKubeconfig,
];

function domainIsBare({ values }: Circumstances): Placeless | undefined {
  const variable = 'MCP_PLATFORM_DOMAIN';
  const written = given(values, variable);
  if (written === undefined || isHost(written)) return undefined;
  const bare = bareDomain(written);
  return {
    code: 'profile-domain',
    severity: 'error',
    variable,
    message: `${variable} must be a bare domain: lower case, no scheme, path, port or trailing dot.`,
    remedy: bare === undefined ? 'Write a domain such as mcpruntime.org.' : `Write ${variable}=${shown(values, bare)}`,
  };
}

function endpointIsCovered({ values }: Circumstances): Placeless | undefined {
  const variable = 'MCP_REGISTRY_ENDPOINT';
  const endpoint = given(values, variable);
  const mode = effective(values, 'MCP_SETUP_REGISTRY_MODE');
  if (endpoint === undefined || mode === 'bundled-http' || mode === 'external') return undefined;
  const { registry } = hostsOf(values);
  const host = hostOf(endpoint);
  if (host === registry) return undefined;
  const remedy =
    registry === undefined ? 'Write the public registry host.' : `Write ${variable}=${shown(values, registry)}`;
  const isInside = isIP(host) !== 0 || !isHost(host) || /\.(?:svc|local)$/.test(host);
  if (isInside) {
    const message = `${variable} is an address inside the cluster. No public certificate covers it, so pulls fail.`;
    return { code: 'profile-registry-endpoint', severity: 'error', variable, message, remedy };
  }
  const message = `${variable} is not the public registry host, the one that the registry's certificate names.`;
  return { code: 'profile-registry-endpoint', severity: 'warning', variable, message, remedy };
}

/** With public certificates nodes pull from the registry's public host, and setup says so itself. */
function endpointIsKnown({ values, stage }: Circumstances): Placeless | undefined {
  const variable = 'MCP_REGISTRY_ENDPOINT';
  const mode = effective(values, 'MCP_SETUP_REGISTRY_MODE');
  const isAsked = stage === 'setup' && (mode === 'auto' || mode === 'bundled-http');
  const isGiven = [variable, 'PROVISIONED_REGISTRY_URL'].some((name) => given(values, name) !== undefined);
  if (!isAsked || isGiven) return undefined;
  return {
    code: 'profile-variable-missing',
    severity: 'error',
    variable,
    message: `${variable} is required for setup with the registry mode ${mode}.`,
    remedy: `Add a line ${variable}=… with the address from which the nodes pull images, or take MCP_SETUP_REGISTRY_MODE out: it is bundled-https then, and that address is the registry’s public host.`,
  };
}

function legacyRegistryHost({ values }: Circumstances): Placeless | undefined {
  const variable = 'MCP_REGISTRY_HOST';
  const host = given(values, variable);
  if (host === undefined) return undefined;
  const isSame = host === hostsOf(values).registry;
  return {
    code: 'profile-registry-host',
    severity: isSame ? 'warning' : 'error',
    variable,
    message: `${variable} is read in several meanings${isSame ? '' : ', and here it is not the registry host'}.`,
    remedy: 'Remove the line; the host is derived from MCP_PLATFORM_DOMAIN.',
  };
}

function noTestMode({ values }: Circumstances): Placeless | undefined {
  const variable = ['MCP_RUNTIME_TEST_MODE', 'MCP_SETUP_TEST_MODE'].find((name) => isOn(given(values, name)));
  if (variable === undefined) return undefined;
  return {
    code: 'profile-test-mode',
    severity: variable === 'MCP_RUNTIME_TEST_MODE' ? 'error' : 'warning',
    variable,
    message: `${variable} switches off checks that a production cluster needs.`,
    remedy: 'Remove the line.',
  };
}

function waitThatIsRead({ values }: Circumstances): Placeless | undefined {
  const variable = 'MCP_SETUP_WAIT_TIMEOUT';
  const written = given(values, variable);
  if (written === undefined) return undefined;
  const hasOther = given(values, 'MCP_DEPLOYMENT_TIMEOUT') !== undefined;
  const isSeconds = /^\d+$/.test(written);
  return {
    code: 'profile-wait-timeout',
    severity: hasOther ? 'notice' : 'warning',
    variable,
    message: `${variable} has no effect: nothing reads it. MCP_DEPLOYMENT_TIMEOUT sets the wait.`,
    remedy:
      hasOther || !isSeconds ? 'Remove the line.' : `Write MCP_DEPLOYMENT_TIMEOUT=${shown(values, written)}s instead.`,
  };
}

function wholeIdentityProvider({ values }: Circumstances): Placeless | undefined {
  const isGiven = (name: string) => given(values, name) !== undefined;
  // A Google client fills in what is missing, but an issuer and the keys of two providers never match.
  const parts = isGiven('GOOGLE_CLIENT_ID')
    ? ['OIDC_ISSUER', 'OIDC_JWKS_URL']
    : ['OIDC_ISSUER', 'OIDC_JWKS_URL', 'OIDC_AUDIENCE'];
  const missing = parts.filter((name) => !isGiven(name));
  const variable = parts.find(isGiven);
  if (variable === undefined || missing.length === 0) return undefined;
  return {
    code: 'profile-oidc',
    severity: 'error',
    variable,
    message: `${missing.join(' and ')} must be set with ${variable}; the API does not start with half a provider.`,
    remedy: 'Set OIDC_ISSUER, OIDC_AUDIENCE and OIDC_JWKS_URL together, or none of them.',
  };
}

function someoneCanSignIn({ values, stage }: Circumstances): Placeless | undefined {
  const hasProvider = ['GOOGLE_CLIENT_ID', 'OIDC_ISSUER'].some((name) => given(values, name) !== undefined);
  if (stage !== 'setup' || hasProvider) return undefined;
  const variable = 'GOOGLE_CLIENT_ID';
  if (effective(values, 'MCP_SETUP_PLATFORM_MODE') === 'public') {
    const message = `The platform mode is public, which needs sign-in, and ${variable} is not set.`;
    return { code: 'profile-sign-in', severity: 'error', variable, message, remedy: `Set ${variable}.` };
  }
  if (given(values, 'MCP_PLATFORM_ADMIN_PASSWORD') !== undefined) return undefined;
  return {
    code: 'profile-sign-in',
    severity: 'warning',
    variable,
    message: 'Nobody could sign in: there is neither an identity provider nor a password of the administrator.',
    remedy: `Set ${variable} or MCP_PLATFORM_ADMIN_PASSWORD.`,
  };
}

function oneKubeconfig({ values }: Circumstances): Placeless | undefined {
  const variable = 'MCP_SETUP_KUBECONFIG';
  const used = given(values, variable);
  const other = given(values, 'KUBECONFIG');
  if (used === undefined || other === undefined || used === other) return undefined;
  return {
    code: 'profile-kubeconfig',
    severity: 'warning',
    variable,
    message: `${variable} and KUBECONFIG differ; ${variable} counts.`,
    remedy: 'Give both the same path.',
  };
}

/** A value for a message, unless a line of the profile made it from a secret. */
function shown(values: Values, value: string): string {
  const holdsSecret = secretValues(values).some((secret) => value.toLowerCase().includes(secret.toLowerCase()));
  return holdsSecret ? '(hidden)' : value;
}
