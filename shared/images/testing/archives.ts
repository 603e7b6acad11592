import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { pack } from 'tar-stream';

/** A member of an archive: its content, or the name of another one that it is a link to. */
export type Part = [name: string, content: Buffer | string | { symlink: string }];

/** Writes a tar file. @returns its path */
export async function writeTar(file: string, parts: readonly Part[]): Promise<string> {
  const tar = pack();
  const written = pipeline(tar, createWriteStream(file));
  for (const [name, content] of parts) {
    if (typeof content === 'object' && 'symlink' in content) {
      tar.entry({ name, type: 'symlink', linkname: content.symlink });
      continue;
    }
    await new Promise<void>((resolve, reject) => {
      tar.entry({ name }, content, (error) => (error ? reject(error) : resolve()));
    });
  }
  tar.finalize();
  await written;
  return file;
}

export const hexOf = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex');

/** The configuration of an image of layers that are not compressed. */
export function configOf(layers: readonly Buffer[], architecture = 'amd64'): Buffer {
  const diffIds = layers.map((layer) => `sha256:${hexOf(layer)}`);
  return Buffer.from(JSON.stringify({ os: 'linux', architecture, rootfs: { type: 'layers', diff_ids: diffIds } }));
}

/** As engines up to 24 save an image, and podman does: a folder for each layer, and a link where one is there twice. */
export function classicArchive(layers: readonly Buffer[]): Part[] {
  const config = configOf(layers);
  const named = layers.map((layer, place): [string, Buffer] => [`${hexOf(`${place}`)}/layer.tar`, layer]);
  const parts = named.map(([name, layer], place): Part => {
    const first = layers.findIndex((one) => one.equals(layer));
    return [name, first === place ? layer : { symlink: `../${named[first]?.[0]}` }];
  });
  const manifest = [{ Config: `${hexOf(config)}.json`, RepoTags: ['a:b'], Layers: named.map(([name]) => name) }];
  return [...parts, [`${hexOf(config)}.json`, config], ['manifest.json', JSON.stringify(manifest)]];
}

const blob = (bytes: Buffer | string): [string, string] => [`blobs/sha256/${hexOf(bytes)}`, `sha256:${hexOf(bytes)}`];

/** As buildx and the containerd store write one: an index of an index, with an attestation beside the image. */
export function ociArchive(
  layers: readonly Buffer[],
  { stored = layers, withManifest = false }: { stored?: readonly Buffer[]; withManifest?: boolean } = {},
): Part[] {
  const config = configOf(layers);
  const [configName, configDigest] = blob(config);
  const manifest = JSON.stringify({
    schemaVersion: 2,
    config: { digest: configDigest },
    layers: stored.map((layer) => ({ digest: blob(layer)[1] })),
  });
  const attested = JSON.stringify({ schemaVersion: 2, config: { digest: configDigest }, layers: [] });
  const inner = JSON.stringify({
    schemaVersion: 2,
    manifests: [
      { digest: blob(manifest)[1], platform: { os: 'linux', architecture: 'amd64' } },
      { digest: `sha256:${'0'.repeat(64)}`, platform: { os: 'linux', architecture: 'arm64' } },
      { digest: blob(attested)[1], annotations: { 'vnd.docker.reference.type': 'attestation-manifest' } },
    ],
  });
  const outer = JSON.stringify({ schemaVersion: 2, manifests: [{ digest: blob(inner)[1] }] });
  const compat = [{ Config: configName, Layers: stored.map((layer) => blob(layer)[0]) }];
  return [
    ...stored.map((layer): Part => [blob(layer)[0], layer]),
    [configName, config],
    ...[manifest, attested, inner].map((document): Part => [blob(document)[0], document]),
    ['index.json', outer],
    ['oci-layout', '{"imageLayoutVersion":"1.0.0"}'],
    ...(withManifest ? [['manifest.json', JSON.stringify(compat)] as Part] : []),
  ];
}
