import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { expect, test } from '@jest/globals';
import { openTunnel } from './tunnel.js';

test('a proxy that takes the connection, and says nothing, is given up', async () => {
  const sockets: Socket[] = [];
  const server = createServer((socket) => void sockets.push(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const proxy = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
  try {
    const signal = AbortSignal.timeout(25_000);
    await expect(openTunnel(proxy, { host: 'name.example', port: 443 }, { signal })).rejects.toMatchObject({
      code: 'proxy-silent',
      next: expect.stringContaining('NO_PROXY'),
    });
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}, 30_000);
