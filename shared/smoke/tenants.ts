import { McprtError, toldBy } from '../errors.js';
import { isRecord } from '../json.js';
import { pause as sleep } from '../pause.js';
import type { ApiAnswer, ApiCaller, PlatformApi } from '../platform/api.js';

/** A team of the tests. It stays: the platform has no way to delete one. */
export interface Team {
  id: string;
  slug: string;
  namespace: string;
}

/** Somebody in a team. */
export interface Member {
  email: string;
  id: string;
  caller: ApiCaller;
}

const attempts = 4;
const pause = 1_500;

/**
 * Makes sure that a team is there. Asks first: a create that fails takes the slug for ever.
 *
 * @throws McprtError `smoke-team-burnt`, `smoke-team-namespace`, and of the call
 */
export async function ensureTeam(
  admin: ApiCaller,
  { slug, name }: { slug: string; name: string },
  signal: AbortSignal,
): Promise<{ team: Team; isNew: boolean }> {
  const found = await findTeam(admin, slug);
  if (found !== undefined) return { team: found, isNew: false };
  for (let attempt = 1; ; attempt += 1) {
    const made = await admin.call('POST', '/runtime/teams', {
      body: { slug, name },
      accept: [200, 400, 500],
      retry: false,
    });
    // Another run may have made it at the same moment, which this answer does not say.
    const team = teamOf(made.body) ?? (await findTeam(admin, slug));
    if (team !== undefined) return { team, isNew: made.status === 200 };
    const isPassing = /connection refused|status 401|status 5\d\d/.test(made.told);
    if (made.status === 400 && isPassing && attempt < attempts) {
      await sleep(pause, signal);
      continue;
    }
    throw made.status === 500 ? namespaceFailed(slug, made) : burnt(slug, made);
  }
}

/**
 * Makes sure that somebody is there, and in the team with the role.
 *
 * @throws McprtError `smoke-login`, and of the calls
 */
export async function ensureMember(
  api: PlatformApi,
  admin: ApiCaller,
  { team, email, password, role }: { team: Team; email: string; password: string; role: 'owner' | 'member' },
): Promise<Member> {
  const caller = api.as({ email, password });
  const { body } = await admin.call('GET', `/runtime/teams/${team.slug}/members`);
  const members = isRecord(body) && Array.isArray(body.members) ? body.members.filter(isRecord) : [];
  const known = members.find((one) => one.email === email);
  const id = typeof known?.user_id === 'string' ? known.user_id : await ensureUser(admin, caller, email, password);
  if (known?.role !== role) {
    await admin.call('PUT', `/runtime/teams/${team.slug}/members/${id}`, { body: { role } });
    // The teams of a token are those of the moment in which it was made.
    caller.forget();
  }
  await requireMembership(caller, team, email);
  return { email, id, caller };
}

async function ensureUser(admin: ApiCaller, caller: ApiCaller, email: string, password: string): Promise<string> {
  const made = await admin.call('POST', '/users', {
    body: { email, password, role: 'user' },
    accept: [201, 400],
    retry: false,
  });
  const id = isRecord(made.body) && isRecord(made.body.user) ? made.body.user.id : undefined;
  if (typeof id === 'string') return id;
  if (!/duplicate key|already exists/.test(made.told)) {
    throw new McprtError('smoke-user', {
      what: `the user ${email} cannot be made`,
      why: made.told,
      next: 'a password has 8 to 72 characters: correct `user-password`',
    });
  }
  // Nothing of the platform's tells the id of somebody who is in none of the teams, but their own login.
  return (await caller.person()).id;
}

async function requireMembership(caller: ApiCaller, team: Team, email: string): Promise<void> {
  const { body, told } = await caller.call('GET', '/auth/me');
  const principal = isRecord(body) && isRecord(body.principal) ? body.principal : {};
  const teams = Array.isArray(principal.teams) ? principal.teams.filter(isRecord) : [];
  if (teams.some(({ slug }) => slug === team.slug)) return;
  throw new McprtError('smoke-membership', {
    what: `${email} is not in the team ${team.slug} by a fresh login`,
    why: `${told}: teams ${teams.map(({ slug }) => String(slug)).join(', ') || 'none'}`,
    next: 'the platform took the membership and does not tell it: look at its API’s log, and at the database',
  });
}

/** A team, where it is there. @throws McprtError of the call */
export async function findTeam(admin: ApiCaller, slug: string): Promise<Team | undefined> {
  const answer = await admin.call('GET', `/runtime/teams/${slug}`, { accept: [200, 404] });
  return answer.status === 404 ? undefined : teamOf(answer.body);
}

function teamOf(body: unknown): Team | undefined {
  const team = isRecord(body) ? body.team : undefined;
  if (!isRecord(team) || typeof team.id !== 'string') return undefined;
  return { id: team.id, slug: String(team.slug), namespace: String(team.namespace) };
}

function namespaceFailed(slug: string, { told }: ApiAnswer): McprtError {
  return new McprtError('smoke-team-namespace', {
    what: `the namespace of the team ${slug} cannot be made`,
    why: `${told}: the slug is now taken permanently. Usual causes: PLATFORM_TEAM_TRAEFIK_WATCH is not \`disabled\` on k3s, the API’s ClusterRole is missing, the namespace is Terminating; now and then it happens on a healthy cluster, as rights that were just given are not seen yet`,
    next: `the reason is in the API’s log: \`kubectl logs -n mcp-sentinel deployment/mcp-runtime-api\` (mcp-sentinel-api in the layout mono). Then choose another \`team-prefix\`, or free the slug: DELETE FROM teams WHERE slug = '${slug}' AND deleted_at IS NOT NULL`,
  });
}

function burnt(slug: string, { told }: ApiAnswer): McprtError {
  return new McprtError('smoke-team-burnt', {
    what: `the team ${slug} is not there, and cannot be made`,
    why: `${told}: so the platform answers for a slug whose first create has failed: it is taken permanently`,
    next: `choose another \`team-prefix\`, or free the slug in the platform’s database: DELETE FROM teams WHERE slug = '${slug}' AND deleted_at IS NOT NULL`,
  });
}

/** Of a failure while leftovers are removed, a line. */
export function leftText(what: string, error: unknown): string {
  return `${what}: ${toldBy(error)}`;
}

/** The tenants of the runbook's test: who owns the tools, and who may call them. */
export const tenants = ['acme', 'globex', 'techcorp'] as const;
export type TenantName = (typeof tenants)[number];

/** Somebody of a tenant, with the server that is theirs. */
export interface Tenant {
  team: Team;
  member: Member;
  server: string;
}

export type Tenants = Record<TenantName, Tenant>;
