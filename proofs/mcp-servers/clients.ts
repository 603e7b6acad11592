import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { Agent, fetch as undiciFetch } from 'undici';
import { messageOf } from '../../shared/errors.js';
import { isRecord } from '../../shared/json.js';
import { type McpAnswer, openMcp, resultOf, textOf, toldOf } from '../../shared/mcp/client.js';
import type { ReachOptions } from '../../shared/platform/way.js';
import { openWeb } from '../../shared/platform/web.js';

/** Where a server is. */
export interface ServerAddress {
  host: string;
  path: string;
  port: number;
  reach: ReachOptions;
}

/** How far a client comes with a server, and what it says of it. */
export interface Verdict {
  /** `ok` with the text of the call, or the step that failed. */
  came: string;
  told: string;
}

/** How long the official client waits for an answer that does not come, in ms; for one that comes it is far more than enough. */
const patience = 10_000;
const sum = { name: 'add', arguments: { a: 7, b: 9 } };

/** The official client with a `fetch` of its own: verified TLS and the loopback interface are all that is added. */
export async function officialVerdict({ host, path, port, reach }: ServerAddress): Promise<Verdict> {
  const connect = {
    ca: reach.caBundle,
    lookup: (
      _host: string,
      _options: unknown,
      done: (error: null, found: { address: string; family: number }[]) => void,
    ) => done(null, [{ address: '127.0.0.1', family: 4 }]),
  };
  const dispatcher = new Agent({ connect });
  const through = (input: string | URL, init?: RequestInit): Promise<Response> => {
    const at = new URL(input);
    if (at.host === host) at.port = String(port);
    // undici's own fetch takes a dispatcher; its types are those of the same standard.
    return undiciFetch(at, { ...(init as object), dispatcher }) as unknown as Promise<Response>;
  };
  const client = new Client({ name: 'official', version: '1' });
  const transport = new StreamableHTTPClientTransport(new URL(`https://${host}${path}`), { fetch: through });
  const options = { timeout: patience };
  let step = 'initialize';
  try {
    // The SDK's own type of a transport is narrower than its class under exactOptionalPropertyTypes.
    await client.connect(transport as Parameters<typeof client.connect>[0], options);
    step = 'list';
    let page = await client.listTools({}, options);
    while (page.nextCursor !== undefined) page = await client.listTools({ cursor: page.nextCursor }, options);
    step = 'call';
    const result = await client.callTool(sum, undefined, options);
    const text = textOf({ status: 200, message: { result }, headers: {}, text: '' });
    return text === undefined ? { came: 'call', told: JSON.stringify(result) } : { came: `ok ${text}`, told: '' };
  } catch (error) {
    return { came: step, told: messageOf(error) };
  } finally {
    await transport.terminateSession().catch(() => undefined);
    await client.close();
    await dispatcher.destroy();
  }
}

/** What action-smoke-test says of the same server. */
export async function ourVerdict({ host, path, reach }: ServerAddress): Promise<Verdict> {
  const web = openWeb(reach);
  const mcp = openMcp(web, { host, path, signal: AbortSignal.timeout(90_000) });
  let step = 'initialize';
  const judged = (answer: McpAnswer): Verdict => ({ came: step, told: toldOf(answer) });
  try {
    const opened = await mcp.initialize();
    if (resultOf(opened) === undefined) return judged(opened);
    step = 'list';
    const { answer: listed } = await mcp.listTools();
    if (resultOf(listed) === undefined) return judged(listed);
    step = 'call';
    const called = await mcp.callTool(sum.name, sum.arguments);
    const text = textOf(called);
    if (text !== undefined) return { came: `ok ${text}`, told: '' };
    const result = resultOf(called);
    return result === undefined ? judged(called) : { came: step, told: JSON.stringify(result) };
  } catch (error) {
    return { came: step, told: isRecord(error) || error instanceof Error ? messageOf(error) : String(error) };
  } finally {
    await mcp.close();
    web.close();
  }
}
