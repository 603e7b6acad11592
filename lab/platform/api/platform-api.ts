import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Cluster } from '../../../shared/cluster/cluster.js';
import { numberAt } from '../../../shared/cluster/fields.js';
import { type KubeObject, kinds } from '../../../shared/cluster/objects.js';
import { messageOf } from '../../../shared/errors.js';
import { cached } from '../../driver/cached.js';
import { listenOnLoopback } from '../../driver/loopback.js';
import { type Layout, namespaces } from '../names.js';
import { accessRoutes } from './access-routes.js';
import { Accounts } from './accounts.js';
import { adapterRoutes } from './adapter-routes.js';
import { type Answer, noServer, nothingHere, Refusal, refuse, unauthenticated } from './answer.js';
import { authRoutes } from './auth-routes.js';
import type { ApiContext, Settings } from './context.js';
import { EventStore } from './event-store.js';
import { type Exchange, jsonOf, type Route } from './exchange.js';
import { type AnsweredCall, Faults } from './faults.js';
import { insightRoutes } from './insight-routes.js';
import { Lockout } from './lockout.js';
import { type Principal, principalOf, UserKeys } from './principal.js';
import { pushRoutes } from './push-routes.js';
import { RegistryAccess, type RegistryVerdict } from './registry-access.js';
import { serverRoutes } from './server-routes.js';
import { teamRoutes } from './team-routes.js';
import { userRoutes } from './user-routes.js';

export interface PlatformApiOptions {
  layout: Layout;
  domain: string;
  /** Where the images go that are pushed. */
  registryUrl: string;
  /** Service keys; all of them are an administrator's. */
  adminKeys: readonly string[];
  /** Service keys that are not. */
  serviceKeys?: readonly string[];
  admin: { email: string; password: string };
  settings?: Partial<Settings>;
}

/** The platform's API, running. */
export interface PlatformApi {
  url: string;
  faults: Faults;
  /** Every call that was answered. */
  calls: readonly AnsweredCall[];
  events: EventStore;
  accounts: Accounts;
  /** The next teams' namespaces cannot be made, which burns the teams' slugs. */
  failProvisioning(times: number): void;
  /** Whether a caller may use a repository of the registry. */
  authorise(username: string, password: string, path?: string, method?: string): Promise<RegistryVerdict>;
  close(): Promise<void>;
}

const defaults: Settings = {
  tokenSeconds: 900,
  lockoutSeconds: 15,
  eventDelayMs: 300,
  pushMs: 50,
  activeServerLimit: 5,
};
const defaultLimit = 1024 * 1024;
const freshMilliseconds = 250;
const cutMilliseconds = 500;

/**
 * Stands in for the platform's HTTP API on a free port of the loopback interface. What was recorded of the real one is
 * answered in its words; users and teams are kept in memory, everything else in the lab's cluster and registry.
 */
export async function startPlatformApi(cluster: Cluster, options: PlatformApiOptions): Promise<PlatformApi> {
  const { layout, domain, registryUrl, adminKeys, serviceKeys = [], admin } = options;
  const settings = { ...defaults, ...options.settings };
  const accounts = new Accounts();
  accounts.addUser(admin.email, admin.password, 'admin');
  const userKeys = new UserKeys();
  const registryKeys = new UserKeys();
  const events = new EventStore(settings.eventDelayMs);
  let racesToLose = 0;
  const context: ApiContext = {
    cluster,
    layout,
    domain,
    registryUrl,
    settings,
    accounts,
    credentials: { secret: randomBytes(32).toString('hex'), adminKeys, serviceKeys, accounts, userKeys },
    lockout: new Lockout(settings.lockoutSeconds * 1000),
    events,
    losesRace: () => {
      racesToLose -= 1;
      return racesToLose >= 0;
    },
  };
  const access = new RegistryAccess(context, registryKeys);
  const routes = [
    ...authRoutes(context),
    ...teamRoutes(context),
    ...pushRoutes(context),
    ...serverRoutes(context),
    ...accessRoutes(context),
    ...adapterRoutes(context),
    ...insightRoutes(context),
    ...userRoutes(context, registryKeys),
    access.route(),
  ];
  const faults = new Faults();
  const calls: AnsweredCall[] = [];
  const isServed = availability(cluster, layout);
  const server = createServer((request, response) => {
    handle({ context, routes, faults, isServed }, request, response)
      .catch((thrown: unknown) => {
        if (thrown instanceof Refusal) return thrown.answer;
        process.stderr.write(`platform stand-in: ${request.method} ${request.url}: ${messageOf(thrown)}\n`);
        return refuse(500, 'internal error').answer;
      })
      .then((answer) => {
        if (answer === undefined) return;
        const path = (request.url ?? '').replace(/\?.*/, '');
        calls.push({ method: request.method ?? '', path, status: answer.status });
        send(request, response, answer);
      })
      .catch(() => response.destroy());
  });
  const listening = await listenOnLoopback(server);
  return {
    url: `http://127.0.0.1:${listening.port}`,
    faults,
    calls,
    events,
    accounts,
    failProvisioning: (times) => {
      racesToLose = times;
    },
    authorise: async (username, password, path = '/v2/') => access.byPassword(username, password, path),
    close: () => listening.close(),
  };
}

interface Parts {
  context: ApiContext;
  routes: readonly Route[];
  faults: Faults;
  isServed(service: Route['service']): Promise<boolean>;
}

/** @returns undefined for a call that is never answered */
async function handle(
  { context, routes, faults, isServed }: Parts,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<Answer | undefined> {
  const url = new URL(request.url ?? '/', 'http://platform');
  const base = context.layout === 'split' ? '/api/v1' : '/api';
  const path = url.pathname.startsWith(`${base}/`) ? url.pathname.slice(base.length) : undefined;
  const route = path === undefined ? undefined : routes.find((one) => one.path.test(path));
  if (path === undefined || route === undefined) return nothingHere;
  const caller = principalOf(request.headers, context.credentials);
  const { method = 'GET' } = request;
  const isRefused = !mayCall(context, route, caller);
  const body = route.streams || isRefused ? Buffer.alloc(0) : await read(request, route.limit ?? defaultLimit);
  const as = caller?.email ?? (caller === undefined ? '' : 'service-key');
  const fault = await faults.meet({ method, path: url.pathname, body: jsonOf(body), as });
  if (fault?.hang) {
    request.resume();
    response.on('close', () => request.destroy());
    return undefined;
  }
  if (fault?.reply !== undefined) return fault.reply;
  if (!(await isServed(route.service))) return noServer;
  if (isRefused) throw unauthenticated();
  const handler = route.methods[method] ?? route.methods[route.anyMethod ?? ''];
  if (handler === undefined) {
    const allow = route.allow ?? Object.keys(route.methods).join(', ');
    throw refuse(405, route.methodMessage ?? 'method not allowed', { allow });
  }
  const address = String(request.headers['x-forwarded-for'] ?? request.socket.remoteAddress ?? '').split(',')[0] ?? '';
  const exchange: Exchange = { method, path, query: url.searchParams, request, address: address.trim(), caller, body };
  const answer = await handler(exchange, ...(route.path.exec(path)?.slice(1) ?? []).map(decodeURIComponent));
  return fault?.change === undefined ? answer : { ...answer, body: fault.change(answer.body) };
}

/** A user's key is known to one of the three split APIs only. */
function mayCall({ layout }: ApiContext, route: Route, caller: Principal | undefined): boolean {
  if (route.open) return true;
  if (caller?.by === 'user-key' && layout === 'split') return route.service === 'platform';
  return caller !== undefined;
}

async function read(request: IncomingMessage, limit: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of request) {
    const bytes = Buffer.from(piece);
    size += bytes.length;
    if (size > limit) throw refuse(413, `request body exceeds ${limit} bytes`);
    pieces.push(bytes);
  }
  return Buffer.concat(pieces);
}

function send(request: IncomingMessage, response: ServerResponse, { status, body, text, headers }: Answer): void {
  const type = text === undefined ? 'application/json' : 'text/plain; charset=utf-8';
  const content = text ?? (body === undefined ? '' : JSON.stringify(body));
  response.writeHead(status, {
    ...(content === '' ? {} : { 'content-type': type, 'content-length': Buffer.byteLength(content) }),
    ...(request.complete ? {} : { connection: 'close' }),
    ...headers,
  });
  if (request.complete) {
    response.end(content);
    return;
  }
  // A body that was not read to its end is cut off with the connection, after a moment as Go's server does: an earlier
  // end would take the answer with it.
  response.write(content);
  setTimeout(() => response.end(), cutMilliseconds).unref();
}

const deployments: Readonly<Record<Route['service'], string>> = {
  platform: 'mcp-platform-api',
  runtime: 'mcp-runtime-api',
  analytics: 'mcp-analytics-api',
};

/** Whether the Deployment behind a route has an available replica. */
function availability(cluster: Cluster, layout: Layout): (service: Route['service']) => Promise<boolean> {
  const available = cached(async () => {
    const { items } = await cluster.list<KubeObject>(kinds.deployment, { namespace: namespaces.sentinel });
    const served = items.filter((one) => (numberAt(one, 'status', 'availableReplicas') ?? 0) > 0);
    return new Set(served.map(({ metadata }) => metadata.name));
  }, freshMilliseconds);
  return async (service) => {
    const seen = await available().catch(() => new Set<string>());
    return seen.has(layout === 'mono' ? 'mcp-sentinel-api' : deployments[service]);
  };
}
