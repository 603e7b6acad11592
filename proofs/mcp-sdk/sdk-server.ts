import { randomUUID } from 'node:crypto';
import { createServer } from 'node:https';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { z } from 'zod';
import { type Listening, listenOnLoopback } from '../../lab/driver/loopback.js';
import { makeServerCertificate } from '../../lab/platform/certificate-authority.js';
import { openMcp, resultOf, textOf } from '../../shared/mcp/client.js';
import { openWeb } from '../../shared/platform/web.js';
import { direct } from '../../shared/proxy.js';
import type { Figures, ProofContext } from '../support/proof.js';

const host = 'mcp.example.org';

/** Calls a server that is made with the official SDK as action-smoke-test does, with answers as JSON and as streams. */
export async function ourClient({ expect }: ProofContext): Promise<Figures> {
  const figures: Figures = {};
  for (const form of ['JSON', 'event stream'] as const) {
    const { certificate, key } = await makeServerCertificate([host]);
    const { port, close } = await officialServer({ cert: certificate, key }, form === 'JSON');
    const overrides = [{ host, port: 443, address: '127.0.0.1', toPort: port }];
    const web = openWeb({ overrides, dnsServer: '', caBundle: certificate, proxies: direct });
    const mcp = openMcp(web, { host, path: '/mcp', signal: AbortSignal.timeout(30_000) });
    const opened = await mcp.initialize();
    const { tools } = await mcp.listTools();
    const sum = textOf(await mcp.callTool('add', { a: 7, b: 9 }));
    const failed = await mcp.callTool('fail', {});
    const unknown = await mcp.callTool('no-such-tool', {});
    await mcp.close();
    const isRight =
      resultOf(opened) !== undefined &&
      (opened.headers['mcp-session-id'] ?? '') !== '' &&
      tools.map(({ name }) => name).join() === 'add,fail' &&
      tools[0]?.required.join() === 'a,b' &&
      sum === '16' &&
      textOf(failed) === undefined &&
      textOf(unknown) === undefined;
    figures[form] = { tools: tools.length, add: sum, toolThatFails: textOf(failed) ?? 'seen as failed' };
    expect(isRight, `our client, ${form}: ${JSON.stringify({ opened, tools, sum, failed, unknown })}`);
    web.close();
    await close();
  }
  return figures;
}

async function officialServer(tls: { cert: string; key: string }, enableJsonResponse: boolean): Promise<Listening> {
  const mcp = new McpServer({ name: 'official', version: '1.0.0' });
  mcp.registerTool('add', { description: 'Adds', inputSchema: { a: z.number(), b: z.number() } }, ({ a, b }) => ({
    content: [{ type: 'text', text: String(a + b) }],
  }));
  mcp.registerTool('fail', { description: 'Fails' }, () => {
    throw new Error('it cannot');
  });
  const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: randomUUID, enableJsonResponse });
  // The SDK's own type of a transport is narrower than its class under exactOptionalPropertyTypes.
  await mcp.connect(transport as Parameters<typeof mcp.connect>[0]);
  const server = createServer(tls, (request, response) => {
    transport.handleRequest(request, response).catch(() => response.destroy());
  });
  const { port, close } = await listenOnLoopback(server);
  return {
    port,
    async close() {
      await mcp.close();
      await close();
    },
  };
}
