import { buffer } from 'node:stream/consumers';
import { McprtError, messageOf } from '../errors.js';
import { loadTar } from '../tar.js';
import { limits } from './limits.js';
import { malformed } from './statement.js';

/** The two members of a stored backup. */
export interface Archive {
  /** DSSE envelope of the signed statement. */
  statement: Buffer;
  /** The age file. */
  payload: Buffer;
}

const names = { statement: 'statement.dsse.json', payload: 'payload.age' } as const;

/** Packs a backup into a tar file; the same content gives the same bytes. */
export async function packArchive(archive: Archive): Promise<Buffer> {
  const { pack } = await loadTar();
  const tar = pack();
  const header = { mode: 0o600, mtime: new Date(0), uid: 0, gid: 0 };
  tar.entry({ ...header, name: names.statement }, archive.statement);
  tar.entry({ ...header, name: names.payload }, archive.payload);
  tar.finalize();
  return buffer(tar);
}

/**
 * Reads a backup's members in memory. Nothing is ever written to disk under a name that an archive chose.
 *
 * @throws McprtError `backup-malformed`
 */
export async function unpackArchive(bytes: Buffer): Promise<Archive> {
  if (bytes.length > limits.archiveBytes) {
    throw malformed(`it has ${bytes.length} bytes, more than any backup`);
  }
  const found = await readTar(bytes, Object.values(names));
  const [statement, payload] = [found.get(names.statement), found.get(names.payload)];
  if (!statement || !payload) {
    throw malformed(`${statement ? names.payload : names.statement} is missing in it`);
  }
  // A tar file has room that no checksum covers; with one form only, every changed byte is noticed.
  if (!(await packArchive({ statement, payload })).equals(bytes)) {
    throw malformed('the archive is not packed as mcprt packs it: bytes were changed, added or cut off');
  }
  return { statement, payload };
}

/**
 * The wanted plain files of a tar file, by name.
 *
 * @throws McprtError `backup-malformed` for a damaged file, a wanted name that is a link or comes twice, or a foreign entry
 */
export async function readTar(bytes: Buffer, wanted: readonly string[]): Promise<Map<string, Buffer>> {
  const { extract } = await loadTar();
  const tar = extract();
  const found = new Map<string, Buffer>();
  const reading = (async () => {
    for await (const entry of tar) {
      const { name, type } = entry.header;
      if (type !== 'file' || !wanted.includes(name) || found.has(name)) {
        throw malformed(`it holds an entry that no backup has: ${type} ${JSON.stringify(name.slice(0, 80))}`);
      }
      found.set(name, await buffer(entry));
    }
  })();
  tar.end(bytes);
  try {
    await reading;
  } catch (error) {
    throw error instanceof McprtError ? error : malformed(`the archive is damaged: ${messageOf(error).slice(0, 60)}`);
  }
  return found;
}
