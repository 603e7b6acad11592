import { at, recordsAt, textAt } from '../cluster/fields.js';
import { isRecord, parsedJson } from '../json.js';
import { type ArchiveIndex, brokenArchive, type Member, textOf } from './archive.js';
import { digestOf } from './digest.js';

/** An image as an archive has it. */
export interface ArchivedImage {
  /** The very bytes, whose digest is the image's id. */
  config: Buffer;
  /** From the lowest one. */
  layers: readonly ArchivedLayer[];
}

export interface ArchivedLayer {
  /** Name in the archive. */
  member: string;
  /** Digest of the layer when it is not compressed. */
  diffId: string;
  compression: Compression;
  /** Digest that the archive has it by; empty where its name is none. */
  digest: string;
  /** In bytes, as it is in the archive. */
  size: number;
}

export type Compression = 'none' | 'gzip' | 'zstd';

/** Docker makes 127 layers at most. */
const mostLayers = 500;
/** Of indexes in indexes, and of what all of them name. */
const [deepest, mostManifests] = [4, 200];
const digestForm = /^sha256:[0-9a-f]{64}$/;
const attestation = 'attestation-manifest';

/**
 * The one image of an archive: as its manifest.json says, which `docker save` writes with either of its stores, or else its
 * index.json.
 *
 * @throws McprtError `image-archive`
 */
export function imageIn(file: string, index: ArchiveIndex): ArchivedImage {
  const { config: name, layers: names } = byManifest(file, index) ?? byIndex(file, index);
  const config = index.documents.get(name);
  if (config === undefined) throw brokenArchive(file, `its image has no configuration (${name || 'none named'})`);
  requireDigest(file, name, config);
  const said = at(parsedJson(config.toString('utf8')), 'rootfs', 'diff_ids');
  const diffIds = Array.isArray(said) ? said.map(String) : [];
  if (diffIds.length !== names.length || names.length > mostLayers || !diffIds.every((one) => digestForm.test(one))) {
    throw brokenArchive(file, `its configuration tells of ${diffIds.length} layers, and it names ${names.length}`);
  }
  const layers = names.map((layer, place): ArchivedLayer => {
    const [member, { head, size }] = memberOf(file, layer, index);
    return { member, diffId: diffIds[place] ?? '', compression: compressionOf(head), digest: digestIn(member), size };
  });
  return { config, layers };
}

interface Names {
  config: string;
  layers: readonly string[];
}

function byManifest(file: string, { documents }: ArchiveIndex): Names | undefined {
  const images = parsedJson(textOf(documents, 'manifest.json'));
  if (!Array.isArray(images) || images.length === 0) return undefined;
  if (images.length > 1) throw brokenArchive(file, `it holds ${images.length} images, and one is wanted`);
  const [image] = images;
  const layers = isRecord(image) && Array.isArray(image.Layers) ? image.Layers.map(String) : [];
  return { config: textAt(image, 'Config'), layers };
}

function byIndex(file: string, { documents }: ArchiveIndex): Names {
  let left = mostManifests;
  const found = new Map<string, Names>();
  const walk = (name: string, depth: number): void => {
    left -= 1;
    if (left < 0 || depth > deepest) throw brokenArchive(file, 'its indexes name more than an image has');
    const bytes = documents.get(name);
    // Of an index with several platforms only some are here.
    if (bytes === undefined) return;
    requireDigest(file, name, bytes);
    const content = parsedJson(bytes.toString('utf8'));
    const parts = recordsAt(content, 'manifests');
    for (const part of parts) {
      if (textAt(part, 'annotations', 'vnd.docker.reference.type') === attestation) continue;
      walk(blobOf(textAt(part, 'digest')), depth + 1);
    }
    const config = textAt(content, 'config', 'digest');
    if (parts.length > 0 || config === '') return;
    const layers = recordsAt(content, 'layers').map((layer) => blobOf(textAt(layer, 'digest')));
    found.set(name, { config: blobOf(config), layers });
  };
  walk('index.json', 0);
  const [only] = found.values();
  if (only === undefined || found.size !== 1) {
    throw brokenArchive(file, `it holds ${found.size} images, and one is wanted`);
  }
  return only;
}

function blobOf(digest: string): string {
  return digestForm.test(digest) ? `blobs/${digest.replace(':', '/')}` : '';
}

/** The digest that a member's name is; empty where it is none. */
function digestIn(name: string): string {
  const hex = /^blobs\/sha256\/([0-9a-f]{64})$/.exec(name)?.[1];
  return hex === undefined ? '' : `sha256:${hex}`;
}

function requireDigest(file: string, name: string, bytes: Buffer): void {
  const wanted = digestIn(name);
  const found = digestOf(bytes);
  if (wanted !== '' && wanted !== found) throw brokenArchive(file, `${name} in it has the digest ${found}`);
}

function memberOf(file: string, name: string, { members }: ArchiveIndex): [string, Member] {
  const own = members.get(name);
  const target = own === undefined || own.link === '' ? name : own.link;
  const found = members.get(target);
  if (found === undefined || found.link !== '') throw brokenArchive(file, `its layer ${name || '?'} is not in it`);
  return [target, found];
}

function compressionOf(head: Buffer): Compression {
  const magic = head.toString('hex');
  return magic.startsWith('1f8b') ? 'gzip' : magic === '28b52ffd' ? 'zstd' : 'none';
}
