import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { McprtError, messageOf } from '../errors.js';
import { isRecord, parsedJson } from '../json.js';
import { loadTar } from '../tar.js';

/** An image in a file, as `docker save` writes it. */
export interface ImageArchive {
  file: string;
  /** In bytes. */
  size: number;
  /** `os/architecture`. */
  platform: string;
}

/** A file in an archive. */
export interface Member {
  /** In bytes. */
  size: number;
  /** Its first bytes. */
  head: Buffer;
  /** Another member whose content it has; empty for none. */
  link: string;
}

/** What is in an archive, without its layers. */
export interface ArchiveIndex {
  members: ReadonlyMap<string, Member>;
  /** What may be JSON, by the name of the member. */
  documents: ReadonlyMap<string, Buffer>;
}

/** A configuration or manifest is a few KiB; what is larger is a layer. */
const longestJson = 1024 * 1024;
const headLength = 4;
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
      throw brokenArchive(file, messageOf(cause));
    },
  );
  const { documents } = await indexOf(file);
  const manifest = parsedJson(textOf(documents, 'manifest.json'));
  if (!Array.isArray(manifest))
    throw brokenArchive(file, 'it has no manifest.json: it is not as `docker save` writes it');
  if (manifest.length !== 1) throw brokenArchive(file, `it holds ${manifest.length} images, and one is wanted`);
  const [image] = manifest;
  const path = isRecord(image) && typeof image.Config === 'string' ? image.Config : '';
  const config = parsedJson(textOf(documents, path));
  if (!isRecord(config) || typeof config.architecture !== 'string') {
    throw brokenArchive(file, `its image has no configuration (${path || 'none named'})`);
  }
  return { file, size, platform: `${String(config.os ?? 'linux')}/${config.architecture}`.slice(0, 100) };
}

/** A document of an archive as text; empty where there is none. */
export function textOf(documents: ArchiveIndex['documents'], name: string): string {
  return documents.get(name)?.toString('utf8') ?? '';
}

/** The name of a member, without the `./` that some programs begin it with. */
export function nameOf(name: string): string {
  return name.replace(/^\.\//, '');
}

/** Says what there is in an archive. @throws McprtError `image-archive` */
export function indexOf(file: string): Promise<ArchiveIndex> {
  return readIndex(file).catch((cause: unknown) => {
    throw cause instanceof McprtError ? cause : brokenArchive(file, `it is no tar archive: ${messageOf(cause)}`);
  });
}

/** What is kept is what may be JSON, and not more of it than an image has: layers are passed over. */
async function readIndex(file: string): Promise<ArchiveIndex> {
  const [members, documents] = [new Map<string, Member>(), new Map<string, Buffer>()];
  const entries = (await loadTar()).extract();
  // Unlike a pipe it passes on that the file cannot be read: the loop throws it.
  pipeline(createReadStream(file), entries, () => undefined);
  const end = performance.now() + most.time;
  let [count, bytes] = [0, 0];
  for await (const entry of entries) {
    const { name, size = 0, type, linkname } = entry.header;
    count += 1;
    if (count > most.members || performance.now() > end) {
      throw brokenArchive(
        file,
        `it has more than ${most.members} files, or takes longer than ${most.time / 1000} s to read`,
      );
    }
    const content = await beginningOf(entry as AsyncIterable<Buffer>, size <= longestJson ? longestJson : headLength);
    const [own, head] = [nameOf(name), content.subarray(0, headLength)];
    members.set(own, { size, head: Buffer.from(head), link: linkOf(own, type, linkname ?? '') });
    // Small layers are no text, and blobs of JSON begin as such.
    if (type !== 'file' || size > longestJson || !/^\s{0,16}[[{]/.test(content.toString('latin1', 0, 32))) continue;
    bytes += content.length;
    if (documents.size >= most.documents || bytes > most.bytes) {
      throw brokenArchive(
        file,
        `it has more than ${most.documents} small files, or more than ${most.bytes} bytes of them`,
      );
    }
    documents.set(own, content);
  }
  return { members, documents };
}

/** The first bytes of a stream, which is read to its end. */
async function beginningOf(stream: AsyncIterable<Buffer>, length: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let left = length;
  for await (const chunk of stream) {
    if (left <= 0) continue;
    chunks.push(chunk.subarray(0, left));
    left -= chunk.length;
  }
  return Buffer.concat(chunks);
}

/** `docker save` writes a layer that is there twice as a link to the first one. */
function linkOf(name: string, type: string | null | undefined, target: string): string {
  if (type === 'link') return nameOf(target);
  return type === 'symlink' ? new URL(target, `archive:///${name}`).pathname.slice(1) : '';
}

/** @param why in words */
export function brokenArchive(file: string, why: string): McprtError {
  return new McprtError('image-archive', {
    what: `${file} is no image archive`,
    why,
    next: 'write one image with `docker save --output image.tar IMAGE`, or `docker buildx build --output type=docker,dest=image.tar`',
  });
}
