import { createParser } from 'eventsource-parser';
import { clipped, McprtError } from '../errors.js';
import { isRecord, parsedJson } from '../json.js';
import type { Web, WebAnswer } from '../platform/web.js';

/** The protocol that is spoken, and what is asked for; servers may answer with an older one. */
const protocolVersion = '2025-03-26';

/** What a server may list; time is in ms. A page has 4 MiB at most, as every answer has. */
const mostTools = { pages: 50, tools: 5_000, name: 256, characters: 1_000_000, time: 120_000 } as const;
/** Of an error that a server tells, in characters. */
const mostTold = 500;

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
}

export interface McpTool {
  name: string;
  /** Names of the arguments that it must have. */
  required: string[];
}

/** A conversation with an MCP server over Streamable HTTP. */
export interface Mcp {
  /** Opens a session; the answer's `message.result.serverInfo` says who it is. */
  initialize(): Promise<McpAnswer>;
  initialized(): Promise<McpAnswer>;
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

/** Tells one MCP server what it is asked. Nothing is connected before the first call. @throws WebError */
export function openMcp(web: Web, { host, path, signal, headers = {} }: McpOptions): Mcp {
  let session = '';
  let spoken = '';
  let id = 0;
  const post = async (
    body: string,
    more: Readonly<Record<string, string>> = {},
    wanted?: number,
  ): Promise<McpAnswer> => {
    const answer = await web.ask({
      method: 'POST',
      host,
      path,
      headers: {
        'content-type': 'application/json',
        // Both, as the protocol wants: a server may answer with either.
        accept: 'application/json, text/event-stream',
        ...(session === '' ? {} : { 'mcp-session-id': session }),
        ...(spoken === '' ? {} : { 'mcp-protocol-version': spoken }),
        ...headers,
        ...more,
      },
      body,
      signal,
    });
    return readAnswer(answer, wanted);
  };
  const request = (method: string, params: unknown, more?: Readonly<Record<string, string>>): Promise<McpAnswer> => {
    id += 1;
    return post(JSON.stringify({ jsonrpc: '2.0', id, method, params }), more, id);
  };
  return {
    async initialize() {
      [session, spoken] = ['', ''];
      const answer = await request('initialize', {
        protocolVersion,
        capabilities: {},
        clientInfo: { name: 'mcprt', version: '1' },
      });
      const result = resultOf(answer);
      if (result !== undefined) {
        session = headerValue(answer.headers['mcp-session-id']);
        spoken = headerValue(result.protocolVersion);
      }
      return answer;
    },
    initialized: () => post(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' })),
    async listTools() {
      const tools: McpTool[] = [];
      const end = performance.now() + mostTools.time;
      let characters = 0;
      for (let [cursor, pages]: [string | undefined, number] = [undefined, 0]; ; pages += 1) {
        if (pages >= mostTools.pages || performance.now() > end) throw endless(tools.length);
        const answer = await request('tools/list', cursor === undefined ? {} : { cursor });
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
    callTool: (name, args, more) => request('tools/call', { name, arguments: args }, more),
    post,
    async close() {
      if (session === '') return;
      const end = { 'mcp-session-id': session, ...headers };
      // Servers without such a thing answer 405: nothing hangs on it.
      await web.ask({ method: 'DELETE', host, path, headers: end, signal, deadline: 5_000 }).catch(() => undefined);
    },
  };
}

/** The result of a call; undefined when there is none, but an error or a refusal. */
export function resultOf({ status, message }: McpAnswer): Record<string, unknown> | undefined {
  return status === 200 && message !== undefined && isRecord(message.result) ? message.result : undefined;
}

/** The text that a tool gave; undefined when it gave none, or says that it failed. */
export function textOf(answer: McpAnswer): string | undefined {
  const result = resultOf(answer);
  if (result === undefined || result.isError === true || !Array.isArray(result.content)) return undefined;
  const [first] = result.content;
  return isRecord(first) && typeof first.text === 'string' ? first.text : undefined;
}

/** Why the gateway let a request not through; empty when it is no refusal of its. */
export function refusalOf({ status, message }: McpAnswer): string {
  const isRefused = status === 401 || status === 403 || status === 503;
  return isRefused && typeof message?.error === 'string' ? message.error : '';
}

/** An answer in a line, for an error. */
export function toldOf(answer: McpAnswer): string {
  const error = isRecord(answer.message?.error) ? JSON.stringify(answer.message.error) : refusalOf(answer);
  return `${answer.status} ${clipped(error, mostTold) || answer.text}`.trim();
}

/** What a server says that is sent back to it in a header: what no header can have is none. */
function headerValue(told: unknown): string {
  return typeof told === 'string' && /^[\x21-\x7e]{1,1024}$/.test(told) ? told : '';
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

function readAnswer({ status, headers, text }: WebAnswer, wanted: number | undefined): McpAnswer {
  const isStream = (headers['content-type'] ?? '').includes('text/event-stream');
  const messages = isStream ? eventsOf(text) : [text].flatMap(parsed);
  const message =
    messages.find((one) => wanted === undefined || one.id === wanted) ?? (isStream ? undefined : messages[0]);
  return { status, headers, message, text: text.replace(/\s+/g, ' ').trim().slice(0, 200) };
}

function eventsOf(text: string): Record<string, unknown>[] {
  const found: Record<string, unknown>[] = [];
  const parser = createParser({ onEvent: ({ data }) => found.push(...parsed(data)) });
  parser.feed(text.endsWith('\n\n') ? text : `${text}\n\n`);
  return found;
}

function parsed(text: string): Record<string, unknown>[] {
  const value = parsedJson(text);
  return isRecord(value) ? [value] : [];
}
