import { connect } from 'node:tls';
import type { Registry } from '../../lab/driver/registry.js';
import { type Front, startFront } from '../../lab/platform/front.js';
import type { Gateway } from '../../lab/platform/gateway/gateway.js';
import type { Api } from './api.js';
import type { Base } from './base.js';
import { byItsSecret, type Nodes } from './kubelet.js';
import type { Made } from './part.js';

/** What the world outside sees. */
export interface PublicFront extends Front {
  /** Serial numbers that a TLS client is shown, by public host. */
  onTheWire(): Promise<Record<string, string>>;
}

/** What the front leads to, as far as it is there. */
export interface Behind {
  registry: Registry | undefined;
  api: Api | undefined;
  gateway: Gateway | undefined;
  kubelet: Nodes | undefined;
}

/** Starts the front. */
export async function makeFront(base: Base, { registry, api, gateway, kubelet }: Behind): Promise<Made<PublicFront>> {
  const { cluster, domain } = base;
  const front = await startFront(cluster, {
    domain,
    ...(registry && { registry: { url: registry.url, authorise: await authorisation(base, api) } }),
    ...(api && { api }),
    ...(gateway && { mcp: gateway }),
    ...(kubelet && { httpStatus: kubelet.httpStatus }),
  });
  const resolve = front.resolve.join('\n');
  const hosts = ['registry', 'mcp', 'platform'].map((label) => `${label}.${domain}`);
  const onTheWire = async (): Promise<Record<string, string>> =>
    Object.fromEntries(
      await Promise.all(hosts.map(async (host) => [host, await serialOf(host, front.httpsPort)] as const)),
    );
  return {
    part: { ...front, onTheWire },
    inputs: { setup: { resolve }, rollout: { resolve }, 'smoke-test': { resolve } },
    close: front.close,
  };
}

type Authorise = (username: string, password: string, path: string, method: string) => Promise<boolean | 'forbidden'>;

async function authorisation(base: Base, api: Api | undefined): Promise<Authorise> {
  if (api === undefined) return byItsSecret(base);
  return async (...call) => {
    const verdict = await api.authorise(...call);
    return verdict === 'forbidden' ? verdict : verdict === 'allowed';
  };
}

function serialOf(host: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, servername: host, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().serialNumber.toLowerCase().replace(/^0+/, ''));
      socket.destroy();
    });
    socket.once('error', reject);
  });
}
