import { connect } from 'node:tls';
import { codeOf, networkError } from '../shared/cluster/network-error.js';
import { hostOf } from '../shared/cluster/served.js';
import { McprtError, messageOf } from '../shared/errors.js';
import { type Proxies, proxyFor } from '../shared/proxy.js';
import { openTunnel } from '../shared/tunnel.js';

const deadline = 5_000;
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
export async function checkServer(checked: CheckedServer): Promise<void> {
  const { address, authority, name, proxies } = checked;
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
  if (problem !== undefined) throw await refusal(checked, problem);
}

async function refusal({ address, authority, name, proxies }: CheckedServer, problem: unknown): Promise<McprtError> {
  const host = name ?? hostOf(address);
  const proxy = proxyFor(new URL(address), proxies);
  const tls = {
    ...(authority === undefined ? {} : { ca: authority }),
    ...(name === undefined ? {} : { servername: name }),
  };
  const { code, why, next } = await networkError(problem, { where: address, server: address, tls, proxy, tries: 1 });
  const refused = (what: string, way: string): McprtError =>
    new McprtError('init-server', { what, why, next: way, cause: problem });
  if (code === 'cluster-certificate-name') {
    return refused(
      `the certificate of ${address} is not for ${host}`,
      `give a name or an address with --server that is in it, or have k3s add this one: put ${host} into \`tls-san\` in /etc/rancher/k3s/config.yaml, and restart k3s. A kubeconfig’s tls-server-name is kept only with --tokens`,
    );
  }
  if (code === 'cluster-untrusted') {
    return refused(
      `the certificate of ${address} is not of the CA that the kubeconfig names`,
      'give the address of that very cluster’s API server, and none at which something in between ends TLS; or use the kubeconfig of the cluster that is there',
    );
  }
  if (code.startsWith('cluster-certificate-')) {
    return refused(`the certificate of ${address} does not count now`, `${next}; ${skip}`);
  }
  if (code === 'cluster-not-api' || isCutOff(problem)) {
    return refused(
      `no TLS could be set up with ${address}`,
      `give the port of the API server with --server, which is 6443 with k3s; ${skip}`,
    );
  }
  return refused(`nobody answers at ${address}`, `check the address, the port and the firewall; ${skip}`);
}

/** Somebody takes the connection, and ends it before a word of TLS. */
function isCutOff(problem: unknown): boolean {
  return codeOf(problem) === 'ECONNRESET' || /before (?:secure )?TLS/.test(messageOf(problem));
}
