import { Readable } from 'node:stream';
import { McprtError } from '../errors.js';
import { type ApiAnswer, type ApiCaller, look } from '../platform/api.js';
import type { Checks } from './checks.js';
import type { SmokeContext } from './context.js';
import { multipart } from './push.js';
import type { Tenant, Tenants } from './tenants.js';

/** Names of the checks that one tenant cannot do what is another's. */
export const foreignChecks = [
  'foreign: push',
  'foreign: deploy',
  'foreign: list of servers',
  'foreign: delete',
  'foreign: grant',
  'foreign: events',
  'foreign: session by a member',
  'registry: without a password',
  'registry: own images',
  'registry: another team’s images',
] as const;

/** Tries as globex what is acme's, through API and registry. */
export async function lookAtForeign(checks: Checks, context: SmokeContext, { acme, globex }: Tenants): Promise<void> {
  const { caller } = globex.member;
  const { namespace } = acme.team;
  const { registry } = context.hosts;
  const server = `/runtime/servers/${namespace}/${acme.server}`;
  const refused = (name: (typeof foreignChecks)[number], call: () => Promise<ApiAnswer>): Promise<unknown> =>
    checks.look(name, async (note) => {
      const answer = await call();
      note(String(answer.status));
      if (answer.status >= 200 && answer.status < 300) throw notDenied(name, answer.told);
      if (answer.status !== 403) throw otherwise(name, answer.told);
    });
  const all = [200, 201, 400, 403, 404, 409, 422, 500];
  const post = (path: string, body: unknown): Promise<ApiAnswer> => caller.call('POST', path, { body, accept: all });
  const name = `smoke-${context.run}-foreign`;
  // What a broken platform lets through is removed like everything else.
  for (const kind of ['server', 'grant', 'session'] as const) context.made.add({ kind, namespace, name });
  const serverRef = { name: acme.server, namespace };
  await Promise.all([
    refused('foreign: push', () =>
      pushNothing(caller, `${registry}/${acme.team.slug}/mcprt-foreign:${context.run}`, all),
    ),
    refused('foreign: deploy', () =>
      post('/runtime/servers', {
        name,
        namespace,
        scope: 'tenant',
        spec: { image: `${registry}/${globex.team.slug}/${globex.server}:${context.run}` },
      }),
    ),
    refused('foreign: list of servers', () =>
      caller.call('GET', `/runtime/servers?namespace=${namespace}`, { accept: all }),
    ),
    refused('foreign: delete', () => caller.call('DELETE', server, { accept: all })),
    refused('foreign: grant', () =>
      post('/runtime/grants', {
        name,
        namespace,
        serverRef,
        subject: { teamID: globex.team.id },
        maxTrust: 'high',
        allowedSideEffects: ['read', 'write'],
      }),
    ),
    refused('foreign: events', () =>
      caller.call('GET', `/runtime/server-events?namespace=${namespace}&server=${acme.server}`, { accept: all }),
    ),
    refused('foreign: session by a member', () =>
      post('/runtime/sessions', {
        name,
        namespace,
        serverRef,
        subject: { teamID: globex.team.id },
        consentedTrust: 'high',
      }),
    ),
    lookAtRegistry(checks, context, { acme, globex }),
  ]);
}

async function lookAtRegistry(
  checks: Checks,
  { web, hosts, identity, signal }: SmokeContext,
  { acme, globex }: Pick<Tenants, 'acme' | 'globex'>,
): Promise<void> {
  const host = hosts.registry;
  const basic = `Basic ${Buffer.from(`${globex.member.email}:${identity.password}`).toString('base64')}`;
  const tags = ({ team, server }: Tenant): string => `/v2/${team.slug}/${server}/tags/list`;
  const wants = (
    name: (typeof foreignChecks)[number],
    status: number,
    path: string,
    headers: Record<string, string>,
  ): Promise<unknown> =>
    checks.look(name, async (note) => {
      const answer = await look(web, { method: 'GET', host, path, headers, signal });
      note(String(answer.status));
      if (answer.status === status) return;
      const told = `GET https://${host}${path} → ${answer.status} ${answer.text.slice(0, 120).trim()}`;
      if (answer.status === 200) throw notDenied(name, told);
      throw new McprtError('smoke-registry', {
        what: `the registry answers otherwise than it should (${name})`,
        why: `${told} instead of ${status}`,
        next: 'look at the middleware registry-admin-auth and at what the platform’s registry/authz answers',
      });
    });
  await Promise.all([
    wants('registry: without a password', 401, '/v2/', {}),
    wants('registry: own images', 200, tags(globex), { authorization: basic }),
    wants('registry: another team’s images', 403, tags(acme), { authorization: basic }),
  ]);
}

/** A push of a few bytes: its target is looked at before the image. */
function pushNothing(caller: ApiCaller, target: string, accept: readonly number[]): Promise<ApiAnswer> {
  const stream = multipart({ target, scope: 'tenant' }, () => Readable.from([Buffer.alloc(1024)]));
  return caller.call('POST', '/runtime/registry/push', { stream, accept });
}

function otherwise(name: string, told: string): McprtError {
  return new McprtError('smoke-denied-otherwise', {
    what: `a tenant is kept from what is another’s for another reason than that (${name})`,
    why: `${told} instead of 403`,
    next: 'its words say what the platform did not like: who asks should be looked at first',
  });
}

function notDenied(name: string, told: string): McprtError {
  return new McprtError('smoke-tenant-open', {
    what: `a tenant can do what is another’s (${name})`,
    why: told,
    next: 'treat it as a security problem of the platform: look at the roles of the team, and report it to MCP Runtime',
  });
}
