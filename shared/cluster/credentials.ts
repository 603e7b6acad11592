import { readFileSync } from 'node:fs';
import type { RequestOptions } from 'node:https';
// The deep path keeps 30 MB of generated API classes out of the bundle; the package has no `exports` map.
import { KubeConfig } from '@kubernetes/client-node/dist/config.js';
import { parse as parseYaml } from 'yaml';
import { McprtError } from '../errors.js';
import { isRecord } from '../json.js';
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
}

/**
 * Reads a kubeconfig given as a path, as YAML or JSON text, or as base64 of such text.
 *
 * @throws McprtError `kubeconfig-missing`, `kubeconfig-invalid`, `kubeconfig-untrusted`
 */
export async function loadCredentials(source: string, options: CredentialOptions): Promise<Credentials> {
  const { config, text: written } = parse(source);
  const cluster = config.getCurrentCluster();
  const user = config.getCurrentUser();
  if (!cluster || !user) {
    throw new McprtError('kubeconfig-invalid', {
      what: 'the kubeconfig has no usable current context',
      why: `current-context is "${config.getCurrentContext() ?? ''}" and names no cluster and user of this file`,
      next: 'set current-context to one of its contexts, for example with `kubectl config use-context`',
    });
  }
  if (!cluster.server.startsWith('https://')) {
    throw new McprtError('kubeconfig-untrusted', {
      what: 'the kubeconfig names an API server without TLS',
      why: `${cluster.server} is not an https address, and Secrets would travel in the clear`,
      next: 'use the API server’s https address',
    });
  }
  refuseUntrusted(cluster.skipTLSVerify === true, Boolean(user.exec ?? user.authProvider), options);

  const https: RequestOptions = {};
  try {
    await config.applyToHTTPSOptions(https);
  } catch (cause) {
    throw new McprtError('kubeconfig-invalid', {
      what: `the credentials of kubeconfig user "${user.name}" cannot be loaded`,
      why: 'a file that it names cannot be read, or its plugin failed',
      next: 'check that every path in the kubeconfig exists on this runner; inline the data with `kubectl config view --flatten`',
      cause: cause instanceof Error && 'code' in cause ? cause : undefined,
    });
  }
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(https.headers ?? {})) {
    headers[name.toLowerCase()] = String(value);
  }
  if (https.auth) {
    headers.authorization = `Basic ${Buffer.from(https.auth).toString('base64')}`;
  }
  const bearer = /^(?:Bearer|Basic) (.+)$/.exec(headers.authorization ?? '')?.[1];
  const tokenFile = tokenFileOf(written, user.name);
  return {
    server: cluster.server.replace(/\/+$/, ''),
    context: config.getCurrentContext(),
    headers,
    // The library reads tokens of pods' files only.
    ...(bearer === undefined && tokenFile !== undefined ? { tokens: fileTokens(tokenFile) } : {}),
    tls: {
      ...pick('ca', https.ca),
      ...pick('cert', https.cert),
      ...pick('key', https.key),
      ...(https.servername === undefined ? {} : { servername: https.servername }),
      ...(cluster.skipTLSVerify === true ? { rejectUnauthorized: false as const } : {}),
    },
    ...(cluster.proxyUrl === undefined ? {} : { proxyUrl: cluster.proxyUrl }),
    secrets: [bearer, user.token, user.password, user.keyData, text(https.key)].filter(
      (secret): secret is string => typeof secret === 'string' && secret !== '',
    ),
  };
}

function parse(source: string): { config: KubeConfig; text: string } {
  const trimmed = source.trim();
  const config = new KubeConfig();
  let text = trimmed;
  if (trimmed === '') {
    throw new McprtError('kubeconfig-missing', {
      what: 'no kubeconfig was given',
      why: 'the input `kubeconfig` is empty, and so are MCP_SETUP_KUBECONFIG and KUBECONFIG in the profile and environment',
      next: 'give a path, the file’s text, or its base64, usually from a secret of the protected environment',
    });
  }
  try {
    if (looksLikeText(trimmed)) {
      config.loadFromString(trimmed);
    } else if (looksLikeBase64(trimmed)) {
      text = Buffer.from(trimmed, 'base64').toString('utf8');
      config.loadFromString(text);
    } else {
      text = readFileSync(trimmed, 'utf8');
      config.loadFromFile(trimmed);
    }
  } catch (cause) {
    const missing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    // A parser's message quotes the text that it could not read, which may be a token: it is not passed on.
    throw new McprtError(missing ? 'kubeconfig-missing' : 'kubeconfig-invalid', {
      what: missing ? `there is no kubeconfig at ${trimmed}` : 'the kubeconfig cannot be read',
      why: missing ? 'the file does not exist on this runner' : 'it is neither YAML or JSON text nor base64 of it',
      next: 'give a path that exists, the file’s text, or its base64 (`base64 -w0 < kubeconfig`)',
    });
  }
  return { config, text };
}

function tokenFileOf(text: string, name: string): string | undefined {
  const written: unknown = parseYaml(text);
  const users = isRecord(written) && Array.isArray(written.users) ? written.users.filter(isRecord) : [];
  const user = users.find((one) => one.name === name)?.user;
  return isRecord(user) && typeof user.tokenFile === 'string' && user.tokenFile !== '' ? user.tokenFile : undefined;
}

function looksLikeText(source: string): boolean {
  return source.includes('\n') ? /^[\w-]+\s*:|^\{|^---/m.test(source) : source.startsWith('{');
}

function looksLikeBase64(source: string): boolean {
  return source.length > 200 && /^[A-Za-z0-9+/=\s]+$/.test(source);
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
