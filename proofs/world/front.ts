import { connect } from 'node:tls';
import type { Registry } from '../../lab/driver/registry.js';
import { startTraefik, type Traefik } from '../../lab/driver/traefik.js';
import { authorisationPath, type Front, startFront } from '../../lab/platform/front.js';
import type { Gateway } from '../../lab/platform/gateway/gateway.js';
import type { Layout } from '../../lab/platform/names.js';
import { sentinelWorkloads } from '../../lab/platform/workloads.js';
import type { Api } from './api.js';
import type { Base, WorldOptions } from './base.js';
import { byItsSecret, type Nodes } from './kubelet.js';
import type { Made } from './part.js';

/** What the world outside sees. */
export interface PublicFront extends Front {
  /** Serial numbers that a TLS client is shown, by public host. */
  onTheWire(): Promise<Record<string, string>>;
  /** The real Traefik, where one stands before what the stand-in has behind it. */
  traefik: Traefik | undefined;
  /** The stand-in's own ports, also where it is behind a Traefik. */
  standIn: Pick<Front, 'httpPort' | 'httpsPort'>;
}

/** What the front leads to, as far as it is there. */
export interface Behind {
  registry: Registry | undefined;
  api: Api | undefined;
  gateway: Gateway | undefined;
  kubelet: Nodes | undefined;
}

/** Ports of all that Ingresses lead to. */
const podPorts: readonly number[] = [
  ...new Set([5000, ...(['mono', 'split'] as const).flatMap((layout) => webPorts(layout))]),
];

/** Starts the front. */
export async function makeFront(
  base: Base,
  { registry, api, gateway, kubelet }: Behind,
  options: Pick<WorldOptions, 'traefik'>,
): Promise<Made<PublicFront>> {
  const { cluster, domain, context, state } = base;
  const front = await startFront(cluster, {
    domain,
    ...(registry && { registry: { url: registry.url, authorise: await authorisation(base, api) } }),
    ...(api && { api }),
    ...(gateway && { mcp: gateway }),
    ...(kubelet && { httpStatus: kubelet.httpStatus }),
  });
  const { httpPort, httpsPort, pods } = front;
  const { env, progress } = context;
  const traefik = options.traefik
    ? await startTraefik(state, { pods, ports: podPorts, authorisation: authorisationPath, env, progress })
    : undefined;
  const port = (address: string): number => Number(address.split(':')[1]);
  const ports = traefik === undefined ? front : { httpPort: port(traefik.web), httpsPort: port(traefik.websecure) };
  const hosts = ['registry', 'mcp', 'platform'].map((label) => `${label}.${domain}`);
  const ways = hosts.flatMap((host) => [
    `${host}:80=127.0.0.1:${ports.httpPort}`,
    `${host}:443=127.0.0.1:${ports.httpsPort}`,
  ]);
  const onTheWire = async (): Promise<Record<string, string>> =>
    Object.fromEntries(
      await Promise.all(hosts.map(async (host) => [host, await serialOf(host, ports.httpsPort)] as const)),
    );
  const resolve = ways.join('\n');
  return {
    part: { ...front, ...ports, resolve: ways, onTheWire, traefik, standIn: { httpPort, httpsPort } },
    inputs: { setup: { resolve }, rollout: { resolve }, 'smoke-test': { resolve } },
    close: front.close,
  };
}

function webPorts(layout: Layout): number[] {
  const workloads = sentinelWorkloads(layout, { registry: '', tag: '' });
  return workloads.filter(({ kind }) => kind === 'deployment').flatMap(({ ports = [] }) => [...ports]);
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
