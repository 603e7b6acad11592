import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { McprtError } from '../errors.js';
import { passwordsIn, percentDecoded } from '../secret-shapes.js';
import { withoutEnd } from '../text.js';
import { askPlugin, type PluginAnswer } from './credential-plugin.js';
import type { Impersonation } from './impersonation.js';
import { type ChosenContext, chooseContext, type KubeconfigUser, shown, unusable } from './kubeconfig.js';
import { readKubeconfig } from './kubeconfig-text.js';
import { fileTokens } from './token-file.js';
import type { TokenSource } from './token-source.js';

/** What is needed to talk to one API server: of a kubeconfig's current context, or of a job's identity. */
export interface Credentials {
  server: string;
  context: string;
  headers: Record<string, string>;
  impersonation?: Impersonation;
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
  /** The context; the current one when it is empty. */
  context?: string;
  /** Told of secrets, and of what may be one, before anything is done with what was given. */
  onSecrets?: (secrets: string[]) => void;
}

/**
 * Reads a kubeconfig given as a path, a list of paths as in KUBECONFIG, as YAML or JSON text, or as base64 of such text. It
 * means what Kubernetes' own client takes it for.
 *
 * @throws McprtError `kubeconfig-missing`, `kubeconfig-invalid`, `kubeconfig-redacted`, `kubeconfig-untrusted`
 */
export async function loadCredentials(source: string, options: CredentialOptions): Promise<Credentials> {
  const onSecrets = options.onSecrets ?? (() => undefined);
  const chosen = chooseContext(readKubeconfig(source, onSecrets), options.context ?? '');
  const { context, cluster, user } = chosen;
  const server = serverOf(chosen);
  const proxyUrl = cluster['proxy-url'];
  if (proxyUrl !== '' && !/^https?:$/.test(addressOf(proxyUrl, 'proxy-url').protocol)) {
    throw unusable('its proxy-url is of another kind than http and https');
  }
  const isUnchecked = cluster['insecure-skip-tls-verify'];
  const hasPlugin = Boolean(user.exec ?? user['auth-provider']);
  refuseUntrusted(isUnchecked, hasPlugin, options);
  const [ca, own, plugin] = await loading(chosen, () =>
    Promise.all([
      material(cluster['certificate-authority-data'], cluster['certificate-authority']),
      clientCertificate(user),
      hasPlugin ? askPlugin(chosen) : ({} as PluginAnswer),
    ]),
  );
  const cert = plugin.cert ?? own?.cert;
  const key = plugin.key ?? own?.key;
  const written =
    basicOf(user.username, user.password) ?? (user.token === '' ? undefined : `Bearer ${user.token.trim()}`);
  const fileToken = user.tokenFile === '' ? undefined : fileTokens(user.tokenFile, { token: user.token, onSecrets });
  const first = fileToken && (await fileToken.current());
  // Go's client takes the address's user where nothing else says who asks.
  const basic =
    first === undefined ? basicOf(percentDecoded(server.username), percentDecoded(server.password)) : undefined;
  const given = plugin.authorization ?? written ?? basic;
  const authorization = given === undefined ? undefined : headerOf(given);
  const bearer = /^(?:Bearer|Basic) (.+)$/.exec(authorization ?? '')?.[1];
  const tls = {
    ...(ca && { ca }),
    ...(cert && { cert }),
    ...(key && { key }),
    ...(cluster['tls-server-name'] !== '' && { servername: cluster['tls-server-name'] }),
    ...(isUnchecked && { rejectUnauthorized: false as const }),
  };
  // Of a short token the header is what can be told from ordinary words.
  const secrets = [
    authorization,
    bearer,
    first,
    user.token,
    user.password,
    user['client-key-data'],
    key?.toString(),
  ].filter((secret) => secret !== undefined && secret !== '') as string[];
  secrets.push(...passwordsIn(cluster.server), ...passwordsIn(proxyUrl));
  onSecrets(secrets);
  try {
    // Node takes a CA that is none, and trusts nobody then.
    if (ca !== undefined) requireCertificate(ca);
    createSecureContext(tls);
  } catch {
    // OpenSSL's words are about bytes of the key.
    throw unusable('its CA, client certificate or client key is none, or they do not belong together');
  }
  return {
    server: withoutEnd(`${server.origin}${server.pathname}`, '/'),
    context,
    headers: fileToken !== undefined || authorization === undefined ? {} : { authorization },
    ...(fileToken && { tokens: fileToken }),
    ...(user.as !== '' && { impersonation: impersonationOf(user) }),
    tls,
    ...(proxyUrl !== '' && { proxyUrl }),
    secrets,
  };
}

/** The API server's address. Kubernetes' own client takes one without a scheme for http. */
function serverOf({ cluster: { server } }: ChosenContext): URL {
  const url = addressOf(/^[a-z][a-z0-9+.-]*:\/\//i.test(server) ? server : `http://${server}`, 'server');
  if (url.protocol === 'https:') return url;
  throw new McprtError('kubeconfig-untrusted', {
    what: 'the kubeconfig names an API server without TLS',
    why: `${url.protocol}//${url.host} is not an https address, and Secrets would travel in the clear; an address without a scheme is http`,
    next: 'use the API server’s https address',
  });
}

async function loading<T>({ userName }: ChosenContext, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    if (cause instanceof McprtError) throw cause;
    throw new McprtError('kubeconfig-invalid', {
      what: `the credentials of kubeconfig user ${shown(userName)} cannot be loaded`,
      why: 'a file that it names cannot be read, or its plugin failed',
      next: 'check that every path in the kubeconfig exists on this machine; inline the data with `kubectl config view --raw --flatten`',
      cause: cause instanceof Error && 'code' in cause ? cause : undefined,
    });
  }
}

/** What a field and its file say: `…-data` is base64, in one line or in many. */
async function material(data: string, path: string): Promise<Buffer | undefined> {
  if (data !== '') {
    const packed = data.replace(/[\r\n]/g, '');
    if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(packed)) {
      throw unusable('one of its fields that end in -data is no base64');
    }
    return Buffer.from(packed, 'base64');
  }
  return path === '' ? undefined : readFile(path);
}

/** @throws when none of the certificates of a file can be read */
function requireCertificate(pem: Buffer): void {
  const blocks = pem.toString('latin1').match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  if (!blocks.some(isCertificate)) throw new Error('no certificate');
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}

/** A key without a certificate is no credential, and is not looked at. */
async function clientCertificate(user: KubeconfigUser): Promise<{ cert?: Buffer; key?: Buffer } | undefined> {
  const cert = await material(user['client-certificate-data'], user['client-certificate']);
  if (cert === undefined) return undefined;
  const key = await material(user['client-key-data'], user['client-key']);
  return { cert, ...(key && { key }) };
}

function basicOf(username: string, password: string): string | undefined {
  if (username === '' && password === '') return undefined;
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

function impersonationOf(user: KubeconfigUser): Impersonation {
  return { user: user.as, uid: user['as-uid'], groups: user['as-groups'], extra: user['as-user-extra'] };
}

/** An address of the kubeconfig; it may hold a password, and is not shown where it is none. */
function addressOf(address: unknown, field: string): URL {
  if (typeof address === 'string' && URL.canParse(address)) return new URL(address);
  throw unusable(`the field ${field} of its cluster is no address`);
}

/** The value of a header as HTTP takes it: a line end that came along with a token is none of it. */
function headerOf(value: string): string {
  const trimmed = value.trim();
  if (/^[\x20-\x7e]+$/.test(trimmed) && !/^Bearer .*\s/.test(trimmed)) return trimmed;
  throw unusable('its token has a line end, a blank or a letter within that no token has: it was damaged on its way');
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
      : 'exec plugins and auth providers run with all secrets of this run',
    next: skipsVerification
      ? 'put the server’s CA into `certificate-authority-data`'
      : 'use a token or a client certificate, or set `kubeconfig-trusted: true` if you trust where the file comes from',
  });
}
