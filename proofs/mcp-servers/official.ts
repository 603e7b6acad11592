import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { z } from 'zod';

/** A way in which the official TypeScript SDK lets servers be made. */
export interface OfficialServer {
  name: string;
  hasSessions: boolean;
  /** Answers as JSON; as events otherwise. */
  isJson: boolean;
}

export const officialServers: readonly OfficialServer[] = [
  { name: 'TypeScript SDK: sessions, events', hasSessions: true, isJson: false },
  { name: 'TypeScript SDK: sessions, JSON', hasSessions: true, isJson: true },
  { name: 'TypeScript SDK: no sessions, events', hasSessions: false, isJson: false },
  { name: 'TypeScript SDK: no sessions, JSON', hasSessions: false, isJson: true },
];

/** Answers requests with servers of the SDK: one for each session, or for each request where there are none. */
export function officialHandler({ hasSessions, isJson }: OfficialServer): {
  handle(request: IncomingMessage, response: ServerResponse): void;
  close(): Promise<void>;
} {
  const sessions = new Map<string, StreamableHTTPServerTransport>();
  const made: McpServer[] = [];
  const open = async (): Promise<StreamableHTTPServerTransport> => {
    const transport = new StreamableHTTPServerTransport({
      enableJsonResponse: isJson,
      ...(hasSessions && {
        sessionIdGenerator: randomUUID,
        onsessioninitialized: (id: string) => void sessions.set(id, transport),
      }),
    });
    const server = adder();
    made.push(server);
    // The SDK's own type of a transport is narrower than its class under exactOptionalPropertyTypes.
    await server.connect(transport as Parameters<typeof server.connect>[0]);
    return transport;
  };
  return {
    handle(request, response) {
      const known = sessions.get(String(request.headers['mcp-session-id'] ?? ''));
      (known === undefined ? open() : Promise.resolve(known))
        .then((transport) => transport.handleRequest(request, response))
        .catch(() => response.destroy());
    },
    close: async () => void (await Promise.all(made.map((server) => server.close()))),
  };
}

function adder(): McpServer {
  const server = new McpServer({ name: 'official', version: '1.0.0' });
  const number = z.number();
  server.registerTool(
    'add',
    { description: 'Adds', inputSchema: { a: number, b: number }, outputSchema: { sum: number } },
    ({ a, b }) => ({ content: [{ type: 'text', text: String(a + b) }], structuredContent: { sum: a + b } }),
  );
  return server;
}
