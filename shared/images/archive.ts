import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { extract } from 'tar-stream';
import { readAtMost } from '../bounded.js';
import { McprtError, messageOf } from '../errors.js';
import { isRecord, parsedJson } from '../json.js';

/** An image in a file, as `docker save` writes it. */
export interface ImageArchive {
  file: string;
  /** In bytes. */
  size: number;
  /** `os/architecture`. */
  platform: string;
}

/** A configuration or manifest is a few KiB; what is larger is a layer. */
const longestJson = 1024 * 1024;
/** Of a whole archive: an image has a member for each layer, and some. Names are counted in characters, time is in ms. */
const most = { members: 10_000, documents: 2_000, bytes: 8 * 1024 * 1024, time: 300_000 } as const;

/**
 * Looks into an image archive. Layers are passed over, and nothing is unpacked.
 *
 * @throws McprtError `image-archive`
 */
export async function readImageArchive(file: string): Promise<ImageArchive> {
  const size = await stat(file).then(
    (found) => found.size,
    (cause: unknown) => {
      throw broken(file, messageOf(cause));
    },
  );
  const documents = await smallDocuments(file).catch((cause: unknown) => {
    throw cause instanceof McprtError ? cause : broken(file, `it is no tar archive: ${messageOf(cause)}`);
  });
  const manifest = parsedJson(documents.get('manifest.json') ?? '');
  if (!Array.isArray(manifest)) throw broken(file, 'it has no manifest.json: it is not as `docker save` writes it');
  if (manifest.length !== 1) throw broken(file, `it holds ${manifest.length} images, and one is wanted`);
  const [image] = manifest;
  const path = isRecord(image) && typeof image.Config === 'string' ? image.Config : '';
  const config = parsedJson(documents.get(path) ?? '');
  if (!isRecord(config) || typeof config.architecture !== 'string') {
    throw broken(file, `its image has no configuration (${path || 'none named'})`);
  }
  return { file, size, platform: `${String(config.os ?? 'linux')}/${config.architecture}`.slice(0, 100) };
}

/** What is kept is what may be JSON, and not more of it than an image has: layers are passed over. */
async function smallDocuments(file: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const entries = extract();
  // Unlike a pipe it passes on that the file cannot be read: the loop throws it.
  pipeline(createReadStream(file), entries, () => undefined);
  const end = performance.now() + most.time;
  let [members, bytes] = [0, 0];
  for await (const entry of entries) {
    const { name, size = 0, type } = entry.header;
    members += 1;
    if (members > most.members || performance.now() > end) {
      throw broken(file, `it has more than ${most.members} files, or takes longer than ${most.time / 1000} s to read`);
    }
    if (type !== 'file' || size > longestJson) {
      entry.resume();
      continue;
    }
    const content = await readAtMost(entry as AsyncIterable<Uint8Array>, longestJson, () =>
      broken(file, 'a file in it is longer than it says'),
    );
    // Small layers are no text, and blobs of JSON begin as such.
    if (!/^\s{0,16}[[{]/.test(content.toString('latin1', 0, 32))) continue;
    bytes += content.length;
    if (found.size >= most.documents || bytes > most.bytes) {
      throw broken(file, `it has more than ${most.documents} small files, or more than ${most.bytes} bytes of them`);
    }
    found.set(name.replace(/^\.\//, ''), content.toString('utf8'));
  }
  return found;
}

function broken(file: string, why: string): McprtError {
  return new McprtError('image-archive', {
    what: `${file} is no image archive`,
    why,
    next: 'write one image with `docker save --output image.tar IMAGE`, or `docker buildx build --output type=docker,dest=image.tar`',
  });
}
