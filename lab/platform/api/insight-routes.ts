import { at, textAt } from '../../../shared/cluster/fields.js';
import { type KubeObject, kinds } from '../../../shared/cluster/objects.js';
import { isRecord } from '../../../shared/json.js';
import { checkOwner } from './access-routes.js';
import { ok, refuse } from './answer.js';
import type { ApiContext } from './context.js';
import type { GatewayEvent } from './event-store.js';
import { jsonOf, type Route, route } from './exchange.js';
import { seesNamespace, sharedNamespace } from './principal.js';

/** What the platform tells of its servers: their rendered policies, their events, the namespaces. */
export function insightRoutes({ cluster, events, accounts }: ApiContext): Route[] {
  const service = 'runtime' as const;
  return [
    route(service, /^\/runtime\/policy$/, {
      async GET({ caller, query }) {
        const [namespace, server] = [query.get('namespace') ?? '', query.get('server') ?? ''];
        if (namespace === '' || server === '') throw refuse(400, 'namespace and server are required');
        if (caller === undefined || !seesNamespace(caller, namespace)) throw refuse(403, 'forbidden namespace');
        const name = `${server}-gateway-policy`;
        const found = await cluster.get<KubeObject>(kinds.configMap, { namespace, name });
        if (found === undefined) throw refuse(404, `configmaps "${name}" not found`);
        const json = textAt(at(found, 'data'), 'policy.json');
        const policy = jsonOf(Buffer.from(json));
        return ok({ ...(isRecord(policy) ? policy : {}), source: `configmap/${namespace}/${name}`, json });
      },
    }),
    route(service, /^\/runtime\/server-events$/, {
      async GET({ caller, query }) {
        const [namespace, server] = [query.get('namespace') ?? '', query.get('server') ?? ''];
        if (namespace === '' || server === '') throw refuse(400, 'namespace and server are required');
        checkOwner(caller, namespace);
        const limit = Math.min(Number(query.get('limit') ?? 20) || 20, 100);
        return ok({ events: events.of(namespace, server, limit).map(eventItem) });
      },
    }),
    // As recorded of an analytics API without its database, which a lab has not.
    route('analytics', /^\/stats$/, {
      async GET() {
        return { status: 500, body: { error: 'query_failed', message: 'query failed' } };
      },
    }),
    route(service, /^\/runtime\/namespaces$/, {
      async GET({ caller }) {
        const own =
          caller?.role === 'admin' ? accounts.teams.map((one) => ({ ...one, role: 'owner' })) : (caller?.teams ?? []);
        const teams = own.map(({ id, slug, name, namespace, role }) => ({
          is_shared: false,
          namespace,
          scope: 'team',
          team_id: id,
          team_name: name,
          team_role: role,
          team_slug: slug,
        }));
        return ok({ namespaces: [...teams, { is_shared: true, namespace: sharedNamespace, scope: 'public' }] });
      },
    }),
  ];
}

function eventItem({ timestamp, source, event_type, payload }: GatewayEvent): Record<string, unknown> {
  const text = (field: string): string => textAt(payload, field);
  return {
    timestamp,
    trace_id: '',
    source,
    event_type,
    server: text('server'),
    namespace: text('namespace'),
    team_id: text('team_id'),
    cluster: text('cluster'),
    human_id: text('human_id'),
    agent_id: text('agent_id'),
    session_id: text('session_id'),
    decision: text('decision'),
    tool_name: text('tool_name'),
    payload,
  };
}
