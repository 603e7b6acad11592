import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { publicRoute } from '../images/route.js';
import type { Check } from '../smoke/checks.js';
import { healthSuite } from '../smoke/health.js';
import { type ForwardProxy, startForwardProxy } from '../testing/forward-proxy.js';
import { askEndpoints } from './endpoints.js';
import { reach } from './reach.js';
import { type SecureServer, startSecureServer } from './testing/secure-server.js';
import type { ReachOptions } from './way.js';
import { openWeb } from './web.js';

const { signal } = new AbortController();
const open: { close(): unknown }[] = [];
let server: SecureServer;
let plain: Server;
let proxy: ForwardProxy;
let hosts: { registry: string; mcp: string; platform: string };
/** Where the proxy leads, or how it refuses. */
let leads: Record<string, number | { status: number }>;

beforeEach(async () => {
  server = await startSecureServer();
  server.answer = () => ({ status: 200, body: { ok: true } });
  plain = createServer(({ headers }, response) => response.writeHead(404).end(`404 page not found ${headers.host}`));
  await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve));
  // One server stands for all three names.
  hosts = { registry: server.host, mcp: server.host, platform: server.host };
  leads = { [`${server.host}:443`]: server.port, [`${server.host}:80`]: (plain.address() as AddressInfo).port };
  proxy = await startForwardProxy({ user: 'me:secret', leadsTo: (to) => leads[to] ?? { status: 403 } });
  open.push(server, plain, proxy);
});
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

const through = (more: Partial<ReachOptions> = {}): ReachOptions => {
  const address = `http://me:secret@${proxy.url}`;
  return { ...server.reach, overrides: [], proxies: { https: address, http: address, none: '' }, ...more };
};
const asked = (): string[] => [...new Set(proxy.asked.map(({ to }) => to))].sort();

describe('a public name that only a proxy knows', () => {
  it('is looked at through it: port 80 handed on, the certificate through the tunnel, and no look-up', async () => {
    const [name] = await reach(hosts, through());
    expect(name).toMatchObject({
      dns: undefined,
      http: { status: 404, body: `404 page not found ${server.host}` },
      unnamed: undefined,
      tls: { names: `DNS:${server.host}`, problem: '' },
      unseen: [expect.stringMatching(/^DNS: /), expect.stringMatching(/^port 80 for other names: /)],
      isHandedOn: true,
    });
    expect(asked()).toEqual([`${server.host}:443`, `${server.host}:80`]);
  });

  it('is looked at by its override’s address, whose port 80 takes a tunnel', async () => {
    const overrides = [{ host: server.host, port: undefined, address: '192.0.2.1', toPort: undefined }];
    leads = { '192.0.2.1:443': server.port, '192.0.2.1:80': (plain.address() as AddressInfo).port };
    const [name] = await reach(hosts, through({ overrides }));
    expect(name).toMatchObject({
      http: { status: 404 },
      unnamed: { body: '404 page not found mcprt-probe.invalid' },
      tls: { problem: '' },
      unseen: [],
      isHandedOn: false,
    });
  });

  it('is seen as closed where the proxy does not get there, and not seen where it may not', async () => {
    leads = { [`${server.host}:443`]: { status: 503 } };
    const [closed] = await reach(hosts, through());
    expect(closed?.tls).toEqual({
      error: expect.stringContaining('does not get to'),
      next: expect.stringContaining('NO_PROXY'),
    });
    // What the proxy itself answers to a request that it hands on looks as if the server had.
    expect(closed?.http).toMatchObject({ status: 403, server: 'stand-in proxy' });
    leads = {};
    const [unseen] = await reach(hosts, through());
    expect(unseen?.tls).toBeUndefined();
    expect(unseen?.unseen).toContainEqual(expect.stringMatching(/^port 443: .* does not let this machine through/));
    const wrong = `http://me:wrong@${proxy.url}`;
    const [locked] = await reach(hosts, through({ proxies: { https: wrong, http: wrong, none: '' } }));
    expect([locked?.http, locked?.tls]).toEqual([undefined, undefined]);
    expect(locked?.unseen).toContainEqual(expect.stringMatching(/^port 80: .* asks for another user/));
    const dead = 'http://127.0.0.1:1';
    const [alone] = await reach(hosts, through({ proxies: { https: dead, http: dead, none: '' } }));
    expect(alone?.unseen.filter((one) => one.includes('cannot be reached'))).toHaveLength(2);
  });

  it('is not seen on port 80 where the proxy waits for it', async () => {
    plain.removeAllListeners('request').on('request', () => undefined);
    const [name] = await reach(hosts, through());
    expect(name?.http).toBeUndefined();
    expect(name?.unseen).toContainEqual(
      expect.stringMatching(/^port 80: .* does not answer: it was asked for .*:80 5 s/),
    );
    plain.closeAllConnections();
  });

  it('is asked through it over kept connections, with the certificate verified', async () => {
    const web = openWeb(through());
    open.push(web);
    const get = { method: 'GET', host: server.host, path: '/a', signal };
    for (const _ of [1, 2, 3]) expect((await web.ask(get)).status).toBe(200);
    expect(proxy.asked).toHaveLength(1);
    const stranger = openWeb(through({ caBundle: '' }));
    open.push(stranger);
    await expect(stranger.ask(get)).rejects.toMatchObject({ layer: 'tls' });
    leads = {};
    const refused = openWeb(through());
    open.push(refused);
    await expect(refused.ask(get)).rejects.toMatchObject({ code: 'proxy-refused' });
  });

  it('has endpoints and a registry through it', async () => {
    const endpoint = { host: server.host, path: '/', behind: 'mcp-platform-api', expected: [200], isJson: true };
    expect(await askEndpoints([endpoint], through(), signal)).toEqual([{ endpoint, status: 200, problem: '' }]);
    const route = publicRoute(server.host, { username: 'u', password: 'p' }, through());
    open.push(route);
    const answer = await route.request({ method: 'GET', path: '/v2/' });
    answer.body.resume();
    expect(answer.status).toBe(200);
    leads = {};
    const refused = publicRoute(server.host, { username: 'u', password: 'p' }, through());
    open.push(refused);
    await expect(refused.request({ method: 'GET', path: '/v2/' })).rejects.toMatchObject({ code: 'proxy-refused' });
  });

  it('is tested layer by layer, and the layer that is the proxy’s says so', async () => {
    const web = openWeb(through());
    open.push(web);
    const record: Check[] = [];
    const ports = { progress: () => undefined, hide: (text: string) => text, signal };
    const options = { hosts, reach: through(), web, minDays: 0, serials: undefined, now: new Date() };
    await healthSuite(record, options, ports);
    const about = (layer: string): unknown => record.find(({ name }) => name === `${server.host}: ${layer}`);
    expect(about('DNS')).toMatchObject({ status: 'passed', detail: 'not looked at: a proxy looks the name up' });
    expect(about('certificate')).toMatchObject({ status: 'passed' });
    leads = { [`${server.host}:443`]: { status: 502 } };
    record.length = 0;
    await healthSuite(record, options, ports);
    expect(about('TCP')).toMatchObject({ status: 'failed', failure: { code: 'proxy-gateway' } });
  });
});

it('what NO_PROXY names is not asked of the proxy', async () => {
  const { proxies } = through();
  const overrides = [{ host: server.host, port: 443, address: '127.0.0.1', toPort: server.port }];
  const web = openWeb(through({ overrides, proxies: { ...proxies, none: 'example.com' } }));
  open.push(web);
  expect((await web.ask({ method: 'GET', host: server.host, path: '/', signal })).status).toBe(200);
  expect(proxy.asked).toEqual([]);
});
