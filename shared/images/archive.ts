import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { text as readText } from 'node:stream/consumers';
import { extract } from 'tar-stream';
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
    throw broken(file, `it is no tar archive: ${messageOf(cause)}`);
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
  return { file, size, platform: `${String(config.os ?? 'linux')}/${config.architecture}` };
}

async function smallDocuments(file: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const entries = extract();
  // Unlike a pipe it passes on that the file cannot be read: the loop throws it.
  pipeline(createReadStream(file), entries, () => undefined);
  for await (const entry of entries) {
    const { name, size = 0, type } = entry.header;
    if (type === 'file' && size <= longestJson) found.set(name.replace(/^\.\//, ''), await readText(entry));
    else entry.resume();
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
