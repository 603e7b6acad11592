import { X509Certificate } from 'node:crypto';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer as createNetServer, type Server, type Socket } from 'node:net';
import { createSecureContext, type SecureContext } from 'node:tls';
import { type Cluster, isConflict, isNotFound } from '../../shared/cluster/cluster.js';
import { type KubeObject, kinds } from '../../shared/cluster/objects.js';
import { makeServerCertificate } from './certificate-authority.js';
import { namespaces } from './names.js';
import { registryAuth } from './registry.js';

/** A running front. */
export interface Front {
  httpPort: number;
  httpsPort: number;
  /** `host:port=address:port` for each public name, as curl's --connect-to has it, for 80 and for 443. */
  resolve: string[];
  close(): Promise<void>;
}

interface World {
  alive: boolean;
  ingresses: Ingress[];
  /** Deployments with available replicas, as `namespace/name`. */
  available: Set<string>;
  /** Contexts by host name, from the Secrets that Ingresses name. */
  contexts: Map<string, SecureContext>;
}

type Secret = KubeObject & { data?: Record<string, string> };
type Deployment = KubeObject & { status?: { availableReplicas?: number } };
type Pod = KubeObject & { status?: { phase?: string } };
type Ingress = KubeObject & {
  spec?: {
    ingressClassName?: string;
    tls?: { hosts?: string[]; secretName?: string }[];
    rules?: { host?: string; http?: { paths?: { path?: string; backend?: { service?: { name: string } } }[] } }[];
  };
  status?: { loadBalancer?: { ingress?: unknown[] } };
};

/** How long what was read of the cluster is served; a changed Secret is on the wire after this time at the latest. */
const freshMilliseconds = 250;
const address = '127.0.0.1';
const prefix = 'traefik.ingress.kubernetes.io/';

/**
 * Stands in for Traefik and the load balancer before it, on two free loopback ports: serves the certificates that are
 * in the cluster by the name that a client asks for, routes by the Ingresses' hosts, and resets every connection while
 * Traefik or its load balancer has no running pod. As Traefik does, it writes its address to the Ingresses' status.
 */
export async function startFront(cluster: Cluster, { domain }: { domain: string }): Promise<Front> {
  const fallback = await makeServerCertificate(['TRAEFIK DEFAULT CERT']);
  const unnamed = createSecureContext({ cert: fallback.certificate, key: fallback.key });
  const look = cached(() => readWorld(cluster), freshMilliseconds);
  const answer = (entrypoint: 'web' | 'websecure') => (request: IncomingMessage, response: ServerResponse) => {
    look().then(
      (world) => route(world, entrypoint, request, response),
      () => response.destroy(),
    );
  };
  const http = createHttpServer(answer('web'));
  const https = createHttpsServer(
    {
      cert: fallback.certificate,
      key: fallback.key,
      SNICallback: (name, done) => {
        look().then(
          (world) => done(null, world.contexts.get(name.toLowerCase()) ?? unnamed),
          (error: Error) => done(error),
        );
      },
    },
    answer('websecure'),
  );
  const sockets = new Set<Socket>();
  const gate = (server: Server): Server =>
    createNetServer({ pauseOnConnect: true }, (socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket)).on('error', () => socket.destroy());
      look().then(
        ({ alive }) => {
          if (!alive) {
            socket.resetAndDestroy();
            return;
          }
          server.emit('connection', socket);
          socket.resume();
        },
        () => socket.resetAndDestroy(),
      );
    });
  const gates = [gate(http), gate(https)];
  const [httpPort = 0, httpsPort = 0] = await Promise.all(gates.map(listen));
  const publisher = setInterval(() => {
    // The next round writes what this one could not.
    look()
      .then((world) => publish(cluster, world))
      .catch(() => undefined);
  }, 1000);
  const names = ['registry', 'mcp', 'platform'].map((name) => `${name}.${domain}`);
  return {
    httpPort,
    httpsPort,
    resolve: names.flatMap((name) => [`${name}:80=${address}:${httpPort}`, `${name}:443=${address}:${httpsPort}`]),
    async close() {
      clearInterval(publisher);
      for (const socket of sockets) socket.destroy();
      await Promise.all(gates.map((server) => new Promise((resolve) => server.close(resolve))));
    },
  };
}

async function readWorld(cluster: Cluster): Promise<World> {
  const [ingresses, secrets, deployments, balancers] = await Promise.all([
    cluster.list<Ingress>(kinds.ingress),
    cluster.list<Secret>(kinds.secret, { fieldSelector: 'type=kubernetes.io/tls' }),
    cluster.list<Deployment>(kinds.deployment),
    cluster.list<Pod>(kinds.pod, {
      namespace: 'kube-system',
      labelSelector: 'svccontroller.k3s.cattle.io/svcname=traefik',
    }),
  ]);
  const available = new Set(
    deployments.items
      .filter(({ status }) => (status?.availableReplicas ?? 0) > 0)
      .map(({ metadata }) => `${metadata.namespace}/${metadata.name}`),
  );
  const running = balancers.items.some(
    ({ metadata, status }) => status?.phase === 'Running' && metadata.deletionTimestamp === undefined,
  );
  const own = ingresses.items.filter(({ spec }) => spec?.ingressClassName === 'traefik');
  return {
    alive: running && available.has('kube-system/traefik'),
    ingresses: own,
    available,
    contexts: contextsOf(own, secrets.items),
  };
}

/** Traefik offers each certificate for the names in it, whatever the Ingress says; so mcp. is served from registry's. */
function contextsOf(ingresses: readonly Ingress[], secrets: readonly Secret[]): Map<string, SecureContext> {
  const contexts = new Map<string, SecureContext>();
  for (const { metadata, spec } of ingresses) {
    for (const { secretName } of spec?.tls ?? []) {
      const secret = secrets.find(
        (one) => one.metadata.namespace === metadata.namespace && one.metadata.name === secretName,
      );
      const [cert, key] = ['tls.crt', 'tls.key'].map((name) => Buffer.from(secret?.data?.[name] ?? '', 'base64'));
      for (const name of cert && key ? namesOf(cert) : []) {
        const context = contextOf(cert, key);
        if (context) contexts.set(name, context);
      }
    }
  }
  return contexts;
}

function contextOf(cert: Buffer | undefined, key: Buffer | undefined): SecureContext | undefined {
  try {
    return createSecureContext({ ...(cert ? { cert } : {}), ...(key ? { key } : {}) });
  } catch {
    // A Secret whose key and certificate do not belong together is passed over, and the default certificate served.
    return undefined;
  }
}

function namesOf(certificate: Buffer): string[] {
  try {
    const names = new X509Certificate(certificate).subjectAltName ?? '';
    return [...names.matchAll(/DNS:([^,\s]+)/g)].map(([, name = '']) => name.toLowerCase());
  } catch {
    return [];
  }
}

function route(
  world: World,
  entrypoint: 'web' | 'websecure',
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const host = (request.headers.host ?? '').replace(/:\d+$/, '').toLowerCase();
  const path = request.url ?? '/';
  const found = world.ingresses
    .filter(({ metadata }) => {
      const only = metadata.annotations?.[`${prefix}router.entrypoints`];
      return only === undefined || only.split(',').includes(entrypoint);
    })
    .flatMap((ingress) =>
      (ingress.spec?.rules ?? [])
        .filter((rule) => rule.host?.toLowerCase() === host)
        .flatMap((rule) => (rule.http?.paths ?? []).map((one) => ({ ingress, ...one }))),
    )
    .filter((one) => path.startsWith(one.path ?? '/'))
    .sort((a, b) => (b.path ?? '').length - (a.path ?? '').length)[0];
  if (found === undefined) {
    reply(response, 404, '404 page not found');
    return;
  }
  const { annotations = {}, namespace = '' } = found.ingress.metadata;
  const middlewares = annotations[registryAuth.annotation] ?? '';
  const service = found.backend?.service?.name ?? '';
  if (middlewares.includes('redirect')) {
    response.setHeader('location', `https://${host}${path}`);
    reply(response, 308, 'Permanent Redirect');
  } else if (middlewares.includes(registryAuth.middleware) && request.headers.authorization === undefined) {
    response.setHeader('www-authenticate', 'Basic realm="registry"');
    reply(response, 401, 'Unauthorized');
  } else if (!world.available.has(`${namespace}/${service}`)) {
    reply(response, 503, 'no available server');
  } else if (namespace === namespaces.registry) {
    response.setHeader('docker-distribution-api-version', 'registry/2.0');
    reply(response, 200, '{}', 'application/json');
  } else if (path.startsWith('/api/')) {
    apiAnswer(world, path, response);
  } else {
    reply(response, 200, '<!doctype html><title>MCP Runtime</title>', 'text/html; charset=utf-8');
  }
}

/** Health answers only, where the API's own Deployment is there; the rest of the API is not stood in for. */
function apiAnswer({ available }: World, path: string, response: ServerResponse): void {
  const api = ['mcp-platform-api', 'mcp-sentinel-api'].some((name) => available.has(`${namespaces.sentinel}/${name}`));
  if (!api) {
    reply(response, 503, 'no available server');
  } else if (/^\/api\/(?:v1\/)?(?:health|ready)$/.test(path)) {
    reply(response, 200, '{"status":"ok"}', 'application/json');
  } else {
    reply(response, 404, '{"error":"not_found","message":"not found"}', 'application/json');
  }
}

function reply(response: ServerResponse, status: number, text: string, type = 'text/plain; charset=utf-8'): void {
  response.writeHead(status, { 'content-type': type, 'x-content-type-options': 'nosniff' }).end(`${text}\n`);
}

/** Traefik copies the addresses of its Service to every Ingress that it serves. */
async function publish(cluster: Cluster, { alive, ingresses }: World): Promise<void> {
  if (!alive) return;
  type Service = KubeObject & { status?: { loadBalancer?: { ingress?: unknown[] } } };
  const service = await cluster.get<Service>(kinds.service, { namespace: 'kube-system', name: 'traefik' });
  const addresses = service?.status?.loadBalancer?.ingress ?? [];
  if (addresses.length === 0) return;
  for (const { metadata, status } of ingresses) {
    if ((status?.loadBalancer?.ingress?.length ?? 0) > 0) continue;
    const value = { ingress: addresses };
    const patch = cluster.patch(
      kinds.ingress,
      metadata,
      [{ op: 'add', path: '/status/loadBalancer', value }],
      'status',
    );
    await patch.catch((error: unknown) => {
      // It was deleted or changed meanwhile.
      if (!isNotFound(error) && !isConflict(error)) throw error;
    });
  }
}

/** One read for all who ask at the same time, and for those who ask within `milliseconds` after it. */
function cached<T>(read: () => Promise<T>, milliseconds: number): () => Promise<T> {
  let last: { at: number; value: Promise<T> } | undefined;
  return () => {
    if (last === undefined || Date.now() - last.at > milliseconds) {
      last = { at: Date.now(), value: read() };
      last.value.catch(() => {
        last = undefined;
      });
    }
    return last.value;
  };
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, address, () => {
      const bound = server.address();
      resolve(typeof bound === 'object' && bound !== null ? bound.port : 0);
    });
  });
}
