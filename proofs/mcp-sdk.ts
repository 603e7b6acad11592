import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { Agent, fetch as undiciFetch } from 'undici';
import { isRecord } from '../shared/json.js';
import { withoutMasks } from './leaks.js';
import type { Proof } from './proof.js';
import { runOwnClient } from './smoke/sdk-server.js';
import { makeSmokeWorld, type SmokeWorld } from './smoke/world.js';

export const mcpSdk: Proof = {
  name: 'mcp-sdk',
  claim:
    'the official MCP SDK against the lab says the same of a server as action-smoke-test does, and the calls of action-smoke-test are understood by a server made with the official SDK',
  async run(context) {
    const problems: string[] = [];
    const world = await makeSmokeWorld(context, 'split');
    let theirs: Record<string, unknown> = {};
    try {
      theirs = await theirClient(world, problems);
    } finally {
      await world.close();
    }
    const ours = await runOwnClient();
    problems.push(...ours.problems);
    context.progress(`  their client: ${JSON.stringify(theirs)}`);
    context.progress(`  our client: ${JSON.stringify(ours.figures)}`);
    return { ok: problems.length === 0, figures: { theirClient: theirs, ourClient: ours.figures }, problems };
  },
};

/** The official client, through the lab's front over verified TLS, with the session of an adapter. */
async function theirClient(world: SmokeWorld, problems: string[]): Promise<Record<string, unknown>> {
  const run = await world.test({ suite: 'tenant', keep: 'true' });
  if (run.code !== 0) problems.push(withoutMasks(run.log).slice(-3000));
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
  if (text !== '16') problems.push(`their client: add gives ${String(text)}`);
  if (tools.length !== 8) problems.push(`their client: ${tools.length} tools`);
  const stranger = await connect({});
  const refused = await stranger.callTool({ name: 'add', arguments: { a: 7, b: 9 } }).then(
    () => 'let through',
    (error: unknown) => String(error),
  );
  if (!/missing_identity/.test(refused)) problems.push(`their client without an identity: ${refused}`);
  await Promise.all([known.close(), stranger.close()]);
  return {
    server: known.getServerVersion()?.name,
    tools: tools.length,
    add: text,
    withoutIdentity: 'missing_identity',
  };
}

/** The identity of an adapter session, asked for as an adapter does. */
async function identityOf(world: SmokeWorld, server: string): Promise<Record<string, string>> {
  const { caller, namespace } = await world.member();
  const answer = await caller.call('POST', '/runtime/adapter/sessions', {
    body: { serverName: server, namespace, agentID: 'mcprt-smoke' },
  });
  const body = isRecord(answer.body) ? answer.body : {};
  return {
    'x-mcp-human-id': String(body.humanID),
    'x-mcp-agent-id': String(body.agentID),
    'x-mcp-team-id': String(body.teamID),
    'x-mcp-agent-session': String(body.name),
  };
}
