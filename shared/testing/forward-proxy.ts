import { once } from 'node:events';
import { createServer, type IncomingMessage, request } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

/** A forward proxy, and the only one who knows any name: each is this machine. */
export interface ForwardProxy {
  /** `HOST:PORT` */
  url: string;
  /** Where it was asked to connect to, and as whom. */
  asked: { to: string; as: string | undefined }[];
  close(): Promise<void>;
}

/** Starts one on a free port of the loopback interface. */
export async function startForwardProxy(): Promise<ForwardProxy> {
  const sockets = new Set<Socket>();
  const asked: ForwardProxy['asked'] = [];
  const server = createServer((incoming, outgoing) => {
    const { method = 'GET', url = '', headers } = incoming;
    const { host, port, pathname, search } = new URL(url);
    asked.push({ to: host, as: headers['proxy-authorization'] });
    const forwarded = request({ host: '127.0.0.1', port, method, path: `${pathname}${search}`, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    forwarded.on('error', () => outgoing.destroy());
    incoming.pipe(forwarded);
  });
  server.on('connect', ({ url = '', headers }: IncomingMessage, client: Socket) => {
    asked.push({ to: url, as: headers['proxy-authorization'] });
    const target = connect(Number(url.split(':').at(-1)), '127.0.0.1', () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n');
      target.pipe(client).pipe(target);
    });
    for (const socket of [client, target]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
