import { Resolver, lookup as systemLookup } from 'node:dns/promises';
import { connect, isIP, type Socket } from 'node:net';
import { type Proxies, proxyFor } from '../proxy.js';
import { hostPort } from '../text.js';
import { openTunnel, type Target } from '../tunnel.js';
import type { Override } from './overrides.js';

/** How public names are reached from here. */
export interface ReachOptions {
  overrides: readonly Override[];
  /** `address` or `address:port` of the DNS server to ask; the runner's own when empty. */
  dnsServer: string;
  /** PEM of further CAs to trust. */
  caBundle: string;
  /** Of the runner's environment. */
  proxies: Proxies;
}

/** A way to one port of a name: to an address, or to the name itself, which its proxy looks up. */
export interface Way extends Target {
  /** Undefined where it leads there directly. */
  proxy: string | undefined;
}

/** Of one connection that is made directly, and of one question to a DNS server, in ms. */
const within = { connect: 5_000, dns: 2_500 } as const;

/**
 * The way to a port of a name, as far as nobody has to ask DNS for it. An override, and what a named DNS server says, is an
 * address to connect to, with a proxy as without one, as curl's `--connect-to` has it; without either, a proxy is told the
 * name. NO_PROXY may name the name or the address.
 *
 * @param found what DNS says, for who has asked it
 */
export function plannedWay(host: string, port: number, options: ReachOptions, found?: string): Way | undefined {
  const { overrides, dnsServer, proxies } = options;
  const override = overrides.find(
    (one) => one.host === host.toLowerCase() && (one.port === undefined || one.port === port),
  );
  const proxy = proxyTo({ host, port }, port, proxies);
  const address = override?.address ?? found;
  if (address === undefined) return proxy === undefined || dnsServer !== '' ? undefined : { host, port, proxy };
  const target = { host: address, port: override?.toPort ?? port };
  return { ...target, proxy: proxy && proxyTo(target, port, proxies) };
}

/** The way to a port of a name, with the help of DNS where nobody else knows. @throws what the resolver says */
export async function wayTo(host: string, port: number, options: ReachOptions): Promise<Way> {
  const planned = plannedWay(host, port, options);
  if (planned !== undefined) return planned;
  const [address] = await lookUp(host, options.dnsServer);
  const way = address === undefined ? undefined : plannedWay(host, port, options, address);
  if (way === undefined) throw new Error(`${host} has no address`);
  return way;
}

/** Whether the name is the proxy's to look up, so that nothing is known of its addresses. */
export function isLookedUpByProxy({ host, proxy }: Way): boolean {
  return proxy !== undefined && isIP(host) === 0;
}

/** The addresses of a name. @throws what the resolver says */
export async function lookUp(host: string, dnsServer: string): Promise<string[]> {
  if (dnsServer === '') {
    const found = await systemLookup(host, { all: true });
    return found.map(({ address }) => address);
  }
  const resolver = new Resolver({ timeout: within.dns, tries: 2 });
  resolver.setServers([dnsServer]);
  return resolver.resolve4(host).catch(() => resolver.resolve6(host));
}

/**
 * Opens a connection. The caller ends it.
 *
 * @throws McprtError `proxy-…`; Error with what the system says, or that nobody answered in time; the signal's reason
 */
export function openWay(
  { host, port, proxy }: Way,
  { caBundle }: Pick<ReachOptions, 'caBundle'>,
  signal?: AbortSignal,
): Promise<Socket> {
  if (proxy !== undefined) return openTunnel(proxy, { host, port }, { caBundle, ...(signal && { signal }) });
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, ...(signal && { signal }) });
    const late = setTimeout(
      () => socket.destroy(new Error(`no answer within ${within.connect / 1000} s`)),
      within.connect,
    );
    const fail = (error: Error): void => {
      clearTimeout(late);
      reject(signal?.aborted ? signal.reason : error);
    };
    socket.once('error', fail);
    socket.once('connect', () => {
      clearTimeout(late);
      socket.off('error', fail);
      resolve(socket);
    });
  });
}

/** What goes to port 80 is http, all else https. */
function proxyTo({ host, port }: Target, asked: number, proxies: Proxies): string | undefined {
  return proxyFor(new URL(`${asked === 80 ? 'http' : 'https'}://${hostPort(host, port)}`), proxies);
}
