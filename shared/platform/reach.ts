import { type ClientRequest, request } from 'node:http';
import { McprtError, messageOf } from '../errors.js';
import type { Hosts } from '../profile/values.js';
import { proxyAddress, proxyFailure, proxyRefusal, proxySilent } from '../proxy-error.js';
import { askProxy } from '../tunnel.js';
import { type ServedCertificate, servedCertificate } from './served-certificate.js';
import { isLookedUpByProxy, lookUp, openWay, plannedWay, type ReachOptions, type Way } from './way.js';

/** One public name, seen from the runner. A part is undefined when it was not looked at. */
export interface PublicName {
  role: keyof Hosts;
  host: string;
  dns: { addresses: string[] } | Failed | undefined;
  http: HttpAnswer | Failed | undefined;
  /** What the same address answers on port 80 to a name that nobody has: who is there, whatever stands behind the name. */
  unnamed: HttpAnswer | Failed | undefined;
  tls: ServedCertificate | Failed | undefined;
  /** What a proxy on the way keeps from being seen, each with the reason. */
  unseen: string[];
  /** Whether a proxy handed the answer of port 80 on, so that it may be the proxy's own. */
  isHandedOn: boolean;
}

/** What was seen in place of an answer. */
export interface Failed {
  error: string;
  /** What to do where it was a proxy that did not get there. */
  next?: string;
}

export interface HttpAnswer {
  status: number;
  location: string;
  server: string;
  /** The first characters of the body. */
  body: string;
}

const deadline = 5_000;
const bodyStart = 200;
/** A name that no Ingress can be for (RFC 2606). */
export const nobodysName = 'mcprt-probe.invalid';

/** Looks at the public names from here, all at once: DNS, port 80, port 443. Nothing is thrown: a failure is what was seen. */
export async function reach(hosts: Hosts, options: ReachOptions): Promise<PublicName[]> {
  const roles = ['registry', 'mcp', 'platform'] as const;
  return Promise.all(roles.map((role) => lookAt(role, hosts[role], options)));
}

async function lookAt(role: keyof Hosts, host: string, options: ReachOptions): Promise<PublicName> {
  const isPlanned = [80, 443].every((port) => plannedWay(host, port, options) !== undefined);
  const dns =
    isPlanned && options.dnsServer === ''
      ? undefined
      : await orError(lookUp(host, options.dnsServer).then((addresses) => ({ addresses })));
  const first = dns !== undefined && 'addresses' in dns ? dns.addresses[0] : undefined;
  const [at80, at443] = [plannedWay(host, 80, options, first), plannedWay(host, 443, options, first)];
  const isLookedUp = [at80, at443].some((way) => way !== undefined && isLookedUpByProxy(way));
  const isHandedOn = at80 !== undefined && isLookedUpByProxy(at80);
  const unseen: string[] = [];
  if (isLookedUp) unseen.push('DNS: a proxy looks the name up');
  if (isHandedOn) unseen.push('port 80 for other names: a proxy asks for the one only');
  const look = async <T>(what: string, way: Way | undefined, at: (way: Way) => Promise<T>): Promise<Seen<T>> =>
    way && seenBy(unseen, what, at(way));
  const [http, unnamed, tls] = await Promise.all([
    look('port 80', at80, (way) => askHttp(host, way, options)),
    isHandedOn ? undefined : look('port 80 for other names', at80, (way) => askHttp(nobodysName, way, options)),
    look('port 443', at443, async (way) => servedCertificate(await openWay(way, options), host, options.caBundle)),
  ]);
  return { role, host, dns, http, unnamed, tls, unseen, isHandedOn };
}

type Seen<T> = T | Failed | undefined;

/** What a look came to. A proxy that does not get there has seen for us; one that does not try keeps us from seeing. */
async function seenBy<T>(unseen: string[], what: string, attempt: Promise<T>): Promise<Seen<T>> {
  return orError(attempt).catch((error: McprtError) => {
    if (error.code === 'proxy-gateway') return { error: `${error.message}: ${error.why}`, next: error.next };
    unseen.push(`${what}: ${error.message}: ${error.why}`);
    return undefined;
  });
}

/** What the server at a name answers on port 80 to a request for `/`. Redirects are not followed: they are the answer. */
async function askHttp(host: string, way: Way, options: ReachOptions): Promise<HttpAnswer> {
  if (!isLookedUpByProxy(way)) {
    const socket = await openWay(way, options);
    return answerTo(request({ createConnection: () => socket, path: '/', headers: headersFor(host) }));
  }
  // Handed on without a tunnel: many proxies make one to port 443 only.
  const proxy = proxyAddress(way.proxy ?? '');
  const asked = { method: 'GET', path: `http://${host}/`, headers: headersFor(host) };
  const answer = await answerTo(askProxy(proxy, asked, options.caBundle)).catch((error: unknown) => {
    // What the system says has a code; our own deadline has none.
    const isSilent = !(error instanceof Error && 'code' in error);
    throw isSilent ? proxySilent(proxy.name, `${host}:80`, deadline / 1000) : proxyFailure(proxy.name, error);
  });
  if (answer.status === 407) throw proxyRefusal(proxy.name, host, answer.status, '');
  return answer;
}

function headersFor(host: string): Record<string, string> {
  return { host, 'user-agent': 'mcprt' };
}

function answerTo(asked: ClientRequest): Promise<HttpAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>();
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

/** Also what failed is what was seen. @throws McprtError `proxy-…` */
async function orError<T>(attempt: Promise<T>): Promise<T | Failed> {
  try {
    return await attempt;
  } catch (error) {
    if (error instanceof McprtError) throw error;
    const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
    return { error: `${messageOf(error) || 'failed'}${messageOf(error).includes(code.trim()) ? '' : code}` };
  }
}
