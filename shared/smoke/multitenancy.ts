import { McprtError } from '../errors.js';
import { isRecord } from '../json.js';
import type { Mcp, McpAnswer } from '../mcp/client.js';
import { pause as sleep } from '../pause.js';
import type { ApiCaller } from '../platform/api.js';
import { adapterSession, callUntilAllowed, headersOf, type Identity, requireRefusal } from './calls.js';
import { type Checks, runSuite } from './checks.js';
import { addressOf, agent, emailOf, type SmokeContext, serverWaits, together } from './context.js';
import { foreignChecks, lookAtForeign } from './foreign.js';
import { applyGrant, applySession, type ToolRule } from './grants.js';
import { pushImageArchive } from './push.js';
import { deployServer, untilReady, untilServed } from './servers.js';
import { requireCleanUp } from './tenant.js';
import { ensureMember, ensureTeam, type Tenant, type TenantName, type Tenants, tenants } from './tenants.js';

/** What the servers are told to be; `create_task` writes, and `draft_release_note` is left out on purpose. */
const tools = [
  ...['aaa-ping', 'add', 'upper', 'lower', 'echo'].map((name) => ({ name, requiredTrust: 'low', sideEffect: 'read' })),
  { name: 'slugify', requiredTrust: 'medium', sideEffect: 'read' },
  { name: 'create_task', requiredTrust: 'low', sideEffect: 'write' },
];

/** What acme's grants say: one tool is denied, one asks for more trust than is given, one has no metadata. */
const rules: readonly ToolRule[] = [
  ...['aaa-ping', 'add', 'upper', 'echo', 'create_task', 'draft_release_note'].map(
    (name): ToolRule => ({ name, decision: 'allow', requiredTrust: 'low' }),
  ),
  { name: 'slugify', decision: 'allow', requiredTrust: 'medium' },
  { name: 'lower', decision: 'deny', requiredTrust: 'low' },
];

const ingest = 'http://mcp-sentinel-ingest.mcp-sentinel.svc.cluster.local:8081/events';
const eventWait = { deadline: 60_000, pause: 1_000 };
const hour = 3600_000;

/** Refusals by the gateway, in the order in which it decides. */
const refusals = [
  'refused: no identity',
  'refused: no session',
  'refused: unknown session',
  'refused: session of another team',
  'refused: expired session',
  'refused: no grant',
  'refused: tool denied',
  'refused: tool without a rule',
  'refused: tool without metadata',
  'refused: side effect',
  'refused: too little trust',
  'refused: batch of requests',
] as const;

/** Names of the checks of the suite `multitenancy`. */
export const multitenancyChecks = [
  'platform API',
  'no kubeconfig',
  'image',
  'teams and users',
  'push by each team',
  'deploy by each team',
  'servers ready',
  'public addresses',
  'grants',
  'adapter session of globex',
  'adapter session of techcorp',
  'no adapter session without a grant',
  'globex calls acme’s add',
  'techcorp calls acme’s add',
  ...refusals,
  'events: the allowed call',
  'events: a refused call',
  ...foreignChecks,
  'refused: revoked session',
  'refused: disabled grant',
  'cleanup',
];

export interface MultitenancyOptions {
  /** Takes the teams, servers and grants of an earlier run (runbook: SKIP_SETUP=1). */
  skipSetup: boolean;
  /** Variables of the job: no kubeconfig may be among them. */
  env: Readonly<Record<string, string | undefined>>;
}

/** Three tenants, who may call each other's tools as far as they were allowed to (runbook: multi-tenancy end-to-end test). */
export async function multitenancySuite(context: SmokeContext, options: MultitenancyOptions): Promise<void> {
  const names = multitenancyChecks.filter((name) => !context.keep || name !== 'cleanup');
  await runSuite(context.record, 'multitenancy', names, context, async (checks) => {
    try {
      await play(checks, context, options);
    } finally {
      if (!context.keep && !context.signal.aborted && context.made.things.length > 0) {
        await checks.look('cleanup', (note) => requireCleanUp(context, note));
      }
    }
  });
}

async function play(checks: Checks, context: SmokeContext, options: MultitenancyOptions): Promise<void> {
  const { admin } = await checks.need('platform API', async (note) => {
    const found = await context.platform();
    note(found.api.base);
    return found;
  });
  await checks.need('no kubeconfig', async () => {
    const found = Object.keys(options.env).filter((name) => /KUBECONFIG|^KUBERNETES_SERVICE_/.test(name));
    if (found.length === 0) return;
    throw new McprtError('smoke-kubeconfig', {
      what: 'this run still knows a way into the cluster',
      why: `set: ${found.join(', ')}`,
      next: 'this suite proves that a tenant needs none; it should have been removed: please report it',
    });
  });
  const all = await setUp(checks, context, options);
  const { acme, globex, techcorp } = all;
  const sessions: Record<'globex' | 'techcorp', Identity> = {
    globex: await checks.need('adapter session of globex', () => sessionFor(context, globex, acme)),
    techcorp: await checks.need('adapter session of techcorp', () => sessionFor(context, techcorp, acme)),
  };
  await checks.look('no adapter session without a grant', () => requireNoSession(globex, techcorp));
  const manual = await manualSessions(context, admin, all);
  const web = addressOf(context, acme.server);
  const { mcp } = await untilServed(context.web, web, serverWaits(context));
  const waits = { propagation: context.waits.propagation, signal: context.signal };
  const call = async (name: string, identity: Identity, [a, b]: readonly [number, number]): Promise<void> => {
    await checks.need(name, async (note) => {
      const headers = headersOf(identity);
      const asked = { tool: 'add', args: { a, b }, expected: String(a + b), headers };
      note(`add ${a}+${b} → ${await callUntilAllowed(mcp, asked, waits)}`);
    });
  };
  await call('globex calls acme’s add', sessions.globex, [7, 9]);
  await call('techcorp calls acme’s add', sessions.techcorp, [11, 22]);
  await refuse(checks, context, { mcp, session: sessions.globex, manual, all });
  await Promise.all([
    checks.look('events: the allowed call', (note) =>
      requireEvent(context, acme, note, { tool_name: 'add', subject_team_id: globex.team.id, decision: 'allow' }),
    ),
    checks.look('events: a refused call', (note) =>
      requireEvent(context, acme, note, { tool_name: 'lower', decision: 'deny', reason: 'tool_denied' }),
    ),
    lookAtForeign(checks, context, all),
  ]);
  await revoke(checks, context, { mcp, admin, session: sessions.techcorp, manual, all });
  await mcp.close();
}

function serverName(context: SmokeContext, tenant: TenantName): string {
  return `smoke-${context.run}-${tenant}`;
}

function grantName(context: SmokeContext, to: TenantName): string {
  return `smoke-${context.run}-acme-to-${to}`;
}

async function setUp(checks: Checks, context: SmokeContext, { skipSetup }: MultitenancyOptions): Promise<Tenants> {
  const { identity, signal, hosts } = context;
  const { api, admin } = await context.platform();
  const [archive, all] = await together([
    skipSetup
      ? Promise.resolve(undefined)
      : checks.need('image', async (note) => {
          const found = await context.image();
          note(`${found.platform}, ${(found.size / 1e6).toFixed(1)} MB`);
          return found;
        }),
    checks.need('teams and users', async (note): Promise<Tenants> => {
      const entries = await together(
        tenants.map(async (name): Promise<[TenantName, Tenant]> => {
          const slug = `${identity.teamPrefix}-${name}`;
          const { team } = await ensureTeam(admin, { slug, name: `mcprt smoke test ${name}` }, signal);
          const who = { team, email: emailOf(slug, identity), password: identity.password };
          const member = await ensureMember(api, admin, { ...who, role: name === 'acme' ? 'owner' : 'member' });
          return [name, { team, member, server: serverName(context, name) }];
        }),
      );
      note(entries.map(([, { team }]) => team.slug).join(', '));
      return Object.fromEntries(entries) as Tenants;
    }),
  ]);
  const each = (work: (tenant: Tenant) => Promise<unknown>): Promise<unknown> =>
    together(tenants.map((name) => work(all[name])));
  const imageOf = ({ team, server }: Tenant): string => `${hosts.registry}/${team.slug}/${server}:${context.run}`;
  if (archive !== undefined) {
    await checks.need('push by each team', async (note) => {
      const times = await together(
        tenants.map((name) => {
          const target = imageOf(all[name]);
          return pushImageArchive(all[name].member.caller, { archive, target, limit: context.pushLimit });
        }),
      );
      note(times.map((ms) => `${(ms / 1000).toFixed(1)} s`).join(', '));
    });
    await checks.need('deploy by each team', () =>
      each(async (tenant) => {
        const { member, team, server } = tenant;
        const spec = specOf(imageOf(tenant));
        await deployServer(member.caller, context.made, { name: server, namespace: team.namespace, spec });
      }),
    );
  } else {
    for (const name of ['image', 'push by each team', 'deploy by each team']) checks.skip(name, 'skip-setup is true');
  }
  await checks.need('servers ready', () =>
    each(({ member, team, server }) =>
      untilReady(member.caller, { name: server, namespace: team.namespace }, serverWaits(context), async () => ''),
    ),
  );
  await checks.need('public addresses', () =>
    each(async ({ server }) => {
      const { mcp } = await untilServed(context.web, addressOf(context, server), serverWaits(context));
      await mcp.close();
    }),
  );
  await checks.need('grants', async () => {
    const { acme } = all;
    const { namespace } = acme.team;
    for (const to of ['globex', 'techcorp'] as const) {
      const name = grantName(context, to);
      if (!skipSetup) {
        const grant = { name, namespace, server: acme.server, teamId: all[to].team.id, agent };
        await applyGrant(acme.member.caller, context.made, { ...grant, maxTrust: 'low', sideEffects: ['read'], rules });
      }
      await requireGrant(acme.member.caller, namespace, name);
    }
  });
  return all;
}

function specOf(image: string): Record<string, unknown> {
  return {
    image,
    port: 8088,
    tools,
    auth: { mode: 'header' },
    policy: { mode: 'allow-list', defaultDecision: 'deny', enforceOn: 'call_tool', policyVersion: 'v1' },
    session: { required: true },
    gateway: { enabled: true },
    // Events are opt-in, and without the address the platform makes no key for them.
    analytics: { ingestURL: ingest },
  };
}

async function requireGrant(caller: ApiCaller, namespace: string, name: string): Promise<void> {
  const { status, body, told } = await caller.call('GET', `/runtime/grants/${namespace}/${name}`, {
    accept: [200, 404],
  });
  if (status === 200 && isRecord(body) && isRecord(body.grant) && body.grant.disabled === false) return;
  throw new McprtError('smoke-grant', {
    what: `the grant ${name} cannot be read back`,
    why: told,
    next:
      status === 404
        ? 'with `skip-setup`, `run-id` must be that of a run with `keep: true`; otherwise look at the operator: `kubectl logs -n mcp-runtime deployment/mcp-runtime-operator-controller-manager`'
        : 'somebody has disabled it',
  });
}

function sessionFor({ made }: SmokeContext, who: Tenant, whose: Tenant): Promise<Identity> {
  return adapterSession(who.member.caller, made, {
    server: whose.server,
    namespace: whose.team.namespace,
    agent,
    trust: 'low',
  });
}

async function requireNoSession(who: Tenant, whose: Tenant): Promise<void> {
  const answer = await who.member.caller.call('POST', '/runtime/adapter/sessions', {
    body: { serverName: whose.server, namespace: whose.team.namespace, agentID: agent },
    accept: [200, 403],
  });
  if (answer.status === 403 && answer.told.includes('no enabled MCPAccessGrant')) return;
  throw new McprtError('smoke-not-denied', {
    what: 'somebody gets a session for a server of a team that has granted nothing',
    why: answer.told,
    next: 'look at the grants: `kubectl get mcpaccessgrant -A`; one without a team or agent lets in more than was meant',
  });
}

/** Sessions that no adapter would make: one that has ended, one to revoke, one of a team without a grant. */
interface Manual {
  expired: Identity;
  revocable: Identity & { name: string };
  ungranted: Identity;
}

async function manualSessions(
  context: SmokeContext,
  admin: ApiCaller,
  { acme, globex, techcorp }: Tenants,
): Promise<Manual> {
  const base = `smoke-${context.run}`;
  const of = (whose: Tenant, name: string, expires: number): Promise<void> =>
    applySession(admin, context.made, {
      name,
      namespace: whose.team.namespace,
      server: whose.server,
      human: globex.member.id,
      teamId: globex.team.id,
      agent,
      expires: new Date(Date.now() + expires),
    });
  const names = { expired: `${base}-expired`, revocable: `${base}-revocable`, ungranted: `${base}-ungranted` };
  await together([
    of(acme, names.expired, -hour),
    of(acme, names.revocable, hour),
    of(techcorp, names.ungranted, hour),
  ]);
  const identity = (session: string): Identity => ({
    human: globex.member.id,
    agent,
    team: globex.team.id,
    session,
  });
  return {
    expired: identity(names.expired),
    revocable: { ...identity(names.revocable), name: names.revocable },
    ungranted: identity(names.ungranted),
  };
}

interface Setting {
  mcp: Mcp;
  session: Identity;
  manual: Manual;
  all: Tenants;
}

async function refuse(checks: Checks, context: SmokeContext, { mcp, session, manual, all }: Setting): Promise<void> {
  const waits = { propagation: context.waits.propagation, signal: context.signal };
  const as = headersOf(session);
  const refused = (
    name: (typeof refusals)[number],
    [status, reason]: readonly [number, string],
    call: () => Promise<McpAnswer>,
    before: readonly string[] = [],
  ): Promise<unknown> =>
    checks.look(name, async (note) => {
      const what = `a call with ${name.replace('refused: ', '')}`;
      const answer = await requireRefusal(call, { status, reason, what, before }, waits);
      if (reason === 'missing_identity') requireAdvice(answer);
      note(reason);
    });
  const add = (headers: Record<string, string>): Promise<McpAnswer> => mcp.callTool('add', { a: 1, b: 1 }, headers);
  const tool =
    (name: string, args: Record<string, unknown> = {}) =>
    (): Promise<McpAnswer> =>
      mcp.callTool(name, args, as);
  const { mcp: other } = await untilServed(context.web, addressOf(context, all.techcorp.server), serverWaits(context));
  await Promise.all([
    refused('refused: no identity', [401, 'missing_identity'], () => mcp.callTool('aaa-ping', {})),
    refused('refused: no session', [401, 'missing_session'], () => add(headersOf({ ...session, session: undefined }))),
    refused('refused: unknown session', [401, 'session_not_found'], () =>
      add(headersOf({ ...session, session: 'nobody-knows' })),
    ),
    refused('refused: session of another team', [401, 'session_not_found'], () =>
      add(headersOf({ ...session, team: all.techcorp.team.id })),
    ),
    refused('refused: expired session', [401, 'session_expired'], () => add(headersOf(manual.expired)), [
      'session_not_found',
    ]),
    refused(
      'refused: no grant',
      [403, 'no_matching_grant'],
      () => other.callTool('add', { a: 1, b: 1 }, headersOf(manual.ungranted)),
      ['session_not_found'],
    ),
    refused('refused: tool denied', [403, 'tool_denied'], tool('lower', { text: 'A' })),
    refused('refused: tool without a rule', [403, 'tool_not_granted'], tool('mcprt-no-such-tool')),
    refused('refused: tool without metadata', [403, 'tool_side_effect_unknown'], tool('draft_release_note')),
    refused('refused: side effect', [403, 'side_effect_not_allowed'], tool('create_task', { title: 'a' })),
    refused('refused: too little trust', [403, 'trust_too_low'], tool('slugify', { text: 'a b' })),
    refused('refused: batch of requests', [403, 'rpc_inspection_failed'], () =>
      mcp.post(JSON.stringify([{ jsonrpc: '2.0', id: 900, method: 'tools/list' }]), as),
    ),
  ]);
  await other.close();
}

/** What the gateway tells somebody without an identity: how to come with one (runbook's test, direct call). */
function requireAdvice({ message }: McpAnswer): void {
  const headers = Array.isArray(message?.required_headers) ? message.required_headers.map(String) : [];
  const wanted = ['X-MCP-Human-ID', 'X-MCP-Agent-ID', 'X-MCP-Team-ID', 'X-MCP-Agent-Session'];
  const missing = wanted.filter((name) => !headers.includes(name));
  const isAdvised =
    message?.adapter_required === true &&
    String(message.message).includes('mcp-runtime adapter proxy or stdio adapter') &&
    missing.length === 0;
  if (isAdvised) return;
  throw new McprtError('smoke-advice', {
    what: 'the gateway refuses, and does not say how to get in',
    why: `adapter_required ${String(message?.adapter_required)}, headers missing: ${missing.join(', ') || 'none'}, message "${String(message?.message ?? '').slice(0, 120)}"`,
    next: 'the gateway is of another version than the platform: `kubectl get deployment -n mcp-runtime -o yaml`',
  });
}

async function revoke(
  checks: Checks,
  context: SmokeContext,
  { mcp, admin, session, manual, all }: Setting & { admin: ApiCaller },
): Promise<void> {
  const waits = { propagation: context.waits.propagation, signal: context.signal };
  const { namespace } = all.acme.team;
  const grant = `/runtime/grants/${namespace}/${grantName(context, 'techcorp')}`;
  const call = (identity: Identity) => (): Promise<McpAnswer> =>
    mcp.callTool('add', { a: 1, b: 1 }, headersOf(identity));
  await Promise.all([
    checks.look('refused: revoked session', async () => {
      await admin.call('PATCH', `/runtime/sessions/${namespace}/${manual.revocable.name}`, { body: { revoked: true } });
      const wanted = { status: 401, reason: 'session_revoked', what: 'a call with a revoked session' };
      await requireRefusal(call(manual.revocable), { ...wanted, before: ['allowed', 'session_not_found'] }, waits);
    }),
    checks.look('refused: disabled grant', async () => {
      // Of a session that is revoked its owner gets a new one by asking again; a grant that is disabled stays so.
      await all.acme.member.caller.call('PATCH', grant, { body: { disabled: true } });
      try {
        const wanted = { status: 403, reason: 'tool_not_granted', what: 'a call by a disabled grant' };
        await requireRefusal(call(session), { ...wanted, before: ['allowed'] }, waits);
      } finally {
        if (context.keep) await all.acme.member.caller.call('PATCH', grant, { body: { disabled: false } });
      }
    }),
  ]);
}

/** Waits for an event of acme's server whose payload has these values. @throws McprtError `smoke-event` */
async function requireEvent(
  context: SmokeContext,
  { member, team, server }: Tenant,
  note: (text: string) => void,
  wanted: Readonly<Record<string, string>>,
): Promise<void> {
  const path = `/runtime/server-events?namespace=${team.namespace}&server=${server}&limit=100`;
  const end = Date.now() + Math.min(eventWait.deadline, context.waits.propagation);
  let seen: Record<string, unknown>[] = [];
  for (;;) {
    const { body } = await member.caller.call('GET', path);
    seen = (isRecord(body) && Array.isArray(body.events) ? body.events : []).filter(isRecord);
    const found = seen.some((event) => {
      const payload = isRecord(event.payload) ? event.payload : {};
      return Object.entries(wanted).every(([key, value]) => (payload[key] ?? event[key]) === value);
    });
    if (found) {
      note(`${seen.length} events`);
      return;
    }
    if (Date.now() + eventWait.pause > end) break;
    await sleep(eventWait.pause, context.signal);
  }
  const told = seen.map((event) => {
    const payload = isRecord(event.payload) ? event.payload : {};
    return `${String(payload.tool_name ?? payload.rpc_method ?? '?')} ${String(payload.decision)} ${String(payload.reason ?? '')}`;
  });
  throw new McprtError('smoke-event', {
    what: `no event tells the call (${Object.values(wanted).join(', ')})`,
    why: `${seen.length} events of ${server}: ${[...new Set(told)].slice(0, 10).join('; ') || 'none'}`,
    next: 'events go from the gateway by mcp-sentinel-ingest and Kafka to ClickHouse: `kubectl get pods -n mcp-sentinel`; a wrong ingest key shows in the gateway’s log only',
  });
}
