import { AsyncLocalStorage } from 'node:async_hooks';
import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import type { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { clipped, McprtError } from '../errors.js';
import { isRecord, parsedJson } from '../json.js';
import { type Web, type WebAnswer, WebError } from '../platform/web.js';
import { brokenRule } from './rules.js';
import { type Exchange, fetchThrough } from './transport.js';

/** What a server may list; time is in ms. A page has 4 MiB at most, as every answer has. */
const mostTools = { pages: 50, tools: 5_000, name: 256, characters: 1_000_000, time: 120_000 } as const;
/** Of an error that a server tells, in characters. */
const mostTold = 500;
/** For an answer, in ms: as long as the official client waits. */
const patience = 60_000;

/** The headers by which the platform's gateway knows who calls a tool. */
export const identityHeaders = {
  human: 'x-mcp-human-id',
  agent: 'x-mcp-agent-id',
  team: 'x-mcp-team-id',
  session: 'x-mcp-agent-session',
} as const;

/** An answer of an MCP server or of the gateway before it. */
export interface McpAnswer {
  status: number;
  /** The message of JSON-RPC that answers the request, or the gateway's refusal; undefined when it is neither. */
  message: Record<string, unknown> | undefined;
  headers: Readonly<Record<string, string>>;
  /** The body's beginning, for an error. */
  text: string;
  /** The rule of the protocol that the answer breaks. */
  broken?: string;
}

export interface McpTool {
  name: string;
  /** Names of the arguments that it must have. */
  required: string[];
}

/** A conversation with an MCP server over Streamable HTTP, as the official client leads it. */
export interface Mcp {
  /** Opens a session, where the server has such a thing; `message.result.serverInfo` says who it is. */
  initialize(): Promise<McpAnswer>;
  /** All pages of the tools; the failing page's answer otherwise. @throws McprtError `smoke-tools-endless` */
  listTools(): Promise<{ answer: McpAnswer; tools: McpTool[] }>;
  callTool(
    name: string,
    args: Readonly<Record<string, unknown>>,
    headers?: Readonly<Record<string, string>>,
  ): Promise<McpAnswer>;
  /** Any body, for what a well-behaved client never sends. */
  post(body: string, headers?: Readonly<Record<string, string>>): Promise<McpAnswer>;
  /** Ends the session, where the server has such a thing. */
  close(): Promise<void>;
}

export interface McpOptions {
  host: string;
  path: string;
  signal: AbortSignal;
  /** Who calls, with every request. */
  headers?: Readonly<Record<string, string>>;
}

/**
 * Tells one MCP server what it is asked. The conversation is the official SDK's, so that a server is judged as its users'
 * clients judge it; each request goes our way, and what came is kept, to tell of a refusal, or which rule was broken.
 * Nothing is connected before the first call.
 *
 * @throws WebError
 */
export function openMcp(web: Web, { host, path, signal, headers = {} }: McpOptions): Mcp {
  const exchanges = new AsyncLocalStorage<Exchange>();
  const fetch = fetchThrough(web, { host, signal, exchanges, patience });
  let open: { client: Client; transport: StreamableHTTPClientTransport } | undefined;

  const tell = async (
    ask: (client: Client, options: { signal: AbortSignal; timeout: number }) => Promise<Record<string, unknown>>,
    more: Readonly<Record<string, string>> = {},
  ): Promise<McpAnswer> => {
    if (open === undefined) throw new Error('a conversation begins with initialize');
    const { client } = open;
    const ended = Promise.withResolvers<never>();
    const exchange: Exchange = {
      headers: { ...headers, ...more },
      asked: 0,
      bodies: [],
      isOver: false,
      fail: ended.reject,
    };
    try {
      const work = exchanges.run(exchange, () => ask(client, { signal, timeout: patience }));
      return answerOf(exchange, await Promise.race([work, ended.promise]));
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof WebError || error instanceof McprtError) throw error;
      return failureOf(exchange, error);
    } finally {
      exchange.isOver = true;
      clearTimeout(exchange.judgement);
      for (const body of exchange.bodies) body.destroy();
    }
  };

  return {
    async initialize() {
      await open?.client.close();
      const { Client, StreamableHTTPClientTransport } = await import('./official-client.js');
      const client = new Client(
        { name: 'mcprt', version: '1' },
        // Schemas are the server's own: what is in an answer is not held against a pattern that may never end.
        {
          jsonSchemaValidator: {
            getValidator: () => (data) => ({ valid: true, data: data as never, errorMessage: undefined }),
          },
        },
      );
      const transport = new StreamableHTTPClientTransport(new URL(`https://${host}${path}`), { fetch });
      client.onerror = (error) => {
        if (error.message.startsWith('Maximum reconnection')) exchanges.getStore()?.fail(error);
      };
      transport.onmessage = (message) => {
        const exchange = exchanges.getStore();
        if (exchange === undefined || !('error' in message)) return;
        const { code, message: text } = message.error;
        exchange.error = { code, message: text };
      };
      open = { client, transport };
      return tell(async (_client, options) => {
        await client.connect(transport as Parameters<typeof client.connect>[0], options);
        return { serverInfo: client.getServerVersion(), capabilities: client.getServerCapabilities() };
      });
    },
    async listTools() {
      const tools: McpTool[] = [];
      const end = performance.now() + mostTools.time;
      let characters = 0;
      for (let [cursor, pages]: [string | undefined, number] = [undefined, 0]; ; pages += 1) {
        if (pages >= mostTools.pages || performance.now() > end) throw endless(tools.length);
        const asked = cursor === undefined ? {} : { cursor };
        const answer = await tell((client, options) => client.listTools(asked, options));
        const result = resultOf(answer);
        if (result === undefined) return { answer, tools };
        for (const tool of (Array.isArray(result.tools) ? result.tools : []).flatMap(toolOf)) {
          characters += tool.name.length + tool.required.join('').length;
          if (tools.length >= mostTools.tools || characters > mostTools.characters) throw endless(tools.length);
          tools.push(tool);
        }
        const next = typeof result.nextCursor === 'string' ? result.nextCursor : '';
        // A server that gives the same page again would do so for ever.
        if (next === '' || next === cursor) return { answer, tools };
        cursor = next;
      }
    },
    callTool: (name, args, more) =>
      tell((client, options) => client.callTool({ name, arguments: { ...args } }, undefined, options), more),
    async post(body, more = {}) {
      const session = open?.transport.sessionId;
      const own = {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...(session !== undefined && { 'mcp-session-id': session }),
        ...headers,
        ...more,
      };
      return bareAnswer(await web.ask({ method: 'POST', host, path, headers: own, body, signal }));
    },
    async close() {
      if (open === undefined) return;
      const { client, transport } = open;
      open = undefined;
      const exchange: Exchange = { headers, asked: 0, bodies: [], isOver: false, fail: () => undefined };
      // Servers without such a thing answer 405: nothing hangs on it.
      await exchanges.run(exchange, () => transport.terminateSession()).catch(() => undefined);
      for (const body of exchange.bodies) body.destroy();
      await client.close();
    },
  };
}

/** The result of a call; undefined when there is none, but an error or a refusal. */
export function resultOf({ status, message }: McpAnswer): Record<string, unknown> | undefined {
  return status === 200 && message !== undefined && isRecord(message.result) ? message.result : undefined;
}

/**
 * What a tool gave, as text: its first text, or its structured content; empty where it gave neither, as a tool may.
 * Undefined when there is no result, or one that says that the tool failed.
 */
export function textOf(answer: McpAnswer): string | undefined {
  const result = resultOf(answer);
  if (result === undefined || result.isError === true) return undefined;
  const content = Array.isArray(result.content) ? result.content : [];
  const text: unknown = content.find((one) => isRecord(one) && one.type === 'text')?.text;
  if (typeof text === 'string') return text;
  return isRecord(result.structuredContent) ? JSON.stringify(result.structuredContent) : '';
}

/** Why the gateway let a request not through; empty when it is no refusal of its. */
export function refusalOf({ status, message }: McpAnswer): string {
  const isRefused = status === 401 || status === 403 || status === 503;
  return isRefused && typeof message?.error === 'string' ? message.error : '';
}

/** An answer in a line, for an error. */
export function toldOf(answer: McpAnswer): string {
  const error = isRecord(answer.message?.error) ? JSON.stringify(answer.message.error) : refusalOf(answer);
  const said = clipped(error, mostTold) || answer.text;
  const told = [answer.broken, said].filter((part) => part !== undefined && part !== '');
  return `${answer.status} ${told.join(': ')}`.trim();
}

function answerOf({ raw }: Exchange, result: Record<string, unknown>): McpAnswer {
  return { status: 200, headers: raw?.headers ?? {}, message: { result }, text: '' };
}

/** What came instead of a result: the server's own error, a refusal, or an answer that is none. */
function failureOf({ raw, error: theirs }: Exchange, error: unknown): McpAnswer {
  const { status = 0, headers = {}, text = '' } = raw ?? {};
  const bare = bareAnswer({ status, headers, text, ms: 0 });
  // Of another request's error the client knows nothing, and fails in its own words.
  const isTheirs = theirs !== undefined && error instanceof Error && 'code' in error && error.code === theirs.code;
  if (isTheirs) return { ...bare, message: { error: theirs } };
  if (status >= 400) return bare;
  // What the client did not take is no answer, whatever stands in it.
  return { ...bare, message: undefined, broken: brokenRule({ status, headers, text }, error) };
}

function bareAnswer({ status, headers, text }: WebAnswer): McpAnswer {
  const value = parsedJson(text);
  const message = isRecord(value) ? value : undefined;
  return { status, headers, message, text: text.replace(/\s+/g, ' ').trim().slice(0, 200) };
}

function endless(seen: number): McprtError {
  return new McprtError('smoke-tools-endless', {
    what: 'the server’s list of tools does not end',
    why: `${seen} tools were read, in ${mostTools.pages} pages and ${mostTools.time / 1000} s at most`,
    next: 'look at the server’s `tools/list`: each page must have another `nextCursor`, and the last one none',
  });
}

function toolOf(tool: unknown): McpTool[] {
  if (!isRecord(tool) || typeof tool.name !== 'string') return [];
  const required = isRecord(tool.inputSchema) ? tool.inputSchema.required : undefined;
  const names = Array.isArray(required) ? required.slice(0, 100).filter((one) => typeof one === 'string') : [];
  return [{ name: tool.name.slice(0, mostTools.name), required: names.map((one) => one.slice(0, mostTools.name)) }];
}
