import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect as dial, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type SecureServer, startSecureServer } from '../platform/testing/secure-server.js';
import { connect } from './connect.js';
import { openTransport, type Transport, type TransportOptions } from './transport.js';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

interface Proxy {
  url: string;
  /** Where it was asked to connect to, and as whom. */
  asked: { to: string; as: string | undefined }[];
}

/** A forward proxy that connects wherever it is asked to. */
async function startProxy(): Promise<Proxy> {
  const sockets = new Set<Socket>();
  const asked: Proxy['asked'] = [];
  const server = createServer();
  server.on('connect', ({ url = '', headers }: IncomingMessage, client: Socket) => {
    asked.push({ to: url, as: headers['proxy-authorization'] });
    const target = dial(Number(url.split(':')[1]), '127.0.0.1', () => {
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
  open.push({
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  });
  return { url: `127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

async function world(): Promise<SecureServer> {
  const server = await startSecureServer();
  open.push(server);
  server.answer = () => ({ status: 200, body: {} });
  return server;
}

function transportTo(
  { host, port, reach }: SecureServer,
  proxy: TransportOptions['proxy'],
  proxyUrl?: string,
): Transport {
  const transport = openTransport(
    {
      server: `https://localhost:${port}`,
      context: 'test',
      headers: {},
      secrets: [],
      tls: { ca: reach.caBundle, servername: host },
      ...(proxyUrl === undefined ? {} : { proxyUrl }),
    },
    { userAgent: 'test', deadline: 20_000, ...(proxy === undefined ? {} : { proxy }) },
  );
  open.push(transport);
  return transport;
}

const get = { method: 'GET', path: '/version' } as const;

describe('the way to the API server', () => {
  it('leads through the proxy of the environment, with its user, and the server is still who its certificate says', async () => {
    const [server, proxy] = await Promise.all([world(), startProxy()]);
    expect((await transportTo(server, { httpsProxy: `http://u:p%40@${proxy.url}` }).call(get)).status).toBe(200);
    expect(proxy.asked).toEqual([
      { to: `localhost:${server.port}`, as: `Basic ${Buffer.from('u:p@').toString('base64')}` },
    ]);
    const other = { ...server, host: 'another.example.com' };
    await expect(transportTo(other, { httpsProxy: `http://${proxy.url}` }).call(get)).rejects.toMatchObject({
      code: 'cluster-certificate-name',
      why: 'it is for DNS:platform.example.com',
    });
  });

  it('leads there for a cluster as it is opened', async () => {
    const [server, proxy] = await Promise.all([world(), startProxy()]);
    server.answer = () => ({ status: 200, body: { gitVersion: 'v1.36.3' } });
    const { host, port, reach } = server;
    const credentials = {
      server: `https://localhost:${port}`,
      context: 'test',
      headers: {},
      secrets: [],
      tls: { ca: reach.caBundle, servername: host },
    };
    for (const [options, times] of [
      [{ proxy: { httpsProxy: `http://${proxy.url}` } }, 1],
      [undefined, 1],
    ] as const) {
      const cluster = connect(credentials, options);
      open.push(cluster);
      expect(await cluster.version()).toBe('v1.36.3');
      expect(proxy.asked).toHaveLength(times);
    }
    expect(server.asked.every(({ headers }) => headers['user-agent'] === 'mcprt')).toBe(true);
  });

  it('leads past it for a host that is not to go there', async () => {
    const [server, proxy] = await Promise.all([world(), startProxy()]);
    await transportTo(server, { httpsProxy: `http://${proxy.url}`, noProxy: 'localhost' }).call(get);
    expect(proxy.asked).toEqual([]);
    await transportTo(server, { httpsProxy: `http://${proxy.url}`, noProxy: 'h.example' }).call(get);
    expect(proxy.asked).toHaveLength(1);
  });

  it('leads through the kubeconfig’s own before that of the environment', async () => {
    const [server, own, other] = await Promise.all([world(), startProxy(), startProxy()]);
    const proxy = { httpsProxy: `http://${other.url}`, noProxy: 'localhost' };
    expect((await transportTo(server, proxy, `http://${own.url}`).call(get)).status).toBe(200);
    expect([own.asked.length, other.asked.length]).toEqual([1, 0]);
  });

  it('is told by the setting that is wrong', () => {
    const told = (proxy: TransportOptions['proxy'], proxyUrl?: string): unknown => {
      try {
        return openTransport(
          {
            server: 'https://h.example',
            context: '',
            headers: {},
            tls: {},
            secrets: [],
            ...(proxyUrl ? { proxyUrl } : {}),
          },
          { userAgent: 'test', deadline: 1_000, ...(proxy === undefined ? {} : { proxy }) },
        );
      } catch (error) {
        return error;
      }
    };
    const code = 'cluster-proxy';
    expect(told({ httpsProxy: 'no address' })).toMatchObject({ code, next: expect.stringContaining('HTTPS_PROXY') });
    expect(told(undefined, 'no address')).toMatchObject({ code, next: expect.stringContaining('proxy-url') });
  });
});

describe('a certificate of somebody else', () => {
  it('is told as such at once, by a call and by a watch', async () => {
    const server = await world();
    const other = await world();
    const transport = transportTo({ ...server, reach: other.reach }, undefined);
    const refusal = { code: 'cluster-untrusted', why: expect.stringMatching(/CERT|SELF_SIGNED|UNABLE_TO/) };
    await expect(transport.call(get)).rejects.toMatchObject(refusal);
    expect(transport.calls).toBe(1);
    await expect(transport.lines(get).next()).rejects.toMatchObject(refusal);
  });
});
