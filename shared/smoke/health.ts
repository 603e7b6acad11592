import pMap from 'p-map';
import { McprtError, messageOf } from '../errors.js';
import { isRecord, parsedJson } from '../json.js';
import { type ServedCertificate, servedCertificate } from '../platform/served-certificate.js';
import { isLookedUpByProxy, openWay, type ReachOptions, wayTo } from '../platform/way.js';
import type { Web, WebAnswer } from '../platform/web.js';
import type { Hosts } from '../profile/values.js';
import { type Check, type CheckPorts, type Checks, runSuite } from './checks.js';

export interface HealthOptions {
  hosts: Hosts;
  reach: ReachOptions;
  web: Web;
  /** A certificate with fewer days left fails. By itself: one with less than a sixth of its life, and 14 days at most. */
  minDays: number | 'auto';
  /** Serials of the certificates that the cluster has, by public name; undefined where the cluster was not asked. */
  serials: ReadonlyMap<string, readonly string[]> | undefined;
  now: Date;
}

/** What was seen of a name's certificate, for the summary. */
export interface SeenName {
  host: string;
  address: string;
  certificate: ServedCertificate | undefined;
}

const layers = ['DNS', 'TCP', 'TLS', 'certificate', 'HTTP', 'application'] as const;
const day = 24 * 3600_000;
const roles = ['platform', 'registry', 'mcp'] as const;

/** Names of the checks of the suite `health`. */
export function healthChecks(hosts: Hosts): string[] {
  return roles.flatMap((role) => layers.map((layer) => `${hosts[role]}: ${layer}`));
}

/**
 * Looks at each public name layer by layer, all names at once: what is below a layer that fails was well, and what is
 * above it is not looked at.
 */
export async function healthSuite(record: Check[], options: HealthOptions, ports: CheckPorts): Promise<SeenName[]> {
  const { hosts } = options;
  const looked = await pMap(roles, async (role) => {
    const host = hosts[role];
    const own: Check[] = [];
    const found: SeenName = { host, address: '', certificate: undefined };
    const names = layers.map((layer) => `${host}: ${layer}`);
    await runSuite(own, 'health', names, ports, (checks) => lookAtName(checks, role, found, options, ports));
    return { own, found };
  });
  // Name by name, in whatever order they ended.
  record.push(...looked.flatMap(({ own }) => own));
  return looked.map(({ found }) => found);
}

async function lookAtName(
  checks: Checks,
  role: keyof Hosts,
  found: SeenName,
  options: HealthOptions,
  ports: CheckPorts,
): Promise<void> {
  const { host } = found;
  const { reach, web, serials } = options;
  const target = await checks.need(`${host}: DNS`, async (note) => {
    const way = await wayTo(host, 443, reach).catch((cause: unknown) => {
      throw new McprtError('smoke-dns', {
        what: `${host} has no address`,
        why: messageOf(cause),
        next: `look at its DNS record: \`dig ${host}\`; before DNS points at the cluster, use \`resolve\``,
        cause,
      });
    });
    found.address = way.port === 443 ? way.host : `${way.host}:${way.port}`;
    note(isLookedUpByProxy(way) ? 'not looked at: a proxy looks the name up' : found.address);
    return way;
  });
  const socket = await checks.need(`${host}: TCP`, () =>
    openWay(target, reach, ports.signal).catch((cause: unknown) => {
      if (cause instanceof McprtError) throw cause;
      throw new McprtError('smoke-tcp', {
        what: `nobody answers at ${found.address}`,
        why: messageOf(cause),
        next: 'look at Traefik and its load balancer: `kubectl get pods,svc -n kube-system`; check that DNS points to this cluster, and the firewall',
        cause,
      });
    }),
  );
  const certificate = await checks.need(`${host}: TLS`, async () =>
    servedCertificate(socket, host, reach.caBundle).catch((cause: unknown) => {
      throw new McprtError('smoke-tls', {
        what: `${found.address} does not speak TLS`,
        why: messageOf(cause),
        next: 'something else than Traefik may listen there, or Traefik has lost its backend: `kubectl logs -n kube-system deployment/traefik`',
        cause,
      });
    }),
  );
  found.certificate = certificate;
  await checks.need(`${host}: certificate`, async (note) => {
    note(
      `${Math.floor((certificate.notAfter.getTime() - options.now.getTime()) / day)} days left, serial ${certificate.serial}`,
    );
    requireCertificate(host, certificate, options, serials?.get(host));
  });
  const path = role === 'registry' ? '/v2/' : '/';
  const answer = await checks.need(`${host}: HTTP`, async (note) => {
    const got = await web.ask({ method: 'GET', host, path, signal: ports.signal });
    note(`${got.status} in ${Math.round(got.ms)} ms`);
    requireStatus(host, path, got);
    return got;
  });
  await checks.look(`${host}: application`, async (note) => {
    if (role === 'registry') note(requireRegistry(host, answer));
    else if (role === 'platform') note(await requirePlatform(host, web, ports.signal));
    else note(requireMcp(host, answer));
  });
}

/** Certificates live for 90, 45 or 6 days, and are renewed when a third of that is left. In days. */
const mostWanted = 14;
/** Whole days of a long time, tenths of a short one. */
const daysText = (days: number, whole: (value: number) => number): string =>
  String(days < 3 ? whole(days * 10) / 10 : whole(days));

/** Why a certificate will not do: by the verifier, by the time that it has left, and by what the cluster has. */
export function requireCertificate(
  host: string,
  { problem, notAfter, notBefore, issuer, subject, names, serial }: ServedCertificate,
  { minDays, now }: Pick<HealthOptions, 'minDays' | 'now'>,
  expected: readonly string[] | undefined,
): void {
  const served = `subject ${subject || 'empty'}, issuer ${issuer || 'empty'}, names ${names || 'none'}, valid from ${notBefore.toISOString()} to ${notAfter.toISOString()}`;
  const fail = (code: `smoke-${string}`, what: string, next: string): never => {
    throw new McprtError(code, { what, why: problem === '' ? served : `${problem}: ${served}`, next });
  };
  if (/TRAEFIK DEFAULT CERT/i.test(subject)) {
    fail(
      'smoke-tls-default',
      `${host} serves Traefik’s own certificate`,
      'its Secret is missing or of another host: `kubectl get certificate,secret -A`; `operation: restore` of action-backup brings it back without an order',
    );
  }
  if (notAfter <= now) {
    fail(
      'smoke-tls-expired',
      `the certificate of ${host} ended on ${notAfter.toISOString().slice(0, 10)}`,
      'cert-manager has not renewed it: `kubectl describe certificate -A`, and `operation: check` of action-setup, which says why',
    );
  }
  if (problem === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    fail(
      'smoke-tls-name',
      `the certificate that ${host} serves is for other names`,
      'DNS may point to another cluster, or the Ingress names another Secret: `kubectl get ingress -A`',
    );
  }
  if (notBefore > now) {
    fail(
      'smoke-tls-early',
      `the certificate of ${host} is valid from ${notBefore.toISOString()} on only`,
      'compare the clocks: this machine’s (`date`), and that of the node that cert-manager runs on',
    );
  }
  if (problem !== '') {
    fail(
      'smoke-tls-chain',
      problem === 'CERT_HAS_EXPIRED'
        ? `a certificate between that of ${host} and its CA has ended`
        : `the certificate of ${host} is of a CA that is not trusted`,
      'a staging or private CA goes into `ca-bundle`; otherwise the issuer is not the one that it should be: `kubectl get clusterissuer`',
    );
  }
  if (expected !== undefined && !expected.includes(serial)) {
    fail(
      'smoke-other-cluster',
      `${host} leads to another cluster`,
      `the certificate there has serial ${serial}, and this cluster has ${expected.join(', ') || 'none for the name'}: correct DNS, or the kubeconfig`,
    );
  }
  const left = (notAfter.getTime() - now.getTime()) / day;
  const wanted =
    minDays === 'auto' ? Math.min(mostWanted, (notAfter.getTime() - notBefore.getTime()) / day / 6) : minDays;
  if (minDays === 'auto' ? left < wanted : Math.floor(left) < wanted) {
    fail(
      'smoke-tls-days',
      `the certificate of ${host} has ${daysText(left, Math.floor)} days left, and ${daysText(wanted, Math.ceil)} are wanted`,
      'cert-manager renews a third of its life before the end: if that is past, `kubectl describe certificate -A` says why not',
    );
  }
}

function requireStatus(host: string, path: string, { status, text }: WebAnswer): void {
  if (status < 500) return;
  throw new McprtError('smoke-http', {
    what: `${host} answers ${status}`,
    why: `GET https://${host}${path} → ${status} ${text.slice(0, 120).trim()}`,
    next: '503 is Traefik without a ready pod, 502 a pod that does not answer: `kubectl get pods -A`',
  });
}

function requireRegistry(host: string, { status, headers, text }: WebAnswer): string {
  const told = `GET https://${host}/v2/ → ${status} ${text.slice(0, 120).trim()}`;
  if (status === 200) {
    throw new McprtError('smoke-registry-open', {
      what: `the registry ${host} lets anybody in`,
      why: told,
      next: 'Traefik’s authentication is not in front of it: look at the annotation router.middlewares of Ingress registry/registry; action-setup puts it back',
    });
  }
  if (status !== 401 || !/^basic realm="mcp-runtime-registry"/i.test(headers['www-authenticate'] ?? '')) {
    throw new McprtError('smoke-registry', {
      what: `${host} does not answer as the platform’s registry`,
      why: `${told}; www-authenticate: ${headers['www-authenticate'] ?? 'none'}`,
      next: 'look at Ingress and pods: `kubectl get ingress,pods -n registry`',
    });
  }
  return 'asks for a password, as it should';
}

function requireMcp(host: string, { status, text }: WebAnswer): string {
  // No server has the path `/`: Traefik itself says so.
  if (status === 404) return 'routes by server, and answers 404 without one';
  throw new McprtError('smoke-mcp-host', {
    what: `${host} does not answer as the platform’s MCP front`,
    why: `GET https://${host}/ → ${status} ${text.slice(0, 120).trim()}`,
    next: 'no server is published at `/`: DNS may point elsewhere, or an Ingress has taken the whole host: `kubectl get ingress -A`',
  });
}

/** Every API of the layout answers as one, to somebody without credentials. */
async function requirePlatform(host: string, web: Web, signal: AbortSignal): Promise<string> {
  const asked = async (path: string): Promise<{ path: string; status: number; isApi: boolean; text: string }> => {
    const { status, text } = await web.ask({ method: 'GET', host, path, signal });
    return { path, status, isApi: isRecord(parsedJson(text)), text: text.slice(0, 100).trim() };
  };
  const probe = await asked('/api/v1/auth/me');
  const base = probe.isApi ? '/api/v1' : '/api';
  const answers = await Promise.all(['auth/me', 'runtime/servers', 'stats'].map((path) => asked(`${base}/${path}`)));
  // A platform in public mode shows its servers to everybody.
  const wrong = answers.filter(({ status, isApi }) => !isApi || ![200, 401].includes(status));
  if (wrong.length > 0) {
    throw new McprtError('smoke-api', {
      what: `the API of ${host} does not answer as it should`,
      why: wrong.map(({ path, status, text }) => `GET https://${host}${path} → ${status} ${text}`).join('\n'),
      next: 'look at the APIs’ pods and Ingresses: `kubectl get pods,ingress -n mcp-sentinel`',
    });
  }
  const open = answers.find(({ path, status }) => status === 200 && path.endsWith('auth/me'));
  if (open !== undefined) {
    throw new McprtError('smoke-api-open', {
      what: `the API of ${host} lets in who has no credentials`,
      why: `GET https://${host}${open.path} → 200`,
      next: 'close the platform to the public, and look at the API’s configuration in mcp-sentinel-config',
    });
  }
  return `${base}: ${answers.length} APIs ask for credentials`;
}
