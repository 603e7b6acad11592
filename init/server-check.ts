import { connect } from 'node:tls';
import { codeOf } from '../shared/cluster/network-error.js';
import { hostOf } from '../shared/cluster/served.js';
import { McprtError, messageOf } from '../shared/errors.js';
import { type Proxies, proxyFor } from '../shared/proxy.js';
import { openTunnel } from '../shared/tunnel.js';

const deadline = 5_000;
/** What OpenSSL says of a chain that ends at no CA that was given. */
const untrusted =
  /^(?:UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_SELF_SIGNED|CERT_UNTRUSTED|CERT_SIGNATURE_FAILURE|INVALID_CA|CERT_CHAIN_TOO_LONG)/;
const skip = 'where only the runners reach it as it is meant, skip this check with --skip-server-check';

/** An API server, and how a job will check that it is the right one. */
export interface CheckedServer {
  address: string;
  /** Its CA in PEM; undefined for those that every system trusts. */
  authority: string | Buffer | undefined;
  /** Name in its certificate, where that is not the one of the address. */
  name: string | undefined;
  /** Of the environment. */
  proxies: Proxies;
}

/** Sets TLS up with an API server as a job will, and sends nothing. @throws McprtError `init-server`, `proxy-…` */
export async function checkServer({ address, authority, name, proxies }: CheckedServer): Promise<void> {
  const url = new URL(address);
  const target = { host: hostOf(address), port: Number(url.port || 443) };
  const { host } = target;
  const proxy = proxyFor(url, proxies);
  const tunnel = proxy === undefined ? target : { socket: await openTunnel(proxy, target) };
  const problem = await new Promise<unknown>((resolve) => {
    const options = { ...tunnel, ...(authority === undefined ? {} : { ca: authority }) };
    // An address is no name to ask for; the certificate is held against it all the same.
    const socket = connect({ ...options, servername: name ?? (/^[\d.]+$|:/.test(host) ? '' : host) });
    const timer = setTimeout(() => socket.destroy(new Error(`no answer within ${deadline / 1000} s`)), deadline);
    const done = (error?: unknown): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(error);
    };
    socket.once('secureConnect', () => done());
    socket.once('error', done);
    socket.once('close', () => done(new Error('the connection was closed before TLS was set up')));
  });
  if (problem !== undefined) throw refusal(address, name ?? host, problem);
}

function refusal(address: string, name: string, problem: unknown): McprtError {
  const code = codeOf(problem);
  const cause = problem instanceof Error ? problem : undefined;
  const why = messageOf(problem);
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return new McprtError('init-server', {
      what: `the certificate of ${address} is not for ${name}`,
      why,
      next: `give a name or an address with --server that is in it, or have k3s add this one: put ${name} into \`tls-san\` in /etc/rancher/k3s/config.yaml, and restart k3s. A kubeconfig’s tls-server-name is kept only with --tokens`,
      cause,
    });
  }
  if (untrusted.test(code)) {
    return new McprtError('init-server', {
      what: `the certificate of ${address} is not of the CA that the kubeconfig names`,
      why,
      next: 'give the address of that very cluster’s API server, and none at which something in between ends TLS; or use the kubeconfig of the cluster that is there',
      cause,
    });
  }
  if (/^(?:CERT_|EPROTO$|ERR_SSL_|ECONNRESET$)/.test(code) || /before TLS|before secure TLS/.test(why)) {
    return new McprtError('init-server', {
      what: `no TLS could be set up with ${address}`,
      why,
      next: `give the port of the API server with --server, which is 6443 with k3s; an outdated certificate is renewed when k3s restarts; ${skip}`,
      cause,
    });
  }
  return new McprtError('init-server', {
    what: `nobody answers at ${address}`,
    why,
    next: `check the address, the port and the firewall; ${skip}`,
    cause,
  });
}
