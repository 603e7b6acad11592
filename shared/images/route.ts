import { isIP } from 'node:net';
import type { Duplex, Readable } from 'node:stream';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { Agent, type buildConnector, type Dispatcher } from 'undici';
import { McprtError, messageOf } from '../errors.js';
import { openWay, type ReachOptions, wayTo } from '../platform/way.js';
import { trusted } from '../trust.js';

/** One request to a registry; the path begins with `/v2/`. */
export interface RegistryRequest {
  method: string;
  path: string;
  headers?: Readonly<Record<string, string>>;
  body?: Readable | Buffer | string;
  signal?: AbortSignal;
  /** A token in place of the route's own credentials. */
  bearer?: string;
}

export interface RegistryAnswer {
  status: number;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  body: Readable;
}

/** A way to one registry, with the credentials that it asks for. */
export interface RegistryRoute {
  /** In words, for messages. */
  name: string;
  /** Where its paths are, as its redirects see it. */
  origin: string;
  /** @throws McprtError `registry-unreachable`, `proxy-…` */
  request(request: RegistryRequest): Promise<RegistryAnswer>;
  /**
   * GETs what the registry sends elsewhere for: of a blob store, or of who gives tokens.
   *
   * @param withCredentials shows the route's own, as far as that place may see them
   * @throws McprtError `registry-elsewhere`, `registry-unreachable`, `proxy-…`
   */
  elsewhere(url: URL, request: { withCredentials: boolean; signal: AbortSignal }): Promise<RegistryAnswer>;
  close(): Promise<void>;
}

/** How long a registry may take to begin its answer, in ms: it commits a layer before it answers. */
const answerWithin = 120_000;
const connectWithin = 10_000;

/** The way to the public registry: HTTPS, always verified, as the nodes go it. */
export function publicRoute(host: string, credentials: Credentials, reach: ReachOptions): RegistryRoute {
  return webRoute({ origin: `https://${host}`, name: `the public registry ${host}` }, credentials, reach);
}

export interface Credentials {
  username: string;
  password: string;
}

/**
 * The way to any registry of the web. What is asked by https is always verified.
 *
 * @param credentials undefined for a registry that asks nobody for any
 */
export function webRoute(
  { origin, name }: Pick<RegistryRoute, 'origin' | 'name'>,
  credentials: Credentials | undefined,
  reach: ReachOptions,
): RegistryRoute {
  const ca = trusted(reach.caBundle);
  const own =
    credentials === undefined
      ? {}
      : {
          authorization: `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')}`,
        };
  const agent = new Agent({
    headersTimeout: answerWithin,
    bodyTimeout: answerWithin,
    connect: ({ hostname, port, protocol }, done) => {
      const isSecure = protocol === 'https:';
      const servername = isIP(hostname) === 0 ? hostname : '';
      wayTo(hostname, Number(port) || (isSecure ? 443 : 80), reach)
        .then((way) => openWay(way, reach))
        .then(
          (socket) => {
            if (isSecure) whenSecure(connectTls({ socket, host: hostname, servername, ca }), done);
            else done(null, socket);
          },
          (error: Error) => done(error, null),
        );
    },
  });
  const { protocol, hostname } = new URL(origin);
  return {
    ...routeOver(agent, origin, name, own),
    async elsewhere(url, { withCredentials, signal }) {
      if (url.protocol !== 'https:' && url.protocol !== protocol) {
        throw elsewhereError(
          name,
          url,
          'that is not https: anybody on the way could answer',
          'correct where it sends its clients; `registry-access: port-forward` goes around it',
        );
      }
      const headers = withCredentials && isNear(hostname, url.hostname) ? own : {};
      return routeOver(agent, url.origin, url.host, headers).request({
        method: 'GET',
        path: `${url.pathname}${url.search}`,
        signal,
      });
    },
  };
}

/** Whether a host belongs to the registry's: to itself, or to the domain that it is in. Others do not see its password. */
function isNear(registry: string, host: string): boolean {
  const domain = registry.split('.').slice(1).join('.');
  return host === registry || (domain.includes('.') && (host === domain || host.endsWith(`.${domain}`)));
}

/** What a place is called in a message: what stands behind a question mark signs for it, and is a secret. */
function elsewhereError(name: string, url: URL, why: string, next: string): McprtError {
  return new McprtError('registry-elsewhere', {
    what: `${name} sends to ${url.origin}${url.pathname}`,
    why,
    next,
  });
}

/**
 * The way to the registry's pod, over connections that somebody else makes. It asks for no password there.
 *
 * @param tls name and CA of the pod's own certificate; undefined where the pod speaks plain HTTP
 */
export function forwardedRoute(
  connect: () => Promise<Duplex>,
  tls: { servername: string; ca: string } | undefined,
): RegistryRoute {
  const agent = new Agent({
    headersTimeout: answerWithin,
    bodyTimeout: answerWithin,
    connect: (_options, done) => {
      connect().then(
        (stream) => {
          if (tls === undefined) {
            // undici takes any duplex stream for a socket.
            done(null, stream as never);
            return;
          }
          whenSecure(connectTls({ socket: stream, servername: tls.servername, ca: tls.ca }), done);
        },
        (error: Error) => done(error, null),
      );
    },
  });
  const origin = tls === undefined ? 'http://registry' : `https://${tls.servername}`;
  const name = 'the registry’s pod, by a port-forward';
  return {
    ...routeOver(agent, origin, name, {}),
    async elsewhere(url) {
      throw elsewhereError(
        name,
        url,
        'a port-forward leads to the registry’s pod only',
        '`registry-access: public` goes by its public name',
      );
    },
  };
}

/** Hands a connection over, once: what becomes of it later is its user's business. */
function whenSecure(socket: TLSSocket, done: buildConnector.Callback): void {
  const late = setTimeout(
    () => socket.destroy(new Error(`no connection within ${connectWithin / 1000} s`)),
    connectWithin,
  );
  const settle = (error: Error | undefined): void => {
    clearTimeout(late);
    socket.off('error', settle).off('secureConnect', settle).off('close', ended);
    if (error === undefined) done(null, socket);
    else done(error, null);
  };
  const ended = (): void => settle(new Error('the connection was closed before TLS was set up'));
  socket.once('secureConnect', settle).once('error', settle).once('close', ended);
}

function routeOver(
  dispatcher: Dispatcher,
  origin: string,
  name: string,
  own: Readonly<Record<string, string>>,
): Omit<RegistryRoute, 'elsewhere'> {
  return {
    name,
    origin,
    async request({ method, path, headers = {}, body, signal, bearer }) {
      try {
        const {
          statusCode,
          headers: answered,
          body: stream,
        } = await dispatcher.request({
          origin,
          path,
          method: method as Dispatcher.HttpMethod,
          headers: {
            'user-agent': 'mcprt',
            ...headers,
            ...own,
            ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
          },
          ...(body === undefined ? {} : { body }),
          ...(signal === undefined ? {} : { signal }),
        });
        return { status: statusCode, headers: answered, body: stream };
      } catch (error) {
        if (signal?.aborted) throw signal.reason;
        throw unreachable(name, error);
      }
    },
    close: () => dispatcher.destroy(),
  };
}

function unreachable(name: string, error: unknown): McprtError {
  if (error instanceof McprtError) return error;
  const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
  return new McprtError('registry-unreachable', {
    what: `${name} cannot be reached`,
    why: `${messageOf(error)}${code}`,
    next: 'check DNS, port 443 and the certificate with `operation: check` of action-setup; `registry-access: port-forward` goes around the public way',
    cause: error,
  });
}
