import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { messageOf } from '../errors.js';
import type { RegistryRoute } from './route.js';

/** A registry on this machine's loopback address that leads to another one. */
export interface Door {
  /** What comes before a repository's name, as Docker has it: `127.0.0.1:PORT/secret`. */
  prefix: string;
  /** Bytes of a repository's layers that have gone through. */
  sent(repository: string): number;
  close(): Promise<void>;
}

/** Headers that belong to one connection, and those that the way beyond sets itself. */
const notPassed = new Set([
  'host',
  'connection',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
  'proxy-connection',
  'proxy-authorization',
  'authorization',
  'expect',
]);

/**
 * Opens a door for Docker to push through. Docker takes every registry on the loopback address without TLS and without
 * a login, so that the platform's password need not be where Docker would keep it: in a file.
 *
 * Only who knows the random part of the path gets through: others on this machine do not.
 */
export async function openDoor(route: RegistryRoute, signal: AbortSignal): Promise<Door> {
  const secret = randomBytes(16).toString('hex');
  const bytes = new Map<string, number>();
  const pass = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const url = incoming.url ?? '/';
    const path = inward(url, secret);
    if (path === undefined) {
      incoming.resume();
      outgoing.writeHead(404, { 'content-type': 'application/json' }).end('{"errors":[{"code":"NAME_UNKNOWN"}]}');
      return;
    }
    const gone = new AbortController();
    outgoing.once('close', () => {
      if (!outgoing.writableFinished) gone.abort(new Error('Docker has gone'));
    });
    const repository = /^\/v2\/(.+?)\/(?:blobs|manifests|tags)\//.exec(path)?.[1] ?? '';
    if (/\/blobs\/uploads\//.test(path)) {
      incoming.on('data', (chunk: Buffer) => bytes.set(repository, (bytes.get(repository) ?? 0) + chunk.length));
    }
    const hasBody =
      incoming.headers['content-length'] !== '0' && !['GET', 'HEAD', 'DELETE'].includes(incoming.method ?? '');
    const answer = await route.request({
      method: incoming.method ?? 'GET',
      path,
      headers: passedHeaders(incoming.headers),
      ...(hasBody ? { body: incoming } : {}),
      signal: AbortSignal.any([signal, gone.signal]),
    });
    const headers = passedHeaders(answer.headers);
    if (headers.location !== undefined) headers.location = outward(headers.location, secret);
    outgoing.writeHead(answer.status, headers);
    await pipeline(answer.body, outgoing);
  };
  const server = createServer((incoming, outgoing) => {
    pass(incoming, outgoing).catch((error: unknown) => {
      if (outgoing.headersSent || outgoing.destroyed) {
        outgoing.destroy();
        return;
      }
      const text = JSON.stringify({ errors: [{ code: 'UNAVAILABLE', message: messageOf(error) }] });
      outgoing.writeHead(503, { 'content-type': 'application/json' }).end(text);
    });
  });
  // A layer may take as long as it takes; the push has a deadline of its own.
  server.requestTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    prefix: `127.0.0.1:${port}/${secret}`,
    sent: (repository) => bytes.get(repository) ?? 0,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The path beyond the door; undefined for who may not through. Every registry is asked `/v2/` first. */
function inward(url: string, secret: string): string | undefined {
  if (url === '/v2/' || url === '/v2') return '/v2/';
  const begin = `/v2/${secret}/`;
  if (!url.startsWith(begin)) return undefined;
  // A layer that another image of the same registry has is mounted from there, by that image's name.
  return `/v2/${url.slice(begin.length)}`.replace(
    new RegExp(`([?&]from=)${secret}(?:%2F|/)`, 'gi'),
    (_, parameter: string) => parameter,
  );
}

/** Where an answer leads, on this side of the door: the registry names itself, by whatever name it knows. */
function outward(location: string, secret: string): string {
  const { pathname, search } = new URL(location, 'http://registry');
  return `${pathname.replace(/^\/v2\//, `/v2/${secret}/`)}${search}`;
}

function passedHeaders(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined || notPassed.has(name) ? [] : [[name, Array.isArray(value) ? value.join(', ') : value]],
    ),
  );
}
