import { createServer as createTcp, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { makeCertificateAuthority } from '../../lab/platform/certificate-authority.js';
import { type SecureServer, startSecureServer } from '../platform/testing/secure-server.js';
import { direct } from '../proxy.js';
import { openCluster } from './cluster.js';
import type { Credentials } from './credentials.js';
import { kinds } from './objects.js';
import { openTransport, type Transport } from './transport.js';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

async function apiServer(): Promise<SecureServer> {
  const server = await startSecureServer();
  open.push(server);
  return server;
}

function transportTo(
  server: Pick<SecureServer, 'host' | 'port' | 'reach'>,
  more: Partial<Credentials> = {},
): Transport {
  const transport = openTransport(
    {
      server: `https://127.0.0.1:${server.port}`,
      context: 'test',
      headers: {},
      tls: { ca: server.reach.caBundle, servername: server.host },
      secrets: [],
      ...more,
    },
    { userAgent: 'test', deadline: 20_000 },
  );
  open.push(transport);
  return transport;
}

const get = { method: 'GET', path: '/api/v1/secrets' } as const;

describe('a call', () => {
  it('is tried again on a connection that breaks, and not where the client refuses it', async () => {
    const server = await apiServer();
    let left = 2;
    server.instead = (request) => {
      left -= 1;
      if (left < 0) return false;
      request.socket.destroy();
      return true;
    };
    server.answer = () => ({ status: 200, body: {} });
    expect((await transportTo(server).call(get)).status).toBe(200);

    server.asked.length = 0;
    const refused = transportTo(server, { headers: { authorization: 'Bearer ä\n' } });
    await expect(refused.call(get)).rejects.toMatchObject({ code: 'cluster-unreachable' });
    expect(server.asked).toHaveLength(0);
    expect(refused.calls).toBe(1);
  });

  it('is ended where the answer does not end, with a code', async () => {
    const server = await apiServer();
    server.instead = (_, response) => {
      response.writeHead(404, { 'content-type': 'application/json' });
      const more = (): void => {
        while (response.write('x'.repeat(64 * 1024)));
      };
      response.on('drain', more);
      more();
      return true;
    };
    await expect(transportTo(server).call(get)).rejects.toMatchObject({ code: 'cluster-too-large' });
  });

  it('says nothing of an answer that is no JSON: it may be the beginning of a Secret', async () => {
    const server = await apiServer();
    server.answer = () => ({ status: 200, body: '{"kind":"Secret","data":{"password":"c2VjcmV0' });
    const cluster = openCluster(transportTo(server));
    for (const asked of [
      cluster.get(kinds.secret, { namespace: 'a', name: 'b' }),
      cluster.list(kinds.secret),
      cluster.version(),
    ]) {
      const error: unknown = await asked.catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'cluster-unavailable' });
      expect(JSON.stringify([String(error), error])).not.toContain('c2VjcmV0');
    }
  });

  it('has a proxy whose address is one, and does not quote one that is none', () => {
    for (const proxyUrl of ['socks5://u:secret-0123456789@h.example', 'secret-0123456789']) {
      const begin = (): unknown =>
        openTransport(
          { server: 'https://h.example', context: '', headers: {}, tls: {}, secrets: [], proxyUrl },
          { userAgent: 'test', deadline: 1_000 },
        );
      expect(begin).toThrow(/^the (?:address of a proxy cannot be used|proxy that is named is a SOCKS proxy)$/);
    }
  });
});

describe('a list', () => {
  it('is ended where its pages do not end', async () => {
    const server = await apiServer();
    server.answer = () => ({
      status: 200,
      body: {
        kind: 'SecretList',
        metadata: { resourceVersion: '1', continue: String(server.asked.length) },
        items: [],
      },
    });
    const cluster = openCluster(transportTo(server));
    await expect(cluster.list(kinds.secret)).rejects.toMatchObject({ code: 'cluster-too-large' });
    expect(server.asked.length).toBeLessThan(500);
  });
});

describe('a watch', () => {
  it('is ended where a line does not end', async () => {
    const server = await apiServer();
    server.instead = (_, response) => {
      const more = (): void => {
        while (response.write('x'.repeat(256 * 1024)));
      };
      response.on('drain', more);
      more();
      return true;
    };
    const read = async (): Promise<void> => {
      for await (const line of transportTo(server).lines(get)) expect(line).toBe('never');
    };
    await expect(read()).rejects.toMatchObject({ code: 'cluster-too-large' });
  });
});

describe('a server that is none', () => {
  it('is told with a code', async () => {
    const ca = await makeCertificateAuthority();
    const sockets = new Set<Socket>();
    const server: Server = createTcp((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.end('HTTP/1.1 200 OK\r\n\r\n');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    open.push(server);
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const reach = { overrides: [], dnsServer: '', caBundle: ca.certificate, proxies: direct };
    await expect(transportTo({ host: 'h.example', port, reach }).call(get)).rejects.toMatchObject({
      code: 'cluster-not-api',
    });
  });
});
