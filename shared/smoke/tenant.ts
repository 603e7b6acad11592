import { McprtError } from '../errors.js';
import { isRecord } from '../json.js';
import { type Mcp, resultOf, toldOf } from '../mcp/client.js';
import type { ServerMetadata, ToolMetadata } from '../platform/servers-file.js';
import { adapterSession, callUntilAllowed, headersOf, requireRefusal } from './calls.js';
import { type Checks, runSuite } from './checks.js';
import { podTroubles, requireMcpServer, requirePullSecret } from './cluster-checks.js';
import { addressOf, agent, emailOf, type SmokeContext, serverWaits, together } from './context.js';
import { applyGrant, type Trust } from './grants.js';
import { removeMade } from './made.js';
import { pushImageArchive } from './push.js';
import { deployServer, untilGone, untilReady, untilServed } from './servers.js';
import { ensureMember, ensureTeam, type Member, type Team } from './tenants.js';

/** Which tool is called, with what, and what must come. */
export interface ToolCall {
  /** The first one that only reads and needs no arguments when empty. */
  tool: string;
  args: Readonly<Record<string, unknown>>;
  /** Any text when empty. */
  expected: string;
}

export interface TenantOptions {
  suite: string;
  /** Reads the metadata. @throws McprtError `smoke-metadata` */
  metadata(): Promise<ServerMetadata>;
  /** Name of the server, by that of its metadata. */
  nameOf(metadata: ServerMetadata): string;
  call: ToolCall;
  /** Removes a server of this name first, and looks that the old one does not answer any more. */
  replaces: boolean;
}

/** Names of the checks of a suite that publishes one server. */
export const tenantChecks = [
  'metadata',
  'platform API',
  'image',
  'team and member',
  'push',
  'old version gone',
  'deploy',
  'ready',
  'public address',
  'tools',
  'refused without identity',
  'grant and session',
  'call',
  'pull Secret',
  'MCPServer',
  'cleanup',
] as const;

/** What a suite has published. */
export interface Published {
  server: string;
  url: string;
}

/**
 * A tenant's way from an image to a call, from the outside (runbook: tenant push and deploy smoke test).
 *
 * @returns what was published; undefined when it did not come so far
 */
export async function tenantSuite(context: SmokeContext, options: TenantOptions): Promise<Published | undefined> {
  let published: Published | undefined;
  const names = tenantChecks.filter(
    (name) => (options.replaces || name !== 'old version gone') && (!context.keep || name !== 'cleanup'),
  );
  await runSuite(context.record, options.suite, names, context, async (checks) => {
    try {
      published = await publish(checks, context, options);
    } finally {
      if (!context.keep && !context.signal.aborted) await cleanUp(checks, context);
    }
  });
  return published;
}

async function publish(checks: Checks, context: SmokeContext, options: TenantOptions): Promise<Published> {
  const { cluster, hosts, made, web, waits, signal } = context;
  const [metadata, { api, admin }] = await together([
    checks.need('metadata', async (note) => {
      const found = await options.metadata();
      note(`${found.name}, ${found.tools.length} tools`);
      return found;
    }),
    checks.need('platform API', async (note) => {
      const found = await context.platform();
      note(found.api.base);
      return found;
    }),
  ]);
  const [archive, { team, member }] = await together([
    checks.need('image', async (note) => {
      const found = await context.image();
      note(`${found.platform}, ${(found.size / 1e6).toFixed(1)} MB`);
      return found;
    }),
    checks.need('team and member', async (note): Promise<{ team: Team; member: Member }> => {
      const slug = context.identity.teamPrefix;
      const { team: found, isNew } = await ensureTeam(admin, { slug, name: 'mcprt smoke test' }, signal);
      const email = emailOf(slug, context.identity);
      const { password } = context.identity;
      const who = await ensureMember(api, admin, { team: found, email, password, role: 'member' });
      note(`${email} in ${slug}${isNew ? ', made now' : ''}`);
      return { team: found, member: who };
    }),
  ]);
  const server = options.nameOf(metadata);
  const { namespace } = team;
  const image = `${hosts.registry}/${team.slug}/${server}:${context.run}`;
  const address = addressOf(context, server);
  await checks.need('push', async (note) => {
    const took = await pushImageArchive(member.caller, { archive, target: image, limit: context.pushLimit });
    note(`${(took / 1000).toFixed(1)} s of ${context.pushLimit / 1000} s`);
  });
  if (options.replaces) {
    await checks.need('old version gone', async () => {
      await admin.call('DELETE', `/runtime/servers/${namespace}/${server}`, { accept: [200, 404] });
      await untilGone(web, address, serverWaits(context));
    });
  }
  await checks.need('deploy', async (note) => {
    await deployServer(member.caller, made, { name: server, namespace, spec: { ...metadata.spec, image } });
    note(`${server} in ${namespace}`);
  });
  await checks.need('ready', async (note) => {
    const explain = async (): Promise<string> =>
      cluster === undefined ? '' : podTroubles(cluster, { namespace, name: server });
    note(await untilReady(member.caller, { name: server, namespace }, serverWaits(context), explain));
  });
  const mcp = await checks.need('public address', async (note) => {
    const served = await untilServed(web, address, serverWaits(context));
    note(serverText(resultOf(served.answer)));
    return served.mcp;
  });
  const tools = await checks.need('tools', (note) => requireTools(mcp, metadata.tools, note));
  await checks.look('refused without identity', () =>
    requireRefusal(
      () => mcp.callTool(metadata.tools[0]?.name ?? '', {}),
      { status: 401, reason: 'missing_identity', what: 'a call without any identity', before: [] },
      { propagation: 0, signal },
    ),
  );
  const identity = await checks.need('grant and session', async (note) => {
    const sideEffects = [...new Set(metadata.tools.map(({ sideEffect }) => sideEffect))];
    const grant = { name: `${server}-grant`, namespace, server, teamId: team.id, agent };
    const trust = highestTrust(metadata.tools);
    await applyGrant(admin, made, { ...grant, maxTrust: trust, sideEffects, rules: [] });
    const found = await adapterSession(member.caller, made, { server, namespace, agent, trust });
    note(found.session ?? '');
    return found;
  });
  await checks.look('call', async (note) => {
    const call = chosenCall(options.call, metadata.tools, tools);
    const { tool, args, expected } = call;
    const text = await callUntilAllowed(
      mcp,
      { tool, args, expected: expected === '' ? undefined : expected, headers: headersOf(identity) },
      { propagation: waits.propagation, signal },
    );
    note(`${tool} → ${text.slice(0, 60)}`);
  });
  if (cluster === undefined) {
    for (const name of ['pull Secret', 'MCPServer']) checks.skip(name, 'no kubeconfig was given');
  } else {
    await checks.look('pull Secret', () => requirePullSecret(cluster, namespace, hosts.registry));
    await checks.look('MCPServer', async (note) =>
      note(await requireMcpServer(cluster, { namespace, name: server }, image, { wait: waits.deploy, signal })),
    );
  }
  await mcp.close();
  return { server, url: `https://${address.host}${address.path}` };
}

/** Every tool of the metadata is one of the server's. @returns those that the server has, by name */
async function requireTools(
  mcp: Mcp,
  declared: readonly ToolMetadata[],
  note: (text: string) => void,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const { answer, tools } = await mcp.listTools();
  if (resultOf(answer) === undefined) {
    throw new McprtError('smoke-tools', {
      what: 'the server does not list its tools',
      why: `tools/list → ${toldOf(answer)}`,
      next: 'look at the server’s log: `kubectl logs -n NAMESPACE deployment/SERVER`',
    });
  }
  const found = new Map(tools.map(({ name, required }) => [name, required]));
  const missing = declared.filter(({ name }) => !found.has(name)).map(({ name }) => name);
  if (missing.length > 0) {
    throw new McprtError('smoke-tools', {
      what: `the server has not the tools that its metadata declares: ${missing.join(', ')}`,
      why: `tools/list → ${[...found.keys()].join(', ') || 'none'}`,
      next: 'the image is another one than the metadata is about, or an old version is serving',
    });
  }
  note(`${declared.length} of ${declared.length} declared`);
  return found;
}

/** What the tools ask for: the grant is the test's own, and is to let every declared tool be called. */
function highestTrust(tools: readonly ToolMetadata[]): Trust {
  return (['high', 'medium'] as const).find((trust) => tools.some((tool) => tool.requiredTrust === trust)) ?? 'low';
}

/** The call of the inputs, or one that needs nothing. @throws McprtError `smoke-no-call` */
export function chosenCall(
  call: ToolCall,
  declared: readonly ToolMetadata[],
  tools: ReadonlyMap<string, readonly string[]>,
): ToolCall {
  if (call.tool !== '') return call;
  const found = declared.find(({ name, sideEffect }) => sideEffect === 'read' && tools.get(name)?.length === 0);
  if (found !== undefined) return { ...call, tool: found.name };
  throw new McprtError('smoke-no-call', {
    what: 'none of the server’s tools can be called as it is',
    why: 'no tool with the side effect `read` goes without arguments',
    next: 'say which one to call with what: inputs `call-tool`, `call-arguments` and `call-expects`',
  });
}

async function cleanUp(checks: Checks, context: SmokeContext): Promise<void> {
  if (context.made.things.length === 0) return;
  await checks.look('cleanup', (note) => requireCleanUp(context, note));
}

/** Removes all that a run has made. @throws McprtError `smoke-cleanup` */
export async function requireCleanUp(context: SmokeContext, note: (text: string) => void): Promise<void> {
  const { made, cluster } = context;
  const { admin } = await context.platform();
  const { length } = made.things;
  const { left, kept } = await removeMade(made, { admin, cluster });
  const gone = `${length - left.length - kept.length} removed`;
  note(kept.length === 0 ? gone : `${gone}; ${keptText(kept)}`);
  for (const command of kept) context.progress(`  left to do: ${command}`);
  if (left.length === 0) return;
  throw new McprtError('smoke-cleanup', {
    what: 'not everything that the tests made could be removed',
    why: left.join('\n'),
    next: 'run `operation: cleanup`',
  });
}

/** How a run is to be started that can remove the Secrets of servers. */
export const whoRemovesSecrets =
  'the platform’s API removes none; give `kubeconfig` with docs/rbac/smoke-test.yaml, applied again since the teams are there';

/** What stays although the tests have caused it, and who could remove it. */
export function keptText(kept: readonly string[]): string {
  const what = kept.length === 1 ? '1 Secret of a server stays' : `${kept.length} Secrets of servers stay`;
  return `${what}: ${whoRemovesSecrets}`;
}

function serverText(result: Record<string, unknown> | undefined): string {
  const info = isRecord(result?.serverInfo) ? result.serverInfo : {};
  return `${String(info.name ?? 'a server')} ${String(info.version ?? '')}`.trim();
}
