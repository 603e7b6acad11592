import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { McprtError, messageOf } from '../../shared/errors.js';
import { MetadataError, readServersFile, type ServerMetadata } from '../../shared/platform/servers-file.js';
import type { SmokeInputs } from './inputs.js';

/** The metadata of the server that the inputs name. @throws McprtError `smoke-metadata`, MetadataError */
export async function readMetadata(
  inputs: SmokeInputs,
  isForeign: boolean,
  errors: MetadataError[],
): Promise<ServerMetadata> {
  const file = inputs.metadata || join(inputs.source, '.mcp', 'servers.yaml');
  const text = await textAtMost(file, longestMetadata).catch((cause: unknown) => {
    throw new McprtError('smoke-metadata', {
      what: `${file} cannot be read`,
      why: messageOf(cause),
      next: 'correct `source` or `metadata`; `mcp-runtime server init` makes the file',
      cause,
    });
  });
  try {
    return readServersFile(text, { file, wanted: inputs.server, isForeign });
  } catch (error) {
    if (error instanceof MetadataError) errors.push(error);
    throw error;
  }
}

/** A larger file is refused by its beginning. In bytes. */
const longestMetadata = 2 * 1024 * 1024;

/** The beginning of a file. A pipe or a device has no size that could be asked for, and no end. */
async function textAtMost(file: string, most: number): Promise<string> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read({ buffer: Buffer.alloc(most), length: most, position: 0 });
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await handle.close();
  }
}
