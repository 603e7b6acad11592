import { expect, test } from '@jest/globals';
import { direct, proxiesIn, proxyFor } from './proxy.js';

const through = (url: string, none: string): boolean =>
  proxyFor(new URL(url), { https: 'http://p.example:3128', http: 'http://p.example:3128', none }) !== undefined;

test.each([
  // A name, what is below it, and nothing that only ends alike.
  ['example.com', 'https://example.com', false],
  ['example.com', 'https://k3s.example.com:6443', false],
  ['example.com', 'https://notexample.com', true],
  ['.example.com', 'https://k3s.example.com', false],
  ['.example.com', 'https://example.com', false],
  ['*.example.com', 'https://a.b.example.com', false],
  ['EXAMPLE.com', 'https://K3S.Example.COM', false],
  ['example.com.', 'https://k3s.example.com', false],
  ['example.com', 'https://example.com.', false],
  // Ports.
  ['example.com:6443', 'https://example.com:6443', false],
  ['example.com:6443', 'https://example.com', true],
  ['example.com:443', 'https://example.com', false],
  ['example.com:80', 'http://example.com', false],
  ['10.0.0.1:6443', 'https://10.0.0.1:6443', false],
  ['10.0.0.1:6443', 'https://10.0.0.1:443', true],
  ['[2001:db8::1]:6443', 'https://[2001:db8::1]:6443', false],
  ['[2001:db8::1]:6443', 'https://[2001:db8::1]', true],
  // Addresses and networks.
  ['10.0.0.1', 'https://10.0.0.1:6443', false],
  ['10.0.0.1', 'https://10.0.0.10', true],
  ['0.0.1', 'https://10.0.0.1', true],
  ['10.0.0.0/8', 'https://10.43.0.1:443', false],
  ['10.0.0.0/8', 'https://11.0.0.1', true],
  ['192.168.1.128/25', 'https://192.168.1.127', true],
  ['192.168.1.128/25', 'https://192.168.1.129', false],
  ['0.0.0.0/0', 'https://8.8.8.8', false],
  ['10.0.0.0/8', 'https://ten.example.com', true],
  ['10.0.0.0/33', 'https://10.0.0.1', true],
  ['10.0.0.0/', 'https://10.0.0.1', true],
  ['10.0.0.0/8', 'https://[::ffff:10.1.2.3]', false],
  ['2001:db8::/32', 'https://[2001:db8:1::5]:6443', false],
  ['2001:db8::/32', 'https://[2001:db9::5]', true],
  ['fd00::/8', 'https://10.0.0.1', true],
  ['2001:db8:0::1', 'https://[2001:db8::1]', false],
  // Everything, nothing, several.
  ['*', 'https://example.com', false],
  ['', 'https://example.com', true],
  [' , ,', 'https://example.com', true],
  ['a.example, b.example c.example', 'https://c.example', false],
  ['.', 'https://example.com', true],
  ['*.', 'https://example.com', true],
  // Loopback.
  ['', 'https://localhost:6443', false],
  ['', 'https://127.0.0.1:6443', false],
  ['', 'https://127.1.2.3', false],
  ['', 'https://[::1]:6443', false],
  ['', 'https://localhost.example.com', true],
])('NO_PROXY=%j, %s: through the proxy: %s', (none, url, wanted) => {
  expect(through(url, none)).toBe(wanted);
});

test('the proxy is the one of the scheme, http where it says nothing', () => {
  const proxies = { https: 'p.example:3128', http: 'https://q.example', none: '' };
  expect(proxyFor(new URL('https://a.example'), proxies)).toBe('http://p.example:3128');
  expect(proxyFor(new URL('http://a.example'), proxies)).toBe('https://q.example');
  expect(proxyFor(new URL('http://a.example'), { ...proxies, http: ' ' })).toBeUndefined();
  expect(proxyFor(new URL('https://a.example'), direct)).toBeUndefined();
});

test.each([
  [{}, '', ''],
  [{ HTTPS_PROXY: 'a', https_proxy: 'b' }, 'b', ''],
  [{ HTTPS_PROXY: 'a', https_proxy: '' }, 'a', ''],
  [{ http_proxy: 'c', HTTP_PROXY: '' }, '', 'c'],
  [{ ALL_PROXY: 'd' }, '', ''],
])('the environment %j names for https %j, for http %j', (env, https, http) => {
  expect(proxiesIn(env)).toEqual({ https, http, none: '' });
});

test('a proxy is an IPv6 address, or stands with a slash at its end', () => {
  for (const https of ['http://[2001:db8::1]:3128', 'http://p.example:3128/', ' http://p.example:3128 '])
    expect(proxyFor(new URL('https://a.example'), { ...direct, https })).toBe(https.trim());
});
