import { Resolver, lookup as systemLookup } from 'node:dns/promises';
import { request } from 'node:http';
import { isIP } from 'node:net';
import { messageOf } from '../errors.js';
import type { Hosts } from '../profile/values.js';
import { withoutBrackets } from '../text.js';
import { type Address, openConnection, type ServedCertificate, servedCertificate } from './served-certificate.js';

/** One public name, seen from the runner. A part is undefined when it was not looked at. */
export interface PublicName {
  role: keyof Hosts;
  host: string;
  dns: { addresses: string[] } | { error: string } | undefined;
  http: HttpAnswer | { error: string } | undefined;
  /** What the same address answers on port 80 to a name that nobody has: who is there, whatever stands behind the name. */
  unnamed: HttpAnswer | { error: string } | undefined;
  tls: ServedCertificate | { error: string } | undefined;
}

export interface HttpAnswer {
  status: number;
  location: string;
  server: string;
  /** The first characters of the body. */
  body: string;
}

/** Where a name is looked for instead of where DNS says: a cluster can be checked before DNS points at it. */
export interface Override {
  host: string;
  /** Only connections to this port; all when undefined. */
  port: number | undefined;
  address: string;
  toPort: number | undefined;
}

export interface ReachOptions {
  overrides: readonly Override[];
  /** `address` or `address:port` of the DNS server to ask; the runner's own when empty. */
  dnsServer: string;
  /** PEM of further CAs to trust. */
  caBundle: string;
}

const deadline = 5_000;
const bodyStart = 200;
/** A name that no Ingress can be for (RFC 2606). */
export const nobodysName = 'mcprt-probe.invalid';

/**
 * Reads overrides as `host=address` or `host:port=address:port`, one a line.
 *
 * @throws Error with what is wrong with the first line that is none
 */
export function parseOverrides(text: string): Override[] {
  return text
    .split(/[\n,]+/)
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line, index) => {
      const [, host, port, address, toPort] =
        /^([a-z0-9.-]+)(?::(\d+))?=(\[[0-9a-f:]+\]|[0-9.]+)(?::(\d+))?$/i.exec(line) ?? [];
      const plain = withoutBrackets(address ?? '');
      if (host === undefined || isIP(plain) === 0) {
        throw new Error(`entry ${index + 1} is not host=address or host:port=address:port`);
      }
      return {
        host: host.toLowerCase(),
        port: port === undefined ? undefined : Number(port),
        address: plain,
        toPort: toPort === undefined ? undefined : Number(toPort),
      };
    });
}

/** Looks at the public names from here, all at once: DNS, port 80, port 443. Nothing is thrown: a failure is what was seen. */
export async function reach(hosts: Hosts, options: ReachOptions): Promise<PublicName[]> {
  const roles = ['registry', 'mcp', 'platform'] as const;
  return Promise.all(
    roles.map(async (role): Promise<PublicName> => {
      const host = hosts[role];
      const [http, tls] = [target(host, 80, options), target(host, 443, options)];
      const isOverridden = http !== undefined && tls !== undefined;
      const dns = isOverridden && options.dnsServer === '' ? undefined : await addressesOf(host, options.dnsServer);
      const first = dns !== undefined && 'addresses' in dns ? dns.addresses[0] : undefined;
      const at80 = http ?? (first === undefined ? undefined : { address: first, port: 80 });
      const at443 = tls ?? (first === undefined ? undefined : { address: first, port: 443 });
      const [httpAnswer, unnamed, tlsAnswer] = await Promise.all([
        at80 === undefined ? undefined : orError(askHttp(host, at80)),
        at80 === undefined ? undefined : orError(askHttp(nobodysName, at80)),
        at443 === undefined
          ? undefined
          : orError(openConnection(at443).then((socket) => servedCertificate(socket, host, options.caBundle))),
      ]);
      return { role, host, dns, http: httpAnswer, unnamed, tls: tlsAnswer };
    }),
  );
}

/** Where to connect for a port of a host: by the overrides, else by DNS. @throws what the resolver says */
export async function addressFor(
  host: string,
  port: number,
  options: Pick<ReachOptions, 'overrides' | 'dnsServer'>,
): Promise<Address> {
  const overridden = target(host, port, options);
  if (overridden !== undefined) return overridden;
  const found = await lookUp(host, options.dnsServer);
  const [address] = found;
  if (address === undefined) throw new Error(`${host} has no address`);
  return { address, port };
}

function target(host: string, port: number, { overrides }: Pick<ReachOptions, 'overrides'>): Address | undefined {
  const found = overrides.find(
    (one) => one.host === host.toLowerCase() && (one.port === undefined || one.port === port),
  );
  return found && { address: found.address, port: found.toPort ?? port };
}

async function addressesOf(host: string, dnsServer: string): Promise<{ addresses: string[] } | { error: string }> {
  return orError(lookUp(host, dnsServer).then((addresses) => ({ addresses })));
}

async function lookUp(host: string, dnsServer: string): Promise<string[]> {
  if (dnsServer === '') {
    const found = await systemLookup(host, { all: true });
    return found.map(({ address }) => address);
  }
  const resolver = new Resolver({ timeout: deadline / 2, tries: 2 });
  resolver.setServers([dnsServer]);
  return resolver.resolve4(host).catch(() => resolver.resolve6(host));
}

/** What the server at a name answers on port 80 to a request for `/`. Redirects are not followed: they are the answer. */
function askHttp(host: string, { address, port }: Address): Promise<HttpAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>();
  const asked = request({ host: address, port, path: '/', headers: { host, 'user-agent': 'mcprt' }, agent: false });
  let finish = (): void => reject(new Error(`no answer within ${deadline / 1000} s`));
  // In all, and not since the last byte: what sends one now and then is never idle, and after a 101 nothing is told.
  const late = setTimeout(() => {
    finish();
    asked.destroy();
  }, deadline);
  asked.once('error', reject);
  asked.once('response', (answer) => {
    let body = '';
    finish = () =>
      resolve({
        status: answer.statusCode ?? 0,
        location: answer.headers.location ?? '',
        server: String(answer.headers.server ?? ''),
        body: body.slice(0, bodyStart).trim(),
      });
    answer.setEncoding('utf8').on('data', (text: string) => {
      body += text;
      if (body.length > bodyStart) answer.destroy();
    });
    answer.once('close', () => finish());
  });
  asked.end();
  return promise.finally(() => clearTimeout(late));
}

async function orError<T>(attempt: Promise<T>): Promise<T | { error: string }> {
  try {
    return await attempt;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
    return { error: `${messageOf(error) || 'failed'}${messageOf(error).includes(code.trim()) ? '' : code}` };
  }
}
