import { isIP } from 'node:net';
import { withoutBrackets } from './text.js';

/** The proxies that an environment names, as their variables say it; empty for none. */
export interface Proxies {
  /** HTTPS_PROXY: for https. */
  readonly https: string;
  /** HTTP_PROXY: for http. */
  readonly http: string;
  /** NO_PROXY: whom nobody asks through a proxy. */
  readonly none: string;
}

/** No proxy at all. */
export const direct: Proxies = { https: '', http: '', none: '' };

/** The proxies that an environment names; lower case wins, as in curl. */
export function proxiesIn(env: Readonly<Record<string, string | undefined>>): Proxies {
  const setting = (name: string): string => env[name.toLowerCase()] || env[name] || '';
  return { https: setting('HTTPS_PROXY'), http: setting('HTTP_PROXY'), none: setting('NO_PROXY') };
}

/**
 * The proxy through which an address is asked; undefined where it is asked directly. NO_PROXY is read as curl and Go read it: a
 * name stands for itself and what is below it, with or without a dot or `*.` before it; a network in CIDR; a port narrows an
 * entry; `*` is everything. Loopback is never asked through a proxy, as in Go.
 *
 * @returns the proxy's address, http where it has no scheme; it may be none, which is for its user to find out
 */
export function proxyFor(url: URL, { https, http, none }: Proxies): string | undefined {
  const proxy = (url.protocol === 'https:' ? https : http).trim();
  const host = withoutBrackets(url.hostname).toLowerCase().replace(/\.$/, '');
  if (proxy === '' || isLoopback(host)) return undefined;
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  if (none.split(/[\s,]+/).some((entry) => covers(entry.toLowerCase(), host, port))) return undefined;
  return withScheme(proxy);
}

/** A proxy's address, http where it has no scheme, as curl and Go take it. */
export function withScheme(proxy: string): string {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(proxy) ? proxy : `http://${proxy}`;
}

function covers(entry: string, host: string, port: string): boolean {
  if (entry === '') return false;
  if (entry === '*') return true;
  if (entry.includes('/')) return isInNetwork(host, entry);
  const { name, port: wanted } = split(entry);
  if (wanted !== undefined && wanted !== port) return false;
  if (isIP(name) !== 0 || isIP(host) !== 0) return isIP(name) !== 0 && sameAddress(name, host);
  const domain = name.replace(/^\*?\./, '').replace(/\.$/, '');
  return domain !== '' && (host === domain || host.endsWith(`.${domain}`));
}

/** `HOST`, `HOST:PORT`, `[V6]`, `[V6]:PORT`, or an IPv6 address without brackets. */
function split(entry: string): { name: string; port?: string } {
  if (isIP(entry) === 6) return { name: entry };
  const [, name = '', port] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(entry) ?? [];
  return { name: withoutBrackets(name), ...(port !== undefined && { port }) };
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || isInNetwork(host, '127.0.0.0/8') || sameAddress(host, '::1');
}

function isInNetwork(host: string, network: string): boolean {
  const [base = '', length = ''] = network.split('/');
  const [address, first] = [bitsOf(host), bitsOf(withoutBrackets(base))];
  if (address === undefined || first === undefined || address.length !== first.length) return false;
  const count = /^\d{1,3}$/.test(length) ? Number(length) : Number.POSITIVE_INFINITY;
  return count <= address.length && address.slice(0, count) === first.slice(0, count);
}

function sameAddress(one: string, other: string): boolean {
  const bits = bitsOf(one);
  return bits !== undefined && bits === bitsOf(other);
}

/** An address as its bits; undefined for a name. An IPv4 address in IPv6's form is the IPv4 address. */
function bitsOf(address: string): string | undefined {
  if (isIP(address) === 4) return binary(address.split('.').map(Number), 8);
  if (isIP(address) !== 6) return undefined;
  const plain = withoutBrackets(new URL(`http://[${address.split('%')[0]}]`).hostname);
  const [head = '', tail] = plain.split('::');
  const groups = (text: string): number[] =>
    text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
  const [front, back] = [groups(head), groups(tail ?? '')];
  const all =
    tail === undefined ? front : [...front, ...Array<number>(8 - front.length - back.length).fill(0), ...back];
  const bits = binary(all, 16);
  return bits.startsWith(`${'0'.repeat(80)}${'1'.repeat(16)}`) ? bits.slice(96) : bits;
}

function binary(numbers: readonly number[], size: number): string {
  return numbers.map((number) => number.toString(2).padStart(size, '0')).join('');
}
