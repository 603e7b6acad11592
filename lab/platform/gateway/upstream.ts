import { randomBytes } from 'node:crypto';
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js';
import { CallToolRequestSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { at, textAt } from '../../../shared/cluster/fields.js';
import { messageOf } from '../../../shared/errors.js';
import { workspaceTools } from './tools.js';

/** An MCP server in one pod, as its image's labels say that it behaves. */
export interface Upstream {
  /** @param body what the request's body holds */
  handle(request: Request, body: unknown): Promise<Response>;
  close(): Promise<void>;
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const label = (name: string): string => `lab.mcprt.dev/${name}`;

/**
 * An MCP server with the official SDK, over streamable HTTP with JSON answers. Labels of the image:
 *   mcp        `workspace-assistant`: the example's tools; without it the container speaks no MCP
 *   mcp-break  `add`: a wrong sum; `tools`: the last tool is missing; `error`: every call of a tool fails
 *   version    what the server says its version is
 */
export function makeUpstream(name: string, labels: Readonly<Record<string, string>>): Upstream {
  const sessions = new Map<string, { server: Server; transport: WebStandardStreamableHTTPServerTransport }>();
  const open = async (): Promise<WebStandardStreamableHTTPServerTransport> => {
    const server = makeServer(name, labels);
    const transport = new WebStandardStreamableHTTPServerTransport({
      enableJsonResponse: true,
      sessionIdGenerator: sessionId,
      onsessioninitialized: (id) => void sessions.set(id, { server, transport }),
      onsessionclosed: (id) => void sessions.delete(id),
    });
    await server.connect(transport);
    return transport;
  };
  return {
    async handle(request, body) {
      if (labels[label('mcp')] !== 'workspace-assistant') return new Response('404 page not found\n', { status: 404 });
      const id = request.headers.get('mcp-session-id') ?? '';
      const found = sessions.get(id)?.transport;
      if (found !== undefined) return found.handleRequest(request, { parsedBody: body });
      if (id !== '') return new Response('session not found\n', { status: 404 });
      const method = textAt(body, 'method');
      if (method === 'initialize') return (await open()).handleRequest(request, { parsedBody: body });
      if (method === 'ping') return Response.json({ jsonrpc: '2.0', id: at(body, 'id'), result: {} });
      const message = `method ${JSON.stringify(method)} is invalid during session initialization`;
      return Response.json({ jsonrpc: '2.0', id: at(body, 'id') ?? null, error: { code: 0, message } });
    },
    async close() {
      await Promise.all([...sessions.values()].map(({ server }) => server.close()));
    },
  };
}

function makeServer(name: string, labels: Readonly<Record<string, string>>): Server {
  const broken = labels[label('mcp-break')];
  const tools = broken === 'tools' ? workspaceTools.slice(0, -1) : workspaceTools;
  const server = new Server({ name, version: labels[label('version')] ?? '0.0.0' }, { capabilities: { tools: {} } });
  server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: tools.map(({ run: _, ...told }) => told) }));
  server.setRequestHandler(CallToolRequestSchema, ({ params }) => {
    const text = (content: string, isError: boolean) => ({
      content: [{ type: 'text' as const, text: content }],
      ...(isError ? { isError } : {}),
    });
    const tool = tools.find((one) => one.name === params.name);
    if (tool === undefined) throw new Error(`unknown tool ${JSON.stringify(params.name)}`);
    if (broken === 'error') return text('the tool failed', true);
    try {
      const answer = tool.run(params.arguments ?? {});
      return text(broken === 'add' && tool.name === 'add' ? String(Number(answer) + 1) : answer, false);
    } catch (error) {
      return text(messageOf(error), true);
    }
  });
  return server;
}

/** 26 characters, as Go's `rand.Text`. */
function sessionId(): string {
  return [...randomBytes(26)].map((byte) => alphabet[byte % alphabet.length]).join('');
}
