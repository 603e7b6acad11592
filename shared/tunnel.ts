import { type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP, type Socket } from 'node:net';
import { buildConnector } from 'undici';
import { type ProxyAddress, proxyAddress, proxyFailure, proxyRefusal, proxySilent } from './proxy-error.js';
import { percentDecoded } from './secret-shapes.js';
import { hostPort, withoutBrackets } from './text.js';
import { trusted } from './trust.js';

/** Whom a proxy is asked for, by name: the proxy finds the address. */
export interface Target {
  host: string;
  port: number;
}

/** In ms: how long a proxy may take to be connected to, and then to answer, which takes it a connection of its own. */
const within = { connect: 10_000, answer: 20_000 } as const;

/**
 * Opens a connection through a proxy (CONNECT). The caller ends it.
 *
 * @param caBundle PEM of further CAs to trust, for a proxy that is spoken to by https
 * @throws McprtError `proxy-…`; the signal's reason
 */
export function openTunnel(
  proxy: string,
  target: Target,
  { caBundle = '', signal }: { caBundle?: string; signal?: AbortSignal } = {},
): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const address = proxyAddress(proxy);
  const to = hostPort(target.host, target.port);
  const headers = { host: to, 'user-agent': 'mcprt' };
  const asked = askProxy(address, { method: 'CONNECT', path: to, headers }, caBundle);
  const give = (error: unknown): void => {
    reject(error);
    asked.destroy();
  };
  const stop = (): void => give(signal?.reason);
  const late = setTimeout(
    () => give(proxyFailure(address.name, new Error(`no connection within ${within.connect / 1000} s`))),
    within.connect,
  );
  let later: NodeJS.Timeout | undefined;
  asked.once('socket', (socket) => {
    socket.once(address.url.protocol === 'https:' ? 'secureConnect' : 'connect', () => {
      clearTimeout(late);
      later = setTimeout(() => give(proxySilent(address.name, to, within.answer / 1000)), within.answer);
    });
  });
  asked.once('error', (cause) => reject(proxyFailure(address.name, cause)));
  asked.once('connect', ({ statusCode = 0, statusMessage = '' }: IncomingMessage, socket: Socket, head: Buffer) => {
    if (statusCode < 200 || statusCode > 299) {
      socket.on('error', () => undefined).destroy();
      reject(proxyRefusal(address.name, to, statusCode, statusMessage));
      return;
    }
    if (head.length > 0) socket.unshift(head);
    resolve(socket);
  });
  signal?.addEventListener('abort', stop, { once: true });
  if (signal?.aborted) stop();
  else asked.end();
  return promise.finally(() => {
    clearTimeout(late);
    clearTimeout(later);
    signal?.removeEventListener('abort', stop);
  });
}

/** How undici connects to whatever is asked through a proxy. @param tls for what is within the tunnel */
export function tunnelConnector(proxy: string, tls: buildConnector.BuildOptions): buildConnector.connector {
  const secure = buildConnector(tls);
  return (options, done) => {
    const target = { host: withoutBrackets(options.hostname), port: Number(options.port || 443) };
    openTunnel(proxy, target).then(
      (httpSocket) => secure({ ...options, httpSocket }, done),
      (error: Error) => done(error, null),
    );
  };
}

/** A request to a proxy itself, with what tells it who asks. The caller ends it. */
export function askProxy(
  { url }: ProxyAddress,
  { method, path, headers }: { method: string; path: string; headers: Record<string, string> },
  caBundle: string,
): ClientRequest {
  const host = withoutBrackets(url.hostname);
  const options = { method, path, host, headers: { ...headers, ...authorization(url) }, agent: false };
  if (url.protocol === 'http:') return requestHttp({ ...options, port: Number(url.port || 80) });
  // Its name is not the one in the Host header. An address is no name to ask for.
  const servername = isIP(host) === 0 ? host : '';
  return requestHttps({ ...options, port: Number(url.port || 443), servername, ca: trusted(caBundle) });
}

function authorization({ username, password }: URL): Record<string, string> {
  if (username === '') return {};
  const user = `${percentDecoded(username)}:${percentDecoded(password)}`;
  return { 'proxy-authorization': `Basic ${Buffer.from(user).toString('base64')}` };
}
