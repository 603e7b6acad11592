import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';

/** A forward proxy, and the only one who knows any name. */
export interface ForwardProxy {
  /** `HOST:PORT` */
  url: string;
  /** Where it was asked to lead to, and as whom. */
  asked: { to: string; as: string | undefined }[];
  /** Ports of this machine from which it has connected to anybody. */
  peers: Set<number>;
  /** Drops every connection that it has made. */
  cut(): void;
  close(): Promise<void>;
}

export interface ForwardProxyOptions {
  /** The port of this machine that `HOST:PORT` leads to, or the status it is refused with. By itself the same port. */
  leadsTo?: (to: string) => number | { status: number };
  /** `user:password` that it asks for. */
  user?: string;
  /** Key and certificate in PEM of one that is spoken to by https. */
  tls?: { key: string; cert: string };
  /** Whether it asks for the name only after a while, in ms. */
  delay?: number;
}

/** Starts one on a free port of the loopback interface. */
export async function startForwardProxy(options: ForwardProxyOptions = {}): Promise<ForwardProxy> {
  const { leadsTo = (to) => Number(to.split(':').at(-1)), user, tls, delay = 0 } = options;
  const sockets = new Set<Socket>();
  const [asked, peers]: [ForwardProxy['asked'], Set<number>] = [[], new Set()];
  const found = (to: string, as: string | undefined): number | { status: number } => {
    asked.push({ to, as });
    const wanted = user === undefined ? as : `Basic ${Buffer.from(user).toString('base64')}`;
    return as === wanted ? leadsTo(to) : { status: 407 };
  };
  const handOn = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    const { method = 'GET', url = '', headers } = incoming;
    const { host, port, pathname, search } = new URL(url);
    const target = found(port === '' ? `${host}:80` : host, headers['proxy-authorization']);
    if (typeof target === 'object') {
      outgoing.writeHead(target.status, { server: 'stand-in proxy' }).end('the proxy says no');
      return;
    }
    const { 'proxy-authorization': _, ...kept } = headers;
    const path = `${pathname}${search}`;
    const forwarded = request({ host: '127.0.0.1', port: target, method, path, headers: kept, agent: false });
    forwarded.on('socket', (socket) => socket.once('connect', () => peers.add(socket.localPort ?? 0)));
    forwarded.on('response', (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    forwarded.on('error', () => outgoing.destroy());
    incoming.pipe(forwarded);
  };
  const server = tls === undefined ? createServer(handOn) : createSecureServer(tls, handOn);
  server.on('connect', ({ url = '', headers }: IncomingMessage, client: Socket) => {
    sockets.add(client.on('error', () => undefined));
    const port = found(url, headers['proxy-authorization']);
    if (typeof port === 'object') {
      client.end(`HTTP/1.1 ${port.status} No\r\n\r\n`);
      return;
    }
    const target = connect(port, '127.0.0.1', () => {
      peers.add(target.localPort ?? 0);
      setTimeout(() => {
        client.write('HTTP/1.1 200 OK\r\n\r\n');
        target.pipe(client).pipe(target);
      }, delay);
    });
    sockets.add(target.on('error', () => client.destroy()));
    client.once('close', () => target.destroy());
    target.once('close', () => client.destroy());
  });
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    peers,
    cut,
    async close() {
      cut();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
