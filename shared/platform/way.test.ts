import { describe, expect, it } from '@jest/globals';
import { isLookedUpByProxy, plannedWay, type ReachOptions, wayTo } from './way.js';

const host = 'platform.example.com';
const proxy = 'http://p.example:3128';
const plain: ReachOptions = { overrides: [], dnsServer: '', caBundle: '', proxies: { https: '', http: '', none: '' } };
const proxied = (none = '', more: Partial<ReachOptions> = {}): ReachOptions => ({
  ...plain,
  proxies: { https: proxy, http: '', none },
  ...more,
});
const at = (address: string, toPort?: number) => ({ overrides: [{ host, port: 443, address, toPort }] });

describe('the way to a public name', () => {
  it.each<[string, ReachOptions, string | undefined, ReturnType<typeof plannedWay>]>([
    ['is for DNS to say', plain, undefined, undefined],
    ['is what DNS has said', plain, '192.0.2.1', { host: '192.0.2.1', port: 443, proxy: undefined }],
    ['is the name where a proxy looks it up', proxied(), undefined, { host, port: 443, proxy }],
    ['is for DNS to say past the proxy', proxied('.example.com'), undefined, undefined],
    [
      'leads past the proxy by name',
      proxied('.example.com'),
      '192.0.2.1',
      { host: '192.0.2.1', port: 443, proxy: undefined },
    ],
    ['is for a named DNS server to say', proxied('', { dnsServer: '192.0.2.53' }), undefined, undefined],
    [
      'leads through the proxy to what it has said',
      proxied('', { dnsServer: '192.0.2.53' }),
      '192.0.2.1',
      { host: '192.0.2.1', port: 443, proxy },
    ],
    ['is an override', { ...plain, ...at('192.0.2.1') }, undefined, { host: '192.0.2.1', port: 443, proxy: undefined }],
    [
      'is an override through the proxy',
      proxied('', at('192.0.2.1', 8443)),
      undefined,
      { host: '192.0.2.1', port: 8443, proxy },
    ],
    [
      'is an override past it, by name',
      proxied(host, at('192.0.2.1')),
      undefined,
      { host: '192.0.2.1', port: 443, proxy: undefined },
    ],
    [
      'is an override past it, by network',
      proxied('192.0.2.0/24', at('192.0.2.1')),
      undefined,
      { host: '192.0.2.1', port: 443, proxy: undefined },
    ],
    [
      'is an override past it, by the address’ port',
      proxied('192.0.2.1:8443', at('192.0.2.1', 8443)),
      undefined,
      { host: '192.0.2.1', port: 8443, proxy: undefined },
    ],
    [
      'is an override to this machine',
      proxied('', at('127.0.0.1', 8443)),
      undefined,
      { host: '127.0.0.1', port: 8443, proxy: undefined },
    ],
    [
      'is an IPv6 override through it',
      proxied('', at('2001:db8::1')),
      undefined,
      { host: '2001:db8::1', port: 443, proxy },
    ],
  ])('%s', (_, options, found, way) => {
    expect(plannedWay(host, 443, options, found)).toEqual(way);
  });

  it('goes by HTTP_PROXY on port 80', () => {
    expect(plannedWay(host, 80, proxied())).toBeUndefined();
    const options = { ...plain, proxies: { https: '', http: proxy, none: '' } };
    expect(plannedWay(host, 80, options)).toEqual({ host, port: 80, proxy });
    expect(plannedWay(host, 443, options)).toBeUndefined();
  });

  it('takes no look-up where a proxy makes it, and says so', async () => {
    const way = await wayTo('nowhere.mcprt.invalid', 443, proxied());
    expect(way).toEqual({ host: 'nowhere.mcprt.invalid', port: 443, proxy });
    expect(isLookedUpByProxy(way)).toBe(true);
    expect(isLookedUpByProxy({ host: '192.0.2.1', port: 443, proxy })).toBe(false);
    await expect(wayTo('nowhere.mcprt.invalid', 443, plain)).rejects.toThrow();
  });
});
