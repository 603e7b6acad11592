import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';

/** The tools that the example's metadata declares. */
const tools = [
  ...['aaa-ping', 'echo', 'add', 'lower'].map((name) => ({ name, requiredTrust: 'low', sideEffect: 'read' })),
  { name: 'upper', requiredTrust: 'medium', sideEffect: 'read' },
  { name: 'slugify', requiredTrust: 'low', sideEffect: 'read' },
  { name: 'create_task', requiredTrust: 'low', sideEffect: 'write' },
  { name: 'draft_release_note', requiredTrust: 'low', sideEffect: 'read' },
];

/**
 * Writes the source of an MCP server, as the platform's examples have it: metadata and a Dockerfile. The image is empty;
 * its labels say how the gateway's stand-in makes it behave.
 */
export async function writeExampleServer(folder: string): Promise<void> {
  await mkdir(join(folder, '.mcp'), { recursive: true });
  const metadata = {
    version: 'v1',
    servers: [{ name: 'workspace-assistant-mcp', description: 'Small tools for a workspace', port: 8088, tools }],
  };
  const dockerfile = [
    'FROM scratch',
    'COPY .mcp/servers.yaml /servers.yaml',
    'LABEL lab.mcprt.dev/mcp=workspace-assistant',
    '',
  ];
  await Promise.all([
    writeFile(join(folder, '.mcp', 'servers.yaml'), stringify(metadata)),
    writeFile(join(folder, 'Dockerfile'), dockerfile.join('\n')),
  ]);
}
