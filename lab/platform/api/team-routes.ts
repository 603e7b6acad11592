import * as z from 'zod';
import type { Membership, Team } from './accounts.js';
import { type Answer, created, ok, Refusal, refuse } from './answer.js';
import { userItem } from './auth-routes.js';
import type { ApiContext } from './context.js';
import { bodyOf, type Exchange, type Route, route } from './exchange.js';
import type { Principal } from './principal.js';
import { provisionNamespace } from './team-namespace.js';

const newTeam = z.object({ slug: z.string().default(''), name: z.string().default('') });
const newRole = z.object({ role: z.string().default('') });
const newMember = newRole.extend({ userID: z.string().default('') });
const newUser = newRole.extend({ email: z.string().default(''), password: z.string().default('') });

/** A user's teams come out of his token, which has no time for them. */
const zeroTime = '0001-01-01T00:00:00Z';
const allow = 'GET, POST, PUT, DELETE';
const methodMessage = 'method_not_allowed';

/** Teams and who is in them. */
export function teamRoutes(context: ApiContext): Route[] {
  const { accounts } = context;
  const service = 'runtime' as const;
  return [
    route(service, /^\/runtime\/teams$/, {
      async GET({ caller }) {
        if (caller?.role === 'admin') return ok({ teams: accounts.teams });
        const teams = (caller?.teams ?? []).map(({ id, slug, name, namespace }) => ({
          id,
          slug,
          name,
          namespace,
          created_at: zeroTime,
        }));
        return ok({ teams });
      },
      POST: (exchange) => createTeam(context, exchange),
    }),
    route({ service, allow, methodMessage }, /^\/runtime\/teams\/([^/]+)$/, {
      async GET({ caller }, slug = '') {
        const team = accounts.team(slug);
        if (team === undefined) throw refuse(404, 'team not found');
        if (!isMember(caller, slug)) throw refuse(403, 'forbidden');
        return ok({ team });
      },
    }),
    {
      path: /^\/runtime\/teams\/([^/]+)\/members$/,
      service,
      allow,
      methodMessage,
      methods: {
        async GET({ caller }, slug = '') {
          if (!isMember(caller, slug)) throw refuse(403, 'forbidden');
          const team = accounts.team(slug);
          return ok({ members: team === undefined ? [] : accounts.membersOf(team).map(memberItem) });
        },
        async POST(exchange, slug = '') {
          mayAdminister(exchange.caller, slug);
          const { userID, role } = bodyOf(exchange, newMember);
          // The path that the platform calls itself with then has no user's id, and another method.
          if (userID === '') throw refuse(400, 'upsert team membership: status 405');
          return ok({ membership: membershipItem(accounts.putMember(slug, userID, role)) });
        },
      },
    },
    {
      path: /^\/runtime\/teams\/([^/]+)\/members\/([^/]+)$/,
      service,
      allow,
      methodMessage,
      methods: {
        async PUT(exchange, slug = '', userId = '') {
          mayAdminister(exchange.caller, slug);
          const { role } = bodyOf(exchange, newRole);
          return ok({ membership: membershipItem(accounts.putMember(slug, userId, role)) });
        },
        async DELETE({ caller }, slug = '', userID = '') {
          mayAdminister(caller, slug);
          if (!accounts.removeMember(slug, userID)) throw refuse(404, 'membership not found');
          return ok({ success: true, team: slug, userID });
        },
      },
    },
    {
      path: /^\/runtime\/teams\/([^/]+)\/users$/,
      service,
      allow,
      methodMessage,
      methods: { POST: (exchange, slug = '') => createTeamUser(context, exchange, slug) },
    },
  ];
}

async function createTeam(context: ApiContext, exchange: Exchange): Promise<Answer> {
  const { accounts, cluster, domain, credentials } = context;
  const { caller } = exchange;
  if (caller?.role !== 'admin') throw refuse(403, 'forbidden');
  const { slug, name } = bodyOf(exchange, newTeam);
  const team = accounts.addTeam(slug, name);
  try {
    const [key] = credentials.adminKeys;
    if (key === undefined) throw new Error('registry pull secret required but ADMIN_API_KEYS and UI_API_KEY are unset');
    if (context.losesRace()) throw new Error('secrets "mcp-runtime-registry-pull" is forbidden');
    await provisionNamespace(cluster, team, { domain, key });
  } catch {
    // Its reason is in the API's log alone.
    accounts.burn(team);
    throw refuse(500, 'failed to provision team namespace');
  }
  if (caller.subject !== undefined) accounts.putMember(team.slug, caller.subject, 'owner');
  return ok({ team });
}

async function createTeamUser({ accounts }: ApiContext, exchange: Exchange, slug: string): Promise<Answer> {
  mayAdminister(exchange.caller, slug);
  const { email, password, role } = bodyOf(exchange, newUser);
  if (accounts.team(slug) === undefined) throw refuse(404, 'team not found');
  try {
    const user = accounts.addUser(email, password);
    return created({ membership: membershipItem(accounts.putMember(slug, user.id, role)), user: userItem(user) });
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw refuse(400, 'create team user: status 400');
  }
}

function isMember(caller: Principal | undefined, slug: string): boolean {
  return caller?.role === 'admin' || (caller?.teams.some((one) => one.slug === slug) ?? false);
}

function mayAdminister(caller: Principal | undefined, slug: string): void {
  const owns = caller?.teams.some((one) => one.slug === slug && one.role === 'owner') ?? false;
  if (caller?.role !== 'admin' && !owns) throw refuse(403, 'forbidden');
}

function teamFields({ id, slug, name, namespace }: Team): Record<string, string> {
  return { team_id: id, team_slug: slug, team_name: name, team_namespace: namespace };
}

function memberItem({ team, user, role, created_at }: Membership): Record<string, unknown> {
  return { ...teamFields(team), user_id: user.id, email: user.email, role, created_at };
}

function membershipItem({ team, user, role, created_at }: Membership): Record<string, unknown> {
  return { ...teamFields(team), user_id: user.id, role, created_at };
}
