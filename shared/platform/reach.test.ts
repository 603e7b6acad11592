import { createServer, type Socket } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { direct } from '../proxy.js';
import { type PublicName, reach } from './reach.js';

const unanswered = { error: 'no answer within 5 s' };
const notFound = { status: 404, location: '', server: '', body: '404 page not found' };
const switching = 'HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n';

/** Something at once, and a little more again and again for as long as the connection lasts. */
function drip(socket: Socket, first: string | Buffer, more = 'a'): void {
  socket.write(first);
  const timer = setInterval(() => socket.write(more), 500);
  socket.once('close', () => clearInterval(timer));
}

describe('a name behind which an odd server answers', () => {
  const odd: [string, (socket: Socket) => void, PublicName['http']][] = [
    ['headers byte by byte', (socket) => drip(socket, 'HTTP/1.1 200 OK\r\nx: '), unanswered],
    ['100 Continue, and no answer', (socket) => drip(socket, '', 'HTTP/1.1 100 Continue\r\n\r\n'), unanswered],
    ['another protocol', (socket) => socket.once('data', () => socket.write(switching)), unanswered],
    [
      'a body without an end',
      (socket) => drip(socket, 'HTTP/1.1 404 Not Found\r\n\r\n404 page not found\n', ' '),
      notFound,
    ],
  ];

  it('is looked at within the deadline, whatever it sends', async () => {
    const seen = await Promise.all(
      odd.map(async ([what, behave]) => {
        const sockets: Socket[] = [];
        const server = createServer((socket) => {
          sockets.push(socket.on('error', () => undefined));
          behave(socket);
        });
        await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
        const address = server.address();
        const toPort = typeof address === 'object' ? address?.port : undefined;
        const hosts = { registry: 'r.example.com', mcp: 'm.example.com', platform: 'p.example.com' };
        const overrides = Object.values(hosts).map((host) => ({ host, port: undefined, address: '127.0.0.1', toPort }));
        const [first] = await reach(hosts, { overrides, dnsServer: '', caBundle: '', proxies: direct });
        for (const socket of sockets) socket.destroy();
        server.close();
        return [what, first?.http];
      }),
    );
    expect(seen).toEqual(odd.map(([what, , http]) => [what, http]));
  }, 15_000);
});
