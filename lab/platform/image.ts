import { createHash, randomBytes } from 'node:crypto';

/** What an image is made of. Nothing in it is run in a lab. */
export interface ImageContent {
  /** The labels that a kubelet stand-in goes by, and any others. */
  labels?: Readonly<Record<string, string>>;
  architecture?: string;
}

const types = {
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
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: types.manifest,
    config: { mediaType: types.config, ...(await putBlob(url, repository, config)) },
    layers: [{ mediaType: types.layer, ...layer }],
  });
  const answer = await fetch(`${url}/v2/${repository}/manifests/${tag}`, {
    method: 'PUT',
    headers: { 'content-type': types.manifest },
    body: manifest,
  });
  if (answer.status !== 201)
    throw new Error(`the registry refused the manifest: ${answer.status} ${await answer.text()}`);
  return digestOf(Buffer.from(manifest));
}

async function putBlob(url: string, repository: string, bytes: Buffer): Promise<{ size: number; digest: string }> {
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
