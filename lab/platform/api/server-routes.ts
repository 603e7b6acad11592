import * as z from 'zod';
import { ApiError } from '../../../shared/cluster/api-error.js';
import { objectOf } from '../../../shared/cluster/cluster.js';
import { textAt } from '../../../shared/cluster/fields.js';
import { type KubeObject, kinds } from '../../../shared/cluster/objects.js';
import { namespaces } from '../names.js';
import type { Team } from './accounts.js';
import { type Answer, ok, Refusal, refuse } from './answer.js';
import { type ApiContext, hosts } from './context.js';
import { bodyOf, type Exchange, type Route, route } from './exchange.js';
import { type Principal, seesNamespace, sharedNamespace } from './principal.js';
import { scopeOf } from './push-routes.js';
import { connectConfig, serverItem } from './server-item.js';
import { type ServerSpec, serverSpec } from './server-spec.js';
import { provisionNamespace, provisionOwner } from './team-namespace.js';

const userLabel = 'platform.mcpruntime.org/user-id';
const creatorLabel = 'created-by';
const request = z.object({
  name: z.string().default(''),
  namespace: z.string().default(''),
  scope: z.string().default(''),
  update: z.boolean().default(false),
  labels: z.record(z.string(), z.string()).default({}),
  spec: serverSpec.default(() => serverSpec.parse({})),
});

/** Servers: what there is, publishing one, taking it back. */
export function serverRoutes(context: ApiContext): Route[] {
  const { cluster } = context;
  const service = 'runtime' as const;
  return [
    route(service, /^\/runtime\/servers$/, {
      GET: (exchange) => list(context, exchange),
      POST: (exchange) => publish(context, exchange),
    }),
    route({ service, allow: 'GET, DELETE' }, /^\/runtime\/servers\/([^/]+)\/([^/]+)$/, {
      async GET({ caller }, namespace = '', name = '') {
        if (caller === undefined || !seesNamespace(caller, namespace)) throw refuse(403, 'forbidden namespace');
        const [server, deployment] = await both(context, namespace, name);
        if (server === undefined) throw refuse(404, 'server not found');
        return ok({ server: { ...serverItem(server, deployment), liveInventoryError: 'live inventory pending' } });
      },
      async DELETE({ caller }, namespace = '', name = '') {
        if (caller === undefined || !seesNamespace(caller, namespace)) throw refuse(403, 'forbidden namespace');
        const server = await cluster.get<KubeObject>(kinds.mcpServer, { namespace, name });
        if (server !== undefined && !isOwn(caller, server)) throw refuse(403, 'server is not owned by this user');
        await cluster.delete(kinds.mcpServer, { namespace, name });
        return ok({ name, namespace, success: true });
      },
    }),
    route(service, /^\/runtime\/tools$/, { GET: (exchange) => tools(context, exchange) }),
  ];
}

async function visible(
  { cluster }: ApiContext,
  caller: Principal | undefined,
  namespace: string,
): Promise<KubeObject[]> {
  if (caller === undefined) return [];
  if (namespace !== '' && !seesNamespace(caller, namespace)) throw refuse(403, 'forbidden namespace');
  const { items } = await cluster.list(kinds.mcpServer, namespace === '' ? {} : { namespace }).catch((): never => {
    throw refuse(500, 'failed to list servers');
  });
  return items.filter(({ metadata }) => namespace !== '' || seesNamespace(caller, metadata.namespace ?? ''));
}

async function list(context: ApiContext, { caller, query }: Exchange): Promise<Answer> {
  const isPerson = caller?.role === 'admin' || caller?.subject !== undefined;
  const servers = isPerson ? await visible(context, caller, query.get('namespace') ?? '') : [];
  const { items } = await context.cluster.list(kinds.deployment);
  const { activeServerLimit } = context.settings;
  const count = await activeServers(context, caller);
  return ok({
    publish_policy: {
      active_server_limit: activeServerLimit,
      active_server_count: count,
      active_server_limit_enabled: true,
      can_publish: caller?.role === 'admin' || count < activeServerLimit,
      push_cooldown: '0s',
      push_cooldown_seconds: 0,
      push_cooldown_enabled: false,
    },
    servers: servers.map((server) =>
      serverItem(
        server,
        items.find(
          ({ metadata }) => metadata.namespace === server.metadata.namespace && metadata.name === server.metadata.name,
        ),
      ),
    ),
  });
}

/** Checks in the platform's order: an existing name is told before what is wrong with the specification. */
async function publish(context: ApiContext, exchange: Exchange): Promise<Answer> {
  const { cluster, domain, settings, accounts } = context;
  const { caller } = exchange;
  if (caller === undefined) throw refuse(403, 'forbidden');
  const body = bodyOf(exchange, request);
  if (body.name === '' || body.spec.image === '') throw refuse(400, 'name and spec.image are required');
  const scope = scopeOf(body.scope);
  const namespace = namespaceFor(caller, body.namespace, scope, accounts.teamOfNamespace(body.namespace));
  const team = accounts.teamOfNamespace(namespace);
  if (body.spec.teamID && body.spec.teamID !== (team?.id ?? '')) {
    throw refuse(403, 'spec.teamID must match namespace team');
  }
  const image = imageFor(caller, body.spec.image, team, hosts(domain).registry);
  if (team !== undefined) await ensure(context, team, caller);
  const present = await cluster.get<KubeObject>(kinds.mcpServer, { namespace, name: body.name }).catch((): never => {
    throw refuse(500, 'failed to inspect existing server');
  });
  if (present !== undefined && !isOwn(caller, present)) {
    throw refuse(403, 'server already exists and is not owned by this user');
  }
  if (present !== undefined && !body.update) throw refuse(409, 'server already exists; use --update to redeploy it');
  if (present === undefined && caller.role !== 'admin') await checkLimit(context, caller, settings.activeServerLimit);
  const spec = withDefaults(body.spec, { name: body.name, image, domain, team });
  const labels = present?.metadata.labels ?? {
    ...body.labels,
    'app.kubernetes.io/managed-by': 'mcp-runtime',
    ...(caller.subject === undefined ? {} : { [creatorLabel]: caller.subject }),
    'mcpruntime.org/scope': scope || 'tenant',
    ...(team === undefined ? {} : { 'mcpruntime.org/team-id': team.id }),
    ...(caller.subject === undefined ? {} : { [userLabel]: caller.subject }),
  };
  const server = await written('', () =>
    present === undefined
      ? cluster.create<KubeObject>(
          kinds.mcpServer,
          objectOf(kinds.mcpServer, { metadata: { name: body.name, namespace, labels }, spec }),
        )
      : cluster.patch<KubeObject>(kinds.mcpServer, present.metadata, [{ op: 'add', path: '/spec', value: spec }]),
  );
  await ensureAnalyticsKey(context, namespace, body.name, spec);
  const [, deployment] = await both(context, namespace, body.name);
  return ok({ server: serverItem(server, deployment) });
}

/** What Kubernetes refuses is refused with its status and text. @param prefix what the platform puts before the text */
export async function written<T>(prefix: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const message = `${prefix}${error.detail}`;
    throw new Refusal({ status: error.status === 422 ? 422 : 500, body: { error: 'internal_error', message } });
  }
}

function namespaceFor(caller: Principal, given: string, scope: string, team: Team | undefined): string {
  if (scope === 'org' || scope === 'public') {
    if (caller.role !== 'admin') throw refuse(403, `${scope} catalog writes are restricted to admins`);
    return given || sharedNamespace;
  }
  const namespace = given || (caller.teams[0]?.namespace ?? '');
  if (namespace === '' && caller.role === 'admin') throw refuse(500, 'failed to inspect existing server');
  const isOwnTeam = caller.teams.some((one) => one.namespace === namespace);
  const isTeams = caller.role === 'admin' ? team !== undefined || isOwnTeam : isOwnTeam;
  if (scope === 'tenant' && !isTeams) throw refuse(403, 'tenant scope requires a team namespace');
  if (!isOwnTeam && caller.role !== 'admin') throw refuse(403, 'forbidden namespace');
  return namespace;
}

function imageFor(caller: Principal, given: string, team: Team | undefined, registry: string): string {
  const parts = given.split('/');
  const hasHost = parts.length > 1 && /[.:]/.test(parts[0] ?? '');
  const path = hasHost ? parts.slice(1) : parts;
  if (team === undefined) return hasHost ? given : `${registry}/${given}`;
  if (!hasHost && path.length === 1) return `${registry}/${team.slug}/${given}`;
  const isScoped = path[0] === team.slug && path.length > 1 && (!hasHost || parts[0] === registry);
  if (!isScoped && !(caller.role === 'admin' && hasHost)) {
    throw refuse(400, `image repository must be scoped to "${team.slug}"`);
  }
  return hasHost ? given : `${registry}/${given}`;
}

function withDefaults(
  spec: ServerSpec,
  { name, image, domain, team }: { name: string; image: string; domain: string; team: Team | undefined },
): ServerSpec {
  const path = spec.ingressPath ?? `/${spec.publicPathPrefix ?? name}/mcp`;
  const variables = spec.envVars ?? [];
  return {
    ...spec,
    image,
    ...(team === undefined ? {} : { teamID: team.id }),
    port: spec.port ?? 8088,
    publicPathPrefix: spec.publicPathPrefix ?? name,
    ingressPath: path,
    ingressHost: spec.ingressHost ?? hosts(domain).mcp,
    envVars: variables.some((one) => one.name === 'MCP_PATH')
      ? variables
      : [...variables, { name: 'MCP_PATH', value: path }],
    gateway: spec.gateway ?? { enabled: true },
  };
}

async function ensure(context: ApiContext, team: Team, caller: Principal): Promise<void> {
  const { cluster, domain, credentials } = context;
  await provisionNamespace(cluster, team, { domain, key: credentials.adminKeys[0] ?? '' });
  if (caller.role !== 'admin' && caller.subject !== undefined) {
    await provisionOwner(cluster, team.namespace, caller.subject);
  }
}

/** The gateway's key for the events' receiver is made only where the receiver is named. */
async function ensureAnalyticsKey(
  context: ApiContext,
  namespace: string,
  name: string,
  spec: ServerSpec,
): Promise<void> {
  if (!spec.analytics?.ingestURL || spec.analytics.disabled) return;
  const secrets = { namespace: namespaces.sentinel, name: 'mcp-sentinel-secrets' };
  const found = await context.cluster.get<KubeObject>(kinds.secret, secrets);
  const [key = ''] = Buffer.from(textAt(found, 'data', 'INGEST_API_KEYS'), 'base64')
    .toString('utf8')
    .split(',');
  const secret = objectOf(kinds.secret, {
    metadata: { name: `${name}-analytics-creds`, namespace },
    type: 'Opaque',
    data: { 'api-key': Buffer.from(key).toString('base64') },
  });
  await context.cluster.apply(kinds.secret, secret, { force: true, manager: 'mcp-runtime-api' }).catch((): never => {
    throw refuse(500, 'failed to configure gateway analytics');
  });
}

/** Whether a caller may change a server. Whoever owns the team may not, unless the server is his own. */
function isOwn(caller: Principal, { metadata }: KubeObject): boolean {
  return caller.role === 'admin' || (caller.subject !== undefined && metadata.labels?.[userLabel] === caller.subject);
}

async function activeServers({ cluster }: ApiContext, caller: Principal | undefined): Promise<number> {
  if (caller?.subject === undefined) return 0;
  const { items } = await cluster.list(kinds.mcpServer);
  return items.filter(({ metadata }) => {
    const owner = metadata.labels?.[userLabel];
    const isOfTeam = caller.teams.some(({ namespace }) => namespace === metadata.namespace);
    return owner === undefined ? isOfTeam : owner === caller.subject;
  }).length;
}

async function checkLimit(context: ApiContext, caller: Principal, limit: number): Promise<void> {
  const count = await activeServers(context, caller);
  if (count < limit) return;
  throw new Refusal({
    status: 429,
    body: {
      active_server_count: count,
      active_server_limit: limit,
      code: 'active_server_limit_reached',
      error: 'active_server_limit_reached',
      message: `active MCPServer limit ${limit} reached; retire an existing server before publishing another`,
    },
  });
}

async function both(
  { cluster }: ApiContext,
  namespace: string,
  name: string,
): Promise<[KubeObject | undefined, KubeObject | undefined]> {
  return Promise.all([
    cluster.get<KubeObject>(kinds.mcpServer, { namespace, name }),
    cluster.get<KubeObject>(kinds.deployment, { namespace, name }),
  ]);
}

async function tools(context: ApiContext, { caller, query }: Exchange): Promise<Answer> {
  const servers = await visible(context, caller, query.get('namespace') ?? '');
  const items = servers.flatMap((server) => {
    const item = serverItem(server, undefined);
    const url = String(item.endpoint);
    const declared = Array.isArray(item.tools) ? item.tools : [];
    return declared.map((tool: unknown) => ({
      tool_name: textAt(tool, 'name'),
      server_name: item.name,
      namespace: item.namespace,
      team_id: item.team_id,
      endpoint_url: url,
      declared: true,
      live: false,
      required_trust: textAt(tool, 'requiredTrust'),
      side_effect: textAt(tool, 'sideEffect'),
      risk_level: textAt(tool, 'riskLevel'),
      connect_config: connectConfig(String(item.name), url),
    }));
  });
  return ok({ tools: items });
}
