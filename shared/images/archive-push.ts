import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline, Transform } from 'node:stream';
import pMap from 'p-map';
import { McprtError } from '../errors.js';
import { loadTar } from '../tar.js';
import { brokenArchive, indexOf, nameOf } from './archive.js';
import { type ArchivedImage, type ArchivedLayer, imageIn } from './archived-image.js';
import { digestOf } from './digest.js';
import { type LayerFile, writeLayer } from './layer-file.js';
import type { StoredLayer } from './registry.js';
import { hasBlob, sendBlob } from './registry-blob.js';
import { type RegistryCalls, registryCalls } from './registry-call.js';
import type { RegistryRoute } from './route.js';

/** An image that goes from a file into a registry. */
export interface ArchivePush {
  /** The archive, as `docker save` writes it. */
  file: string;
  /** For what is unpacked, one layer at a time: nobody else may write there. */
  folder: string;
  repository: string;
  tag: string;
  /** Layers that a registry has, by their digests before they were compressed; what is sent comes to it. */
  known: Map<string, StoredLayer>;
  /** Told of bytes as they are sent. */
  onSent: (bytes: number) => void;
}

export interface PushPorts {
  route: RegistryRoute;
  signal: AbortSignal;
  /** ms before a second try; each further one is twice as long. */
  firstPause?: number;
}

interface Descriptor {
  mediaType: string;
  digest: string;
  /** In bytes. */
  size: number;
}

const types = {
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  gzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  zstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
} as const;
/** What layers are called that others have pushed, and what they are called in a manifest of ours. */
const sameType: Readonly<Record<string, string>> = {
  [types.gzip]: types.gzip,
  [types.zstd]: types.zstd,
  'application/vnd.docker.image.rootfs.diff.tar.gzip': types.gzip,
};
/** Questions at a time. */
const width = 5;

/**
 * Pushes the image of an archive: a layer that the registry has is not sent again, and not compressed again where it is known.
 * Docker has no part in it, so that it may run anywhere, and learns no password.
 *
 * @returns the digest
 * @throws McprtError `image-archive`, `image-push`, `registry-unreachable`, `registry-busy`, `registry-unauthorized`; the signal's reason
 */
export async function pushArchive(push: ArchivePush, { route, signal, firstPause }: PushPorts): Promise<string> {
  const calls = registryCalls(route, signal, firstPause);
  const { file, repository, tag } = push;
  const image = imageIn(file, await indexOf(file));
  try {
    const layers = await pushLayers(image, push, { calls, signal });
    const config = { mediaType: types.config, digest: digestOf(image.config), size: image.config.length };
    if (!(await hasBlob(calls, repository, config.digest)))
      await sendBlob(calls, repository, config, () => image.config);
    const manifest = Buffer.from(
      JSON.stringify({ schemaVersion: 2, mediaType: types.manifest, config, layers: layers.map(descriptorOf) }),
    );
    await calls.retrying(() =>
      calls.ask({
        method: 'PUT',
        path: `/v2/${repository}/manifests/${tag}`,
        headers: { 'content-type': types.manifest },
        body: manifest,
      }),
    );
    return digestOf(manifest);
  } catch (error) {
    if (!(error instanceof McprtError) || error.code !== 'registry-refused') throw error;
    throw new McprtError('image-push', {
      what: `${repository}:${tag} cannot be pushed: ${error.message}`,
      why: error.why,
      next: 'nothing was changed in the cluster. Check the registry’s space and pods (`kubectl get pods -n registry`); `registry-access: port-forward` goes around Traefik’s limits',
      cause: error,
    });
  }
}

interface Work {
  calls: RegistryCalls;
  signal: AbortSignal;
}

/** Brings the layers that are missing. @returns all of them in the image's order */
async function pushLayers({ layers }: ArchivedImage, push: ArchivePush, work: Work): Promise<Descriptor[]> {
  const { calls, signal } = work;
  const there = new Map<string, Descriptor>();
  const unique = [...new Map(layers.map((layer) => [layer.diffId, layer])).values()];
  await pMap(
    unique,
    async (layer) => {
      const found = await storedOf(layer, push, calls);
      if (found !== undefined) there.set(layer.diffId, found);
    },
    { concurrency: width, signal },
  );
  const missing = new Map(
    unique.filter(({ diffId }) => !there.has(diffId)).map((layer) => [layer.member, layer] as const),
  );
  for await (const [layer, written] of unpacked(push, missing, signal)) {
    const descriptor = { mediaType: written.isZstd ? types.zstd : types.gzip, ...sizeOf(written) };
    if (!(await hasBlob(calls, push.repository, descriptor.digest))) {
      await sendBlob(calls, push.repository, descriptor, () => counted(written.path, push.onSent));
    }
    there.set(layer.diffId, descriptor);
    push.known.set(layer.diffId, { ...descriptor, repository: push.repository });
  }
  return layers.map(({ diffId, member }) => {
    const found = there.get(diffId);
    if (found === undefined) throw brokenArchive(push.file, `its layer ${member} went while it was read`);
    return found;
  });
}

/** A layer that need not be sent: this repository has it, or another one of the registry. */
async function storedOf(
  { diffId, digest, compression, size }: ArchivedLayer,
  { known, repository }: ArchivePush,
  calls: RegistryCalls,
): Promise<Descriptor | undefined> {
  const stored = known.get(diffId);
  const mediaType = sameType[stored?.mediaType ?? ''];
  if (stored !== undefined && mediaType !== undefined) {
    const isHere =
      (await hasBlob(calls, repository, stored.digest)) ||
      (stored.repository !== repository && (await mount(calls, repository, stored)));
    if (isHere) return { ...descriptorOf(stored), mediaType };
  }
  if (compression === 'none' || digest === '') return undefined;
  return (await hasBlob(calls, repository, digest)) ? { mediaType: types[compression], digest, size } : undefined;
}

/** The wanted members of an archive, one after another, each in a file that goes when the next one is asked for. */
async function* unpacked(
  { file, folder }: ArchivePush,
  wanted: ReadonlyMap<string, ArchivedLayer>,
  signal: AbortSignal,
): AsyncGenerator<[ArchivedLayer, LayerFile]> {
  if (wanted.size === 0) return;
  const entries = (await loadTar()).extract();
  pipeline(createReadStream(file), entries, () => undefined);
  const path = join(folder, 'layer');
  try {
    for await (const entry of entries) {
      signal.throwIfAborted();
      const layer = wanted.get(nameOf(entry.header.name));
      if (layer === undefined) {
        entry.resume();
        continue;
      }
      const { diffId, digest, compression } = layer;
      const written = await writeLayer(entry as AsyncIterable<Buffer>, { path, compression, signal });
      const expected = compression === 'none' ? diffId : digest;
      if (expected !== '' && expected !== written.contentDigest) {
        throw brokenArchive(file, `${layer.member} in it has the digest ${written.contentDigest}, not ${expected}`);
      }
      yield [layer, written];
    }
  } finally {
    await rm(path, { force: true });
  }
}

/** Takes a layer over from another repository. @returns false where the registry would rather have it sent */
async function mount(calls: RegistryCalls, repository: string, { digest, repository: from }: StoredLayer) {
  const path = `/v2/${repository}/blobs/uploads/?mount=${digest}&from=${encodeURIComponent(from)}`;
  const { status } = await calls.retrying(() => calls.ask({ method: 'POST', path, body: Buffer.alloc(0) }));
  return status === 201;
}

function counted(path: string, onSent: (bytes: number) => void): Transform {
  const counter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      onSent(chunk.length);
      done(null, chunk);
    },
  });
  pipeline(createReadStream(path), counter, () => undefined);
  return counter;
}

function descriptorOf({ mediaType, digest, size }: Descriptor): Descriptor {
  return { mediaType, digest, size };
}

function sizeOf({ digest, size }: LayerFile): Pick<Descriptor, 'digest' | 'size'> {
  return { digest, size };
}
