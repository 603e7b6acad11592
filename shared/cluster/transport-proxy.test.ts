import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { afterEach, describe, expect, it } from '@jest/globals';
import { makeCertificateAuthority, makeServerCertificate } from '../../lab/platform/certificate-authority.js';
import { type SecureServer, startSecureServer } from '../platform/testing/secure-server.js';
import { type ForwardProxy, startForwardProxy } from '../testing/forward-proxy.js';
import { connect } from './connect.js';
import { openTransport, type Transport, type TransportOptions } from './transport.js';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

async function startProxy(): Promise<ForwardProxy> {
  const proxy = await startForwardProxy();
  open.push(proxy);
  return proxy;
}

async function world(): Promise<SecureServer> {
  const server = await startSecureServer();
  open.push(server);
  server.answer = () => ({ status: 200, body: {} });
  return server;
}

function transportTo(
  { host, port, reach }: SecureServer,
  proxies: TransportOptions['proxies'],
  { proxyUrl, name = 'api.example' }: { proxyUrl?: string; name?: string } = {},
): Transport {
  const transport = openTransport(
    {
      server: `https://${name}:${port}`,
      context: 'test',
      headers: {},
      secrets: [],
      tls: { ca: reach.caBundle, servername: host },
      ...(proxyUrl === undefined ? {} : { proxyUrl }),
    },
    { userAgent: 'test', deadline: 20_000, ...(proxies === undefined ? {} : { proxies }) },
  );
  open.push(transport);
  return transport;
}

const by = (url: string, none = '') => ({ https: url, http: '', none });
const get = { method: 'GET', path: '/version' } as const;

describe('the way to the API server', () => {
  it('leads through the proxy of the environment, with its user, and the server is still who its certificate says', async () => {
    const [server, proxy] = await Promise.all([world(), startProxy()]);
    expect((await transportTo(server, by(`http://u:p%40@${proxy.url}`)).call(get)).status).toBe(200);
    expect(proxy.asked).toEqual([
      { to: `api.example:${server.port}`, as: `Basic ${Buffer.from('u:p@').toString('base64')}` },
    ]);
    const other = { ...server, host: 'another.example.com' };
    await expect(transportTo(other, by(`http://${proxy.url}`)).call(get)).rejects.toMatchObject({
      code: 'cluster-certificate-name',
      why: 'it is for DNS:platform.example.com',
    });
  });

  it('leads there for a cluster as it is opened', async () => {
    const [server, proxy] = await Promise.all([world(), startProxy()]);
    server.answer = () => ({ status: 200, body: { gitVersion: 'v1.36.3' } });
    const { host, port, reach } = server;
    const credentialsOf = (name: string) => ({
      server: `https://${name}:${port}`,
      context: 'test',
      headers: {},
      secrets: [],
      tls: { ca: reach.caBundle, servername: host },
    });
    for (const [name, options, times] of [
      ['api.example', { proxies: by(`http://${proxy.url}`) }, 1],
      ['localhost', undefined, 1],
    ] as const) {
      const cluster = connect(credentialsOf(name), options);
      open.push(cluster);
      expect(await cluster.version()).toBe('v1.36.3');
      expect(proxy.asked).toHaveLength(times);
    }
    expect(server.asked.every(({ headers }) => headers['user-agent'] === 'mcprt')).toBe(true);
  });

  it('leads past it for a host that is not to go there', async () => {
    const [server, proxy] = await Promise.all([world(), startProxy()]);
    await transportTo(server, by(`http://${proxy.url}`), { name: 'localhost' }).call(get);
    expect(proxy.asked).toEqual([]);
    await transportTo(server, by(`http://${proxy.url}`, 'h.example')).call(get);
    expect(proxy.asked).toHaveLength(1);
    // Nobody but the proxy knows the name.
    const directly = transportTo(server, by(`http://${proxy.url}`, '.example'));
    await expect(directly.call({ ...get, signal: AbortSignal.timeout(2_000) })).rejects.toThrow();
    expect(proxy.asked).toHaveLength(1);
  });

  it('leads through the kubeconfig’s own before that of the environment', async () => {
    const [server, own, other] = await Promise.all([world(), startProxy(), startProxy()]);
    const proxies = by(`http://${other.url}`, '.example');
    expect((await transportTo(server, proxies, { proxyUrl: `http://${own.url}` }).call(get)).status).toBe(200);
    expect([own.asked.length, other.asked.length]).toEqual([1, 0]);
  });

  it('keeps CA and client certificate, through the proxy and past it', async () => {
    const ca = await makeCertificateAuthority();
    const [own, client] = await Promise.all([
      makeServerCertificate(['api.example', 'localhost'], ca),
      makeServerCertificate(['ci'], ca),
    ]);
    const server = createServer(
      { cert: own.certificate, key: own.key, ca: ca.certificate, requestCert: true, rejectUnauthorized: false },
      ({ socket }, response) => {
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify((socket as TLSSocket).getPeerCertificate().subject));
      },
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const proxy = await startProxy();
    const { port } = server.address() as AddressInfo;
    const tls = { ca: ca.certificate, cert: client.certificate, key: client.key };
    for (const [name, none] of [
      ['api.example', ''],
      ['localhost', 'localhost'],
    ] as const) {
      const transport = openTransport(
        { server: `https://${name}:${port}`, context: '', headers: {}, secrets: [], tls },
        { userAgent: 'test', deadline: 20_000, proxies: by(`http://${proxy.url}`, none) },
      );
      expect(await transport.call(get)).toMatchObject({ status: 200, body: '{"CN":"ci"}' });
      await transport.close();
    }
    expect(proxy.asked).toHaveLength(1);
    server.closeAllConnections();
    server.close();
  });

  it('is made anew where the proxy drops it, and a watch that it drops is told', async () => {
    const [server, proxy] = await Promise.all([world(), startProxy()]);
    const transport = transportTo(server, by(`http://${proxy.url}`));
    await transport.call(get);
    proxy.cut();
    expect((await transport.call(get)).status).toBe(200);
    expect(proxy.asked.length).toBeGreaterThan(1);
    server.instead = (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write('{}\n');
      return true;
    };
    const lines = transport.lines(get);
    expect((await lines.next()).value).toBe('{}');
    proxy.cut();
    await expect(lines.next()).rejects.toMatchObject({ code: 'cluster-unreachable' });
  });

  it('has room for WebSockets, and for a look at a certificate that is not trusted', async () => {
    const [server, proxy, other] = await Promise.all([world(), startProxy(), world()]);
    const transport = transportTo(server, by(`http://${proxy.url}`));
    const socket = await transport.webSocket('/exec', 'v4.channel.k8s.io');
    await new Promise((resolve) => socket.addEventListener('error', resolve));
    expect(server.asked).toMatchObject([{ url: '/exec', headers: { upgrade: 'websocket' } }]);
    const stranger = transportTo({ ...server, reach: other.reach }, by(`http://${proxy.url}`));
    await expect(stranger.call(get)).rejects.toMatchObject({
      code: 'cluster-untrusted',
      why: expect.stringContaining('the server’s certificate is issued by'),
    });
    expect(new Set(proxy.asked.map(({ to }) => to))).toEqual(new Set([`api.example:${server.port}`]));
  });

  it.each([
    [403, 'proxy-refused', 1],
    [407, 'proxy-authentication', 1],
    [503, 'proxy-gateway', 5],
  ])('is refused by the proxy with %i: told as %s after %i tries', async (status, code, tries) => {
    const server = await world();
    const proxy = await startForwardProxy({ leadsTo: () => ({ status }) });
    open.push(proxy);
    const transport = transportTo(server, by(`http://${proxy.url}`));
    await expect(transport.call(get)).rejects.toMatchObject({ code });
    expect(proxy.asked).toHaveLength(tries);
    await expect(transport.lines(get).next()).rejects.toMatchObject({ code });
  });

  it('is told by the setting that is wrong', () => {
    const told = (proxies: TransportOptions['proxies'], proxyUrl?: string): unknown => {
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
          { userAgent: 'test', deadline: 1_000, ...(proxies === undefined ? {} : { proxies }) },
        );
      } catch (error) {
        return error;
      }
    };
    const code = 'proxy-invalid';
    expect(told(by('no address'))).toMatchObject({ code, next: expect.stringContaining('HTTPS_PROXY') });
    expect(told(undefined, 'no address')).toMatchObject({ code, next: expect.stringContaining('proxy-url') });
  });
});

describe('a certificate of somebody else', () => {
  it('is told as such at once, by a call and by a watch', async () => {
    const server = await world();
    const other = await world();
    const transport = transportTo({ ...server, reach: other.reach }, undefined, { name: 'localhost' });
    const refusal = { code: 'cluster-untrusted', why: expect.stringMatching(/CERT|SELF_SIGNED|UNABLE_TO/) };
    await expect(transport.call(get)).rejects.toMatchObject(refusal);
    expect(transport.calls).toBe(1);
    await expect(transport.lines(get).next()).rejects.toMatchObject(refusal);
  });
});
