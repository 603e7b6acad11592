import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { type Listening, listenOnLoopback } from '../../lab/driver/loopback.js';
import {
  type KeyPair,
  makeCertificateAuthority,
  makeServerCertificate,
} from '../../lab/platform/certificate-authority.js';
import { textAt } from '../../shared/cluster/fields.js';
import { parsedJson } from '../../shared/json.js';

/** The names of a registry and of what stands around it; all of them are one server. */
export const hosts = {
  registry: 'registry.example.com',
  /** Gives tokens, within the registry's domain. */
  tokens: 'auth.example.com',
  /** Gives tokens, and is somebody else's. */
  foreignTokens: 'auth.tokens.example.org',
  /** Has the blobs. */
  store: 'blobs.storage.example.net',
} as const;

export const credentials = { username: 'platform-service', password: 'pass:word é' };
export const basic = `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')}`;

/** What was asked of one of the names. */
export interface Asked {
  host: string;
  method: string;
  path: string;
  authorization: string;
}

/** Answers in place of the plain registry; `false` leaves it to that one. */
export type Instead = (request: Asked, response: ServerResponse) => boolean;

/** A registry that asks for its password, gives what it has, and nothing else. */
export interface StandIn {
  port: number;
  ca: string;
  asked: Asked[];
  /** Bytes by `repository/digest` and `repository/tag`. */
  content: Map<string, Buffer>;
  /** Headers beside those of the specification; undefined takes one away. */
  headers: Record<string, string | undefined>;
  instead: Instead;
  /** Puts content in, by its digest and by other names. @returns the digest */
  put(content: unknown, ...names: string[]): string;
  reset(): void;
  close(): Promise<void>;
}

export const digestOf = (bytes: Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** Starts it on the loopback interface, over TLS. */
export async function startStandIn(): Promise<StandIn> {
  const ca: KeyPair = await makeCertificateAuthority();
  const own = await makeServerCertificate([hosts.registry, hosts.tokens, hosts.foreignTokens, hosts.store], ca);
  const standIn: StandIn = {
    port: 0,
    ca: ca.certificate,
    asked: [],
    content: new Map(),
    headers: {},
    instead: () => false,
    put(content, ...names) {
      const bytes = Buffer.isBuffer(content) ? content : Buffer.from(JSON.stringify(content));
      for (const name of [digestOf(bytes), ...names]) standIn.content.set(`app/${name}`, bytes);
      return digestOf(bytes);
    },
    reset() {
      Object.assign(standIn, { asked: [], headers: {}, instead: () => false });
      standIn.content.clear();
    },
    close: () => listening.close(),
  };
  const server = createServer({ cert: own.certificate, key: own.key }, (request, response) => {
    answer(standIn, request, response);
  });
  const listening: Listening = await listenOnLoopback(server);
  standIn.port = listening.port;
  return standIn;
}

function answer(standIn: StandIn, request: IncomingMessage, response: ServerResponse): void {
  const { host = '', authorization = '' } = request.headers;
  const { method = '', url = '' } = request;
  const asked = { host: host.replace(/:\d+$/, ''), method, path: url, authorization };
  standIn.asked.push(asked);
  if (standIn.instead(asked, response)) return;
  if (asked.host !== hosts.registry) refuse(response, 404, 'NAME_UNKNOWN');
  else if (authorization !== basic) refuse(response, 401, 'UNAUTHORIZED', { 'www-authenticate': 'Basic realm="r"' });
  else give(standIn, asked, response);
}

/** Gives what is there, as the specification of registries has it. */
export function give(standIn: StandIn, { method, path }: Asked, response: ServerResponse): void {
  const [, name = '', kind, reference = ''] = /^\/v2\/(.+?)\/(manifests|blobs)\/([^?]+)/.exec(path) ?? [];
  const found = standIn.content.get(`${name}/${reference}`);
  if (kind === undefined || found === undefined) {
    refuse(response, 404, kind === 'blobs' ? 'BLOB_UNKNOWN' : 'MANIFEST_UNKNOWN');
    return;
  }
  const headers = {
    'content-type': kind === 'blobs' ? 'application/octet-stream' : mediaTypeOf(found),
    'content-length': String(found.length),
    'docker-content-digest': digestOf(found),
    ...standIn.headers,
  };
  const told = Object.entries(headers).filter((one): one is [string, string] => one[1] !== undefined);
  response.writeHead(200, Object.fromEntries(told)).end(method === 'HEAD' ? undefined : found);
}

/** Refuses as registries do. */
export function refuse(
  response: ServerResponse,
  status: number,
  code: string,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify({ errors: [{ code, message: code.toLowerCase().replaceAll('_', ' ') }] }));
}

function mediaTypeOf(manifest: Buffer): string {
  return textAt(parsedJson(manifest.toString('utf8')), 'mediaType') || 'application/json';
}
