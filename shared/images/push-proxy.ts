import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { messageOf } from '../errors.js';
import type { RegistryRoute } from './route.js';

/** A registry on this machine's loopback address that leads to another one. */
export interface Door {
  /** The registry as Docker calls it: `127.0.0.1:PORT`. */
  host: string;
  /** What Docker must log in with, as its configuration has it: user and password, encoded. */
  auth: string;
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

const user = 'mcprt';

/**
 * Opens a door for Docker to push through. Docker takes every registry on the loopback address without TLS, so that the
 * platform's password need not be where Docker would keep it: in a file.
 *
 * Only who has the door's own password gets through: others on this machine do not. It is in no command line, which
 * everybody on the machine can read, and opens nothing once the door is closed.
 */
export async function openDoor(route: RegistryRoute, signal: AbortSignal): Promise<Door> {
  const auth = Buffer.from(`${user}:${randomBytes(16).toString('hex')}`).toString('base64');
  const isLet = (authorization = ''): boolean => {
    const [given, wanted] = [authorization, `Basic ${auth}`].map((one) => createHash('sha256').update(one).digest());
    return given !== undefined && wanted !== undefined && timingSafeEqual(given, wanted);
  };
  const bytes = new Map<string, number>();
  const pass = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const method = incoming.method ?? 'GET';
    if (!isLet(incoming.headers.authorization)) {
      incoming.resume();
      outgoing.setHeader('www-authenticate', 'Basic realm="mcprt"');
      refuse(outgoing, 401, 'UNAUTHORIZED', 'who are you?');
      return;
    }
    const through = inward(method, incoming.url ?? '/');
    if (through === undefined) {
      incoming.resume();
      refuse(outgoing, 404, 'NAME_UNKNOWN', 'there is nothing here');
      return;
    }
    const { path, repository } = through;
    const gone = new AbortController();
    outgoing.once('close', () => {
      if (!outgoing.writableFinished) gone.abort(new Error('Docker has gone'));
    });
    const isLayer = /\/blobs\/uploads\//.test(path);
    const count = (length: number): unknown => bytes.set(repository, (bytes.get(repository) ?? 0) + length);
    const hasBody = incoming.headers['content-length'] !== '0' && !['GET', 'HEAD', 'DELETE'].includes(method);
    const answer = await route.request({
      method,
      path,
      headers: passedHeaders(incoming.headers),
      ...(hasBody ? { body: isLayer ? counted(incoming, count) : incoming } : {}),
      signal: AbortSignal.any([signal, gone.signal]),
    });
    if (answer.status === 401) {
      answer.body.resume();
      refuse(outgoing, 403, 'DENIED', `${route.name} does not take the platform’s credentials (401)`);
      return;
    }
    const headers = passedHeaders(answer.headers);
    if (headers.location !== undefined) headers.location = outward(headers.location);
    outgoing.writeHead(answer.status, headers);
    await pipeline(answer.body, outgoing);
  };
  const server = createServer((incoming, outgoing) => {
    pass(incoming, outgoing).catch((error: unknown) => {
      if (outgoing.headersSent || outgoing.destroyed) {
        outgoing.destroy();
        return;
      }
      refuse(outgoing, 503, 'UNAVAILABLE', messageOf(error));
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
    host: `127.0.0.1:${port}`,
    auth,
    sent: (repository) => bytes.get(repository) ?? 0,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A registry's error, as the distribution project's API has it: Docker prints its message. */
function refuse(outgoing: ServerResponse, status: number, code: string, message: string): void {
  outgoing
    .writeHead(status, { 'content-type': 'application/json' })
    .end(JSON.stringify({ errors: [{ code, message, detail: null }] }));
}

/** The same stream, its bytes counted as they are taken: nothing flows before somebody takes it. */
function counted(stream: Readable, count: (length: number) => unknown): Readable {
  const counter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      count(chunk.length);
      done(null, chunk);
    },
  });
  stream.once('error', (error) => counter.destroy(error));
  return stream.pipe(counter);
}

/** The path beyond the door, and whose it is; undefined for what is no push. Every registry is asked `/v2/` first. */
function inward(method: string, url: string): { path: string; repository: string } | undefined {
  if (url === '/v2/' || url === '/v2') {
    return method === 'GET' || method === 'HEAD' ? { path: '/v2/', repository: '' } : undefined;
  }
  const repository = /^\/v2\/([a-z0-9._/-]+?)\/(?:blobs|manifests|tags)\/[^?]/.exec(url)?.[1];
  if (repository === undefined || /\/\.\.?(?:\/|\?|$)/.test(url)) return undefined;
  return { repository, path: url };
}

/**
 * Where an answer leads, on this side of the door: the registry names itself, by whatever name it knows. What leads
 * elsewhere, such as to the storage behind it, stays as it is.
 */
function outward(location: string): string {
  const { pathname, search } = new URL(location, 'http://registry');
  return pathname.startsWith('/v2/') ? `${pathname}${search}` : location;
}

function passedHeaders(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined || notPassed.has(name) ? [] : [[name, Array.isArray(value) ? value.join(', ') : value]],
    ),
  );
}
