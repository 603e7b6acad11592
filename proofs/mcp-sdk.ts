import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { Agent, fetch as undiciFetch } from 'undici';
import { isRecord } from '../shared/json.js';
import { findApi } from '../shared/platform/api.js';
import { parseOverrides } from '../shared/platform/overrides.js';
import { openWeb } from '../shared/platform/web.js';
import { direct } from '../shared/proxy.js';
import type { Figures, Proof, ProofContext } from './support/proof.js';
import { userPassword } from './world/actions.js';
import { type PlatformInUse, platformInUse } from './world/parts.js';
import { inWorld, type World } from './world/world.js';

export const mcpSdk: Proof = {
  name: 'mcp-sdk',
  claim: 'the official MCP SDK against the lab says the same of a server as action-smoke-test does',
  run: (context) =>
    inWorld(context, platformInUse, async (world) => {
      return theirClient(context, world);
    }),
};

/** The official client, through the lab's front over verified TLS, with the session of an adapter. */
async function theirClient({ expect, expectDone }: ProofContext, world: World<PlatformInUse>): Promise<Figures> {
  const run = await world.smokeTest({ suite: 'tenant', keep: 'true' });
  expectDone('the smoke test', run);
  const url = new URL(run.outputs.url ?? '');
  const session = await identityOf(world, run.outputs.server ?? '');
  const connect = async (headers: Record<string, string>): Promise<Client> => {
    const dispatcher = new Agent({
      connect: {
        ca: world.root,
        lookup: (_host, _options, done) => done(null, [{ address: '127.0.0.1', family: 4 }]),
      },
    });
    const through = (input: string | URL, init?: RequestInit): Promise<Response> => {
      const at = new URL(input);
      at.port = String(world.front.httpsPort);
      // undici's own fetch takes a dispatcher; its types are those of the same standard.
      return undiciFetch(at, { ...(init as object), dispatcher }) as unknown as Promise<Response>;
    };
    const client = new Client({ name: 'official', version: '1' });
    await client.connect(new StreamableHTTPClientTransport(url, { requestInit: { headers }, fetch: through }));
    return client;
  };
  const known = await connect(session);
  const tools = (await known.listTools()).tools.map(({ name }) => name);
  const sum = await known.callTool({ name: 'add', arguments: { a: 7, b: 9 } });
  const [first] = Array.isArray(sum.content) ? sum.content : [];
  const text = isRecord(first) ? first.text : undefined;
  expect(text === '16', `their client: add gives ${String(text)}`);
  expect(tools.length === 8, `their client: ${tools.length} tools`);
  const stranger = await connect({});
  const refused = await stranger.callTool({ name: 'add', arguments: { a: 7, b: 9 } }).then(
    () => 'let through',
    (error: unknown) => String(error),
  );
  expect(/missing_identity/.test(refused), `their client without an identity: ${refused}`);
  await Promise.all([known.close(), stranger.close()]);
  return {
    server: known.getServerVersion()?.name,
    tools: tools.length,
    add: text,
    withoutIdentity: 'missing_identity',
  };
}

/** The identity of an adapter session, asked for as an adapter does. */
async function identityOf(
  { front, root, domain }: World<PlatformInUse>,
  server: string,
): Promise<Record<string, string>> {
  const web = openWeb({
    overrides: parseOverrides(front.resolve.join('\n')),
    dnsServer: '',
    caBundle: root,
    proxies: direct,
  });
  const quiet = { mask: () => undefined, progress: () => undefined };
  const found = await findApi(`platform.${domain}`, { web, signal: AbortSignal.timeout(60_000), ...quiet });
  const caller = found.as({ email: `mcprt-smoke@${domain}`, password: userPassword });
  const answer = await caller.call('POST', '/runtime/adapter/sessions', {
    body: { serverName: server, namespace: 'mcp-team-mcprt-smoke', agentID: 'mcprt-smoke' },
  });
  const body = isRecord(answer.body) ? answer.body : {};
  return {
    'x-mcp-human-id': String(body.humanID),
    'x-mcp-agent-id': String(body.agentID),
    'x-mcp-team-id': String(body.teamID),
    'x-mcp-agent-session': String(body.name),
  };
}
