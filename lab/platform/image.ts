import { createHash, randomBytes } from 'node:crypto';

/** What an image is made of. Nothing in it is run in a lab. */
export interface ImageContent {
  /** The labels that a kubelet stand-in goes by, and any others. */
  labels?: Readonly<Record<string, string>>;
  architecture?: string;
}

const types = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.docker.distribution.manifest.v2+json',
  config: 'application/vnd.docker.container.image.v1+json',
  layer: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
} as const;

/**
 * Puts a small image into a registry over its HTTP API, where there is no Docker to build one. Each one is unlike every
 * other.
 *
 * @returns its digest
 */
export async function putImage(
  url: string,
  repository: string,
  tag: string,
  { labels = {}, architecture = 'amd64' }: ImageContent = {},
): Promise<string> {
  const layer = await putBlob(url, repository, randomBytes(512));
  const config = Buffer.from(
    JSON.stringify({
      architecture,
      os: 'linux',
      config: { Labels: labels },
      rootfs: { type: 'layers', diff_ids: [layer.digest] },
    }),
  );
  return putManifest(url, repository, tag, await putBlob(url, repository, config), [layer]);
}

/** What a manifest says of a blob. */
export interface Blob {
  size: number;
  digest: string;
}

/** Names an image of blobs that are in the registry. @returns its digest */
export async function putManifest(
  url: string,
  repository: string,
  tag: string,
  config: Blob,
  layers: readonly Blob[],
): Promise<string> {
  return putDocument(url, repository, tag, types.manifest, {
    schemaVersion: 2,
    mediaType: types.manifest,
    config: { mediaType: types.config, ...config },
    layers: layers.map((layer) => ({ mediaType: types.layer, ...layer })),
  });
}

/**
 * Puts an image for several architectures into a registry: an index of one image each.
 *
 * @returns the index's digest
 */
export async function putIndex(
  url: string,
  repository: string,
  tag: string,
  architectures: readonly string[],
): Promise<string> {
  const manifests = await Promise.all(
    architectures.map(async (architecture) => {
      const digest = await putImage(url, repository, `${tag}-${architecture}`, { architecture });
      const answer = await fetch(`${url}/v2/${repository}/manifests/${digest}`, {
        headers: { accept: types.manifest },
      });
      const size = (await answer.arrayBuffer()).byteLength;
      return { mediaType: types.manifest, digest, size, platform: { os: 'linux', architecture } };
    }),
  );
  return putDocument(url, repository, tag, types.index, { schemaVersion: 2, mediaType: types.index, manifests });
}

async function putDocument(
  url: string,
  repository: string,
  tag: string,
  type: string,
  content: unknown,
): Promise<string> {
  const body = JSON.stringify(content);
  const answer = await fetch(`${url}/v2/${repository}/manifests/${tag}`, {
    method: 'PUT',
    headers: { 'content-type': type },
    body,
  });
  if (answer.status !== 201)
    throw new Error(`the registry refused the manifest: ${answer.status} ${await answer.text()}`);
  return digestOf(Buffer.from(body));
}

/** Puts a layer or a config into a registry. */
export async function putBlob(url: string, repository: string, bytes: Buffer): Promise<Blob> {
  const digest = digestOf(bytes);
  const begun = await fetch(`${url}/v2/${repository}/blobs/uploads/`, { method: 'POST' });
  const location = new URL(begun.headers.get('location') ?? '', url);
  location.searchParams.set('digest', digest);
  const answer = await fetch(location, {
    method: 'PUT',
    headers: { 'content-type': 'application/octet-stream' },
    body: new Uint8Array(bytes),
  });
  if (answer.status !== 201) throw new Error(`the registry refused a layer: ${answer.status} ${await answer.text()}`);
  return { size: bytes.length, digest };
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
