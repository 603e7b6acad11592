import { X509Certificate } from 'node:crypto';
import {
  createServer as createHttpServer,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer as createNetServer, type Server, type Socket } from 'node:net';
import { createSecureContext, type SecureContext } from 'node:tls';
import { type Cluster, isConflict, isNotFound } from '../../shared/cluster/cluster.js';
import { type KubeObject, kinds } from '../../shared/cluster/objects.js';
import { cached } from '../driver/cached.js';
import { listenOnLoopback } from '../driver/loopback.js';
import { makeServerCertificate } from './certificate-authority.js';
import { namespaces } from './names.js';
import { registryAuth } from './registry.js';

/** A running front. */
export interface Front {
  httpPort: number;
  httpsPort: number;
  /** `host:port=address:port` for each public name, as curl's --connect-to has it, for 80 and for 443. */
  resolve: string[];
  /** What the pods answer, over plain HTTP and by the Host that is asked for: where a Traefik leads to that is none of this one's. */
  pods: string;
  close(): Promise<void>;
}

/** The image registry behind the registry's public name, and who may use it. */
export interface FrontRegistry {
  url: string;
  /** Whether the platform's API lets a user in (its `registry/authz`, which Traefik's middleware asks). */
  authorise(username: string, password: string, path: string, method: string): Promise<boolean | 'forbidden'>;
}

export interface FrontOptions {
  domain: string;
  /** Without it the registry answers that it is there, and nothing else. */
  registry?: FrontRegistry;
  /** Status that the programs of a Deployment answer with instead of the usual one. */
  httpStatus?: (namespace: string, app: string) => Promise<number | undefined>;
  /** Where the platform's API is. Without it the API answers for its health only. */
  api?: { url: string };
  /** What serves everything of the name `mcp.<domain>`. */
  mcp?: { url: string };
}

interface Seen {
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
/** How long Traefik leaves an idle connection open. */
const keepAliveTimeout = 180_000;
const address = '127.0.0.1';
const prefix = 'traefik.ingress.kubernetes.io/';

/**
 * Stands in for Traefik and the load balancer before it, on two free loopback ports: serves the certificates that are
 * in the cluster by the name that a client asks for, routes by the Ingresses' hosts, and resets every connection while
 * Traefik or its load balancer has no running pod. As Traefik does, it writes its address to the Ingresses' status.
 */
export async function startFront(cluster: Cluster, options: FrontOptions): Promise<Front> {
  const { domain } = options;
  const fallback = await makeServerCertificate(['TRAEFIK DEFAULT CERT']);
  const unnamed = createSecureContext({ cert: fallback.certificate, key: fallback.key });
  const look = cached(() => lookAtCluster(cluster), freshMilliseconds);
  const answer = (entrypoint: 'web' | 'websecure') => (request: IncomingMessage, response: ServerResponse) => {
    look().then(
      (seen) => route(seen, entrypoint, request, response, options),
      () => response.destroy(),
    );
  };
  const http = createHttpServer({ keepAliveTimeout }, answer('web'));
  const https = createHttpsServer(
    {
      cert: fallback.certificate,
      key: fallback.key,
      keepAliveTimeout,
      SNICallback: (name, done) => {
        look().then(
          (seen) => done(null, seen.contexts.get(name.toLowerCase()) ?? unnamed),
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
  // What is inside is told by the front which way a request came.
  const inside = await listenOnLoopback(
    createHttpServer({ keepAliveTimeout }, (request, response) =>
      answer(request.headers['x-forwarded-proto'] === 'http' ? 'web' : 'websecure')(request, response),
    ),
  );
  const gates = await Promise.all([listenOnLoopback(gate(http)), listenOnLoopback(gate(https))]);
  const [{ port: httpPort }, { port: httpsPort }] = gates;
  const publisher = setInterval(() => {
    // The next round writes what this one could not.
    look()
      .then((seen) => publish(cluster, seen))
      .catch(() => undefined);
  }, 1000);
  const names = ['registry', 'mcp', 'platform'].map((name) => `${name}.${domain}`);
  return {
    httpPort,
    httpsPort,
    pods: `http://${address}:${inside.port}`,
    resolve: names.flatMap((name) => [`${name}:80=${address}:${httpPort}`, `${name}:443=${address}:${httpsPort}`]),
    async close() {
      clearInterval(publisher);
      for (const socket of sockets) socket.destroy();
      await Promise.all([...gates, inside].map(({ close }) => close()));
    },
  };
}

async function lookAtCluster(cluster: Cluster): Promise<Seen> {
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
  seen: Seen,
  entrypoint: 'web' | 'websecure',
  request: IncomingMessage,
  response: ServerResponse,
  { registry, httpStatus, domain, api, mcp }: FrontOptions,
): void {
  const host = (request.headers.host ?? '').replace(/:\d+$/, '').toLowerCase();
  const path = request.url ?? '/';
  if (path === authorisationPath) {
    authorise(registry, request, response).catch(() => response.destroy());
    return;
  }
  if (mcp !== undefined && host === `mcp.${domain}` && entrypoint === 'websecure') {
    passOn(mcp.url, host, request, response, request.headers);
    return;
  }
  const found = seen.ingresses
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
  if (middlewares.includes(registryAuth.middleware) && request.headers.authorization === undefined) {
    refuse(request, response);
  } else if (api !== undefined && host === `platform.${domain}` && path.startsWith('/api/')) {
    passOn(api.url, host, request, response, request.headers);
  } else if (!seen.available.has(`${namespace}/${service}`)) {
    reply(response, 503, 'no available server');
  } else if (namespace === namespaces.registry && registry !== undefined) {
    const isGuarded = middlewares.includes(registryAuth.middleware);
    passToRegistry(registry, isGuarded, host, request, response).catch(() => response.destroy());
  } else if (namespace === namespaces.registry) {
    response.setHeader('docker-distribution-api-version', 'registry/2.0');
    reply(response, 200, '{}', 'application/json');
  } else if (path.startsWith('/api/')) {
    apiAnswer(seen, path, response, httpStatus).catch(() => reply(response, 502, 'Bad Gateway'));
  } else if (entrypoint === 'web') {
    // The dashboard itself sends to https, unless its UI_REQUIRE_HTTPS says otherwise.
    response.setHeader('location', `https://${host}${path}`);
    reply(response, 308, 'Permanent Redirect');
  } else {
    reply(response, 200, '<!doctype html><title>MCP Runtime</title>', 'text/html; charset=utf-8');
  }
}

/** What each API answers to a caller without credentials, by the Deployment behind the path (both layouts). */
const guarded: readonly { path: RegExp; deployment: string }[] = [
  { path: /^\/api\/v1\/auth\/me$/, deployment: 'mcp-platform-api' },
  { path: /^\/api\/v1\/runtime\/servers$/, deployment: 'mcp-runtime-api' },
  { path: /^\/api\/v1\/stats$/, deployment: 'mcp-analytics-api' },
  { path: /^\/api\/(?:auth\/me|runtime\/servers|stats)$/, deployment: 'mcp-sentinel-api' },
];

/** Health and refusals only, where the API's own Deployment is there; the rest of the API is not stood in for. */
async function apiAnswer(
  { available }: Seen,
  path: string,
  response: ServerResponse,
  httpStatus: FrontOptions['httpStatus'],
): Promise<void> {
  const isThere = (name: string): boolean => available.has(`${namespaces.sentinel}/${name}`);
  const found = guarded.find((one) => one.path.test(path) && isThere(one.deployment));
  if (!['mcp-platform-api', 'mcp-sentinel-api'].some(isThere) || (guardedBy(path, isThere) && found === undefined)) {
    reply(response, 503, 'no available server');
  } else if (found !== undefined) {
    const status = (await httpStatus?.(namespaces.sentinel, found.deployment)) ?? 401;
    const body =
      status === 401
        ? { error: 'unauthorized', message: 'authentication required' }
        : { error: 'internal_error', message: 'internal error' };
    reply(response, status, JSON.stringify(body), 'application/json');
  } else if (/^\/api\/(?:v1\/)?(?:health|ready)$/.test(path)) {
    reply(response, 200, '{"status":"ok"}', 'application/json');
  } else {
    reply(response, 404, '{"error":"not_found","message":"not found"}', 'application/json');
  }
}

/** Whether a path is one that an API of this cluster's layout answers for. */
function guardedBy(path: string, isThere: (name: string) => boolean): boolean {
  const isSplit = isThere('mcp-platform-api');
  return guarded.some((one) => one.path.test(path) && isSplit === (one.deployment !== 'mcp-sentinel-api'));
}

/** Where Traefik's middleware asks about whoever wants to use the registry. */
export const authorisationPath = '/.lab/authorise';

async function authorise(
  registry: FrontRegistry | undefined,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const asked = (name: string): string => String(request.headers[`x-forwarded-${name}`] ?? '');
  const { username, password } = basicOf(request);
  const verdict = (await registry?.authorise(username, password, asked('uri'), asked('method'))) ?? username !== '';
  if (verdict === true) reply(response, 204, '');
  else answerRefusal(verdict, request, response);
}

function refuse(request: IncomingMessage, response: ServerResponse): void {
  request.resume();
  response.setHeader('www-authenticate', 'Basic realm="mcp-runtime-registry"');
  reply(response, 401, 'Unauthorized');
}

function basicOf({ headers }: IncomingMessage): { username: string; password: string } {
  const basic = /^Basic (.+)$/i.exec(headers.authorization ?? '')?.[1] ?? '';
  const [username = '', ...password] = Buffer.from(basic, 'base64').toString('utf8').split(':');
  return { username, password: password.join(':') };
}

function answerRefusal(verdict: false | 'forbidden', request: IncomingMessage, response: ServerResponse): void {
  if (verdict === false) {
    refuse(request, response);
    return;
  }
  request.resume();
  reply(response, 403, '{"error":"forbidden","message":"forbidden"}', 'application/json');
}

/** Passes a request on to the registry, after Traefik's middleware has asked the platform about the caller. */
async function passToRegistry(
  { url, authorise }: FrontRegistry,
  isGuarded: boolean,
  host: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { username, password } = basicOf(request);
  const verdict = !isGuarded || (await authorise(username, password, request.url ?? '/', request.method ?? ''));
  if (verdict !== true) {
    answerRefusal(verdict, request, response);
    return;
  }
  const { authorization: _, ...headers } = request.headers;
  passOn(url, host, request, response, headers);
}

/** Passes a request on with what Traefik adds: whom it is from, and what it was called. */
function passOn(
  url: string,
  host: string,
  request: IncomingMessage,
  response: ServerResponse,
  headers: IncomingHttpHeaders,
): void {
  const onward = httpRequest(new URL(request.url ?? '/', url), {
    method: request.method,
    headers: {
      ...headers,
      host,
      'x-forwarded-for': request.socket.remoteAddress ?? '',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': host,
    },
  });
  onward.once('response', (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  // After an answer that came before the whole request was sent, the rest of it has nowhere to go.
  onward.on('error', () => {
    request.resume();
    if (!response.headersSent) reply(response, 502, 'Bad Gateway');
  });
  response.once('close', () => {
    // A connection whose answer is complete is another request's already.
    if (!response.writableFinished) onward.destroy();
  });
  request.pipe(onward);
}

function reply(response: ServerResponse, status: number, text: string, type = 'text/plain; charset=utf-8'): void {
  response.writeHead(status, { 'content-type': type, 'x-content-type-options': 'nosniff' }).end(`${text}\n`);
}

/** Traefik copies the addresses of its Service to every Ingress that it serves. */
async function publish(cluster: Cluster, { alive, ingresses }: Seen): Promise<void> {
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
