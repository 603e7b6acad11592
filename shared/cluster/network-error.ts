import type { X509Certificate } from 'node:crypto';
import { type ErrorCode, McprtError } from '../errors.js';
import type { Credentials } from './credentials.js';
import { firstCertificate, hostOf, nameText, presentedCertificate } from './served.js';

/** A request that got no answer, and the way that it took. */
export interface Way {
  /** The request and where it went, as a message says it. */
  where: string;
  server: string;
  tls: Credentials['tls'];
  /** The proxy on the way; undefined where there is none. What it does not get to is told by itself. */
  proxy: string | undefined;
  /** How often it was tried. */
  tries: number;
}

interface Told {
  code: ErrorCode;
  what: string;
  why: string;
  next: string;
}

const loopback = /^(?:localhost|127(?:\.\d+){3}|0\.0\.0\.0|::1?)$/;
/** What OpenSSL says of an answer that is no TLS, by the version of it. */
const noTls = /^(?:EPROTO|ERR_SSL_(?:WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST|UNKNOWN_PROTOCOL))$/;
const newCa =
  'the kubeconfig’s certificate-authority-data, or the input `certificate-authority`, must be the CA of this server: on k3s /var/lib/rancher/k3s/server/tls/server-ca.crt';

/** Why no answer came: one code and one way forward for each cause. */
export async function networkError(cause: unknown, way: Way): Promise<McprtError> {
  const code = codeOf(cause);
  const told = isCertificateProblem(cause)
    ? await certificateError(cause, code, way)
    : connectionError(cause, code, way);
  return new McprtError(told.code, { ...told, what: `${way.where}: ${told.what}`, cause });
}

/** What should be an API server answers as something of another kind does. */
export function notApi(where: string, why: string): McprtError {
  const told = anotherServer(why);
  return new McprtError(told.code, { ...told, what: `${where}: ${told.what}` });
}

function anotherServer(why: string): Told {
  return {
    code: 'cluster-not-api',
    what: 'what answers is no API server',
    why,
    next: 'check the address and port of `server`: k3s’ API server listens at https://NODE:6443, and no proxy, portal or load balancer may answer in its place; `kubectl get --raw /version` shows what does',
  };
}

/** The code that the system, Node or its client gives an error; empty where it has none. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

export function isCertificateProblem(error: unknown): boolean {
  return /CERT|SELF_SIGNED|UNABLE_TO|ERR_TLS/.test(codeOf(error));
}

function connectionError(cause: unknown, code: string, { server, tries }: Way): Told {
  const host = hostOf(server);
  const message = cause instanceof Error ? cause.message : '';
  if (noTls.test(code) && !/alert/i.test(message)) {
    return anotherServer(`it does not speak TLS (${code}): a plain HTTP server, or another port`);
  }
  if (code === 'ECONNREFUSED') {
    return loopback.test(host)
      ? {
          code: 'cluster-loopback',
          what: 'nothing listens there on this machine',
          why: `${host} is this machine itself (${code}): /etc/rancher/k3s/k3s.yaml says so for use on the node, and was copied as it is`,
          next: 'write the node’s address instead: `kubectl config set-cluster default --server=https://NODE:6443`; where this machine is the node, start k3s',
        }
      : {
          code: 'cluster-connection-refused',
          what: `nothing listens there, after ${tries} tries`,
          why: `${host} is reached, and takes no connection at this port (${code})`,
          next: 'check that k3s runs (`systemctl status k3s`) and that the port is the API server’s, 6443; a firewall that rejects looks the same',
        };
  }
  if (code === 'ENOTFOUND' || code.startsWith('EAI_')) {
    return {
      code: 'cluster-dns',
      what: 'the name is not found',
      why: `this machine’s DNS has no address for ${host} (${code})`,
      next: 'correct the name, make its DNS record, or use the IP address: the certificate must have it too (k3s `--tls-san`); for an internal name use a machine within that network: a runner there, for a job',
    };
  }
  const timedOut = cause instanceof Error && cause.name === 'TimeoutError';
  const way = /^(?:EHOST|ENET)/.test(code)
    ? 'no route leads there from this machine'
    : 'packets are dropped on the way';
  return {
    code: 'cluster-unreachable',
    what: `no answer${timedOut ? ' within the deadline' : code === '' ? '' : `, tried ${tries} times at most`}`,
    why: timedOut || isSilent(code) ? `${code || 'timeout'}: ${way}` : code || message || 'unknown network failure',
    next: 'check that this machine can reach the API server: a firewall, a VPN, or a proxy that HTTPS_PROXY must name',
  };
}

/** Whether a failure is that nothing came back at all. */
function isSilent(code: string): boolean {
  return /^(?:ETIMEDOUT|EHOST\w+|ENET\w+|UND_ERR_CONNECT_TIMEOUT)$/.test(code);
}

async function certificateError(cause: unknown, code: string, way: Way): Promise<Told> {
  const { server, tls, proxy } = way;
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return otherName(cause, tls.servername ?? hostOf(server));
  const served = await presentedCertificate(server, { proxy, servername: tls.servername });
  const ca = firstCertificate(tls.ca);
  if (code === 'CERT_HAS_EXPIRED') return expired(code, served, ca);
  if (code === 'CERT_NOT_YET_VALID') {
    return {
      code: 'cluster-certificate-early',
      what: 'the server’s certificate is not valid yet',
      why: `${code}${served ? `: it begins at ${served.validFromDate.toISOString()}` : ''}, and this machine’s clock says ${new Date().toISOString()}`,
      next: 'a clock is wrong: compare this machine’s (`date -u`) with the node’s, and set the one that is wrong (`timedatectl set-ntp true`)',
    };
  }
  const given = ca
    ? `the CA that was given is ${nameText(ca.subject)}`
    : 'no CA was given, so those of public sites count';
  const issuer = served ? `, and the server’s certificate is issued by ${nameText(served.issuer)}` : '';
  return {
    code: 'cluster-untrusted',
    what: 'the server’s certificate is not trusted',
    why: `${code}: ${given}${issuer}`,
    next: `${newCa}. Where the issuer is none of k3s’, something on the way ends TLS; where k3s was reinstalled, fetch its kubeconfig again`,
  };
}

function otherName(cause: unknown, wanted: string): Told {
  return {
    code: 'cluster-certificate-name',
    what: `the server’s certificate is not for ${wanted}`,
    why: `it is for ${namesOf(cause) || 'no name at all'}`,
    next: `add ${wanted} on the node to \`tls-san\` in /etc/rancher/k3s/config.yaml (or \`--tls-san ${wanted}\`), and restart k3s; or set \`tls-server-name\` in the kubeconfig to a name that the certificate has`,
  };
}

/** The names that Node has found in a certificate instead of the wanted one. */
function namesOf(cause: unknown): string {
  const cert = cause instanceof Error && 'cert' in cause ? cause.cert : undefined;
  const names = typeof cert === 'object' && cert !== null && 'subjectaltname' in cert ? cert.subjectaltname : undefined;
  return typeof names === 'string' ? names.slice(0, 600) : '';
}

function expired(code: string, served: X509Certificate | undefined, ca: X509Certificate | undefined): Told {
  const now = Date.now();
  const clock = `this machine’s clock says ${new Date(now).toISOString()}`;
  if (ca && served && ca.validToDate.getTime() < now && served.validToDate.getTime() > now) {
    return {
      code: 'cluster-certificate-expired',
      what: 'the CA of the server’s certificate has expired',
      why: `${code}: ${nameText(ca.subject)} ended at ${ca.validToDate.toISOString()}, and ${clock}`,
      next: 'renew the CA on the node (`k3s certificate rotate-ca`), and fetch the kubeconfig again; if the clock is wrong, set it',
    };
  }
  return {
    code: 'cluster-certificate-expired',
    what: 'the server’s certificate has expired',
    why: `${code}${served ? `: it ended at ${served.validToDate.toISOString()}` : ''}, and ${clock}`,
    next: 'restart k3s on the node (`systemctl restart k3s`): it renews its own certificates then; if this machine’s clock is wrong, set it',
  };
}
