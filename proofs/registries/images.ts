/** How manifests are put somewhere. @returns the digest */
export type Put = (content: unknown, ...names: string[]) => string | Promise<string>;

export const types = {
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociConfig: 'application/vnd.oci.image.config.v1+json',
  dockerList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
} as const;

/** Puts a single image. */
export async function putImage(put: Put, architecture: string, mediaType: string, ...names: string[]): Promise<string> {
  const config = {
    os: 'linux',
    architecture,
    config: { Labels: { made: architecture } },
    rootfs: { type: 'layers', diff_ids: [] },
  };
  const digest = await put(config);
  const configType = mediaType === types.ociManifest ? types.ociConfig : types.dockerConfig;
  const size = Buffer.byteLength(JSON.stringify(config));
  return put({ schemaVersion: 2, mediaType, config: { mediaType: configType, digest, size }, layers: [] }, ...names);
}

/** What an index says of an image in it. */
export function entry(digest: string, platform: string, mediaType: string = types.ociManifest, size = 1): object {
  const [os, architecture] = platform.split('/');
  return { mediaType, digest, size, ...(platform === '' ? {} : { platform: { os, architecture } }) };
}

/** Puts an index. */
export async function putIndex(
  put: Put,
  mediaType: string,
  manifests: readonly object[],
  ...names: string[]
): Promise<string> {
  return put({ schemaVersion: 2, mediaType, manifests }, ...names);
}
