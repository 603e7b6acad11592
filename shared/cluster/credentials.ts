import type { RequestOptions } from 'node:https';
import { dirname } from 'node:path';
import { createSecureContext } from 'node:tls';
// The deep path keeps 30 MB of generated API classes out of the bundle; the package has no `exports` map.
import { KubeConfig } from '@kubernetes/client-node/dist/config.js';
import { McprtError } from '../errors.js';
import { isRecord } from '../json.js';
import { passwordsIn, percentDecoded } from '../secret-shapes.js';
import { withoutEnd } from '../text.js';
import { readKubeconfig } from './kubeconfig-text.js';
import { fileTokens } from './token-file.js';
import type { TokenSource } from './token-source.js';

/** What is needed to talk to one API server: of a kubeconfig's current context, or of a job's identity. */
export interface Credentials {
  server: string;
  context: string;
  headers: Record<string, string>;
  /** Tokens that end, in place of an authorization in the headers. */
  tokens?: TokenSource;
  /** What it means that the API server takes such a token not; without it, 401 is all that is known. */
  explainRefusal?: (token: string) => McprtError;
  tls: {
    ca?: string | Buffer;
    cert?: string | Buffer;
    key?: string | Buffer;
    servername?: string;
    rejectUnauthorized?: false;
  };
  proxyUrl?: string;
  /** Leaves that must be masked before anything is printed: token, password, client key. */
  secrets: string[];
}

export interface CredentialOptions {
  /** Allows the kubeconfig to start programs (exec plugins) and to skip the check of the server's certificate. */
  trusted: boolean;
  /** Told of secrets, and of what may be one, before anything is done with what was given. */
  onSecrets?: (secrets: string[]) => void;
}

/**
 * Reads a kubeconfig given as a path, as YAML or JSON text, or as base64 of such text.
 *
 * @throws McprtError `kubeconfig-missing`, `kubeconfig-invalid`, `kubeconfig-untrusted`
 */
export async function loadCredentials(source: string, options: CredentialOptions): Promise<Credentials> {
  const { config, fields } = parse(source, options.onSecrets ?? (() => undefined));
  const cluster = config.getCurrentCluster();
  const user = config.getCurrentUser();
  if (!cluster || !user) {
    throw new McprtError('kubeconfig-invalid', {
      what: 'the kubeconfig has no usable current context',
      why: `current-context is ${shownName(config.getCurrentContext())} and names no cluster and user of this file`,
      next: 'set current-context to one of its contexts, for example with `kubectl config use-context`',
    });
  }
  const server = addressOf(cluster.server, 'server');
  if (server.protocol !== 'https:') {
    throw new McprtError('kubeconfig-untrusted', {
      what: 'the kubeconfig names an API server without TLS',
      why: `${server.protocol}//${server.host} is not an https address, and Secrets would travel in the clear`,
      next: 'use the API server’s https address',
    });
  }
  if (cluster.proxyUrl !== undefined && !/^https?:$/.test(addressOf(cluster.proxyUrl, 'proxy-url').protocol)) {
    throw unusable('its proxy-url is of another kind than http and https');
  }
  refuseUntrusted(cluster.skipTLSVerify === true, Boolean(user.exec ?? user.authProvider), options);

  const https: RequestOptions = {};
  try {
    await config.applyToHTTPSOptions(https);
  } catch (cause) {
    throw new McprtError('kubeconfig-invalid', {
      what: `the credentials of kubeconfig user ${shownName(user.name)} cannot be loaded`,
      why: 'a file that it names cannot be read, or its plugin failed',
      next: 'check that every path in the kubeconfig exists on this runner; inline the data with `kubectl config view --flatten`',
      cause: cause instanceof Error && 'code' in cause ? cause : undefined,
    });
  }
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(https.headers ?? {})) {
    headers[name.toLowerCase()] = headerOf(String(value));
  }
  const basic = https.auth ?? (server.username === '' || headers.authorization ? undefined : userOf(server));
  if (basic) {
    headers.authorization = `Basic ${Buffer.from(basic).toString('base64')}`;
  }
  const bearer = /^(?:Bearer|Basic) (.+)$/.exec(headers.authorization ?? '')?.[1];
  const tls = {
    ...pick('ca', https.ca),
    ...pick('cert', https.cert),
    ...pick('key', https.key),
    ...(https.servername === undefined ? {} : { servername: https.servername }),
    ...(cluster.skipTLSVerify === true ? { rejectUnauthorized: false as const } : {}),
  };
  // Of a short token the header is what can be told from ordinary words.
  const secrets = [headers.authorization, bearer, user.token, user.password, user.keyData, text(https.key)].filter(
    (secret): secret is string => typeof secret === 'string' && secret !== '',
  );
  secrets.push(...passwordsIn(cluster.server), ...passwordsIn(cluster.proxyUrl ?? ''));
  options.onSecrets?.(secrets);
  try {
    createSecureContext(tls);
  } catch {
    // OpenSSL's words are about bytes of the key.
    throw unusable('its CA, client certificate or client key is none, or they do not belong together');
  }
  const tokenFile = tokenFileOf(fields, user.name);
  return {
    server: withoutEnd(`${server.origin}${server.pathname}`, '/'),
    context: config.getCurrentContext(),
    headers,
    // The library reads tokens of pods' files only.
    ...(bearer === undefined && tokenFile !== undefined ? { tokens: fileTokens(tokenFile) } : {}),
    tls,
    ...(cluster.proxyUrl === undefined ? {} : { proxyUrl: cluster.proxyUrl }),
    secrets,
  };
}

function parse(
  source: string,
  onSecrets: (secrets: string[]) => void,
): { config: KubeConfig; fields: Record<string, unknown> } {
  const { fields, path } = readKubeconfig(source, onSecrets);
  const config = new KubeConfig();
  try {
    config.loadFromString(JSON.stringify(fields));
    if (path !== undefined) config.makePathsAbsolute(dirname(path));
  } catch {
    throw unusable('one of its clusters, users or contexts has no name, or not the fields that it must have');
  }
  return { config, fields };
}

function tokenFileOf({ users: written }: Record<string, unknown>, name: string): string | undefined {
  const users = Array.isArray(written) ? written.filter(isRecord) : [];
  const user = users.find((one) => one.name === name)?.user;
  return isRecord(user) && typeof user.tokenFile === 'string' && user.tokenFile !== '' ? user.tokenFile : undefined;
}

/** An address of the kubeconfig; it may hold a password, and is not shown where it is none. */
function addressOf(address: unknown, field: string): URL {
  if (typeof address === 'string' && URL.canParse(address)) return new URL(address);
  throw unusable(`the field ${field} of its cluster is no address`);
}

function userOf({ username, password }: URL): string {
  return `${percentDecoded(username)}:${percentDecoded(password)}`;
}

/** The value of a header as HTTP takes it: a line end that came along with a token is none of it. */
function headerOf(value: string): string {
  const trimmed = value.trim();
  if (/^[\x20-\x7e]+$/.test(trimmed) && !/^Bearer .*\s/.test(trimmed)) return trimmed;
  throw unusable('its token has a line end, a blank or a letter within that no token has: it was damaged on its way');
}

function unusable(why: string): McprtError {
  return new McprtError('kubeconfig-invalid', {
    what: 'the kubeconfig cannot be used',
    why,
    next: 'store it again as the cluster wrote it, with the data in it: `kubectl config view --raw --flatten --minify`',
  });
}

/** A name out of the kubeconfig, as short as names are. */
function shownName(name: unknown): string {
  return JSON.stringify(String(name ?? '').slice(0, 80));
}

function refuseUntrusted(skipsVerification: boolean, startsProgram: boolean, options: CredentialOptions): void {
  if (options.trusted || !(skipsVerification || startsProgram)) {
    return;
  }
  throw new McprtError('kubeconfig-untrusted', {
    what: skipsVerification
      ? 'the kubeconfig turns off the check of the API server’s certificate'
      : 'the kubeconfig wants to start a program to get its credentials',
    why: skipsVerification
      ? '`insecure-skip-tls-verify: true` would let anyone on the way read every Secret'
      : 'exec plugins and auth providers run with all secrets of this job',
    next: skipsVerification
      ? 'put the server’s CA into `certificate-authority-data`'
      : 'use a token or a client certificate, or set `kubeconfig-trusted: true` if you trust where the file comes from',
  });
}

function pick<Name extends 'ca' | 'cert' | 'key'>(name: Name, value: unknown): { [key in Name]?: string | Buffer } {
  return typeof value === 'string' || Buffer.isBuffer(value)
    ? ({ [name]: value } as { [key in Name]: string | Buffer })
    : {};
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' || Buffer.isBuffer(value) ? value.toString() : undefined;
}
