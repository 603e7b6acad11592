import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { indexOf } from './archive.js';
import { type ArchivedImage, imageIn } from './archived-image.js';
import { classicArchive, configOf, hexOf, ociArchive, type Part, writeTar } from './testing/archives.js';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mcprt-archive-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

async function imageOf(parts: readonly Part[]): Promise<ArchivedImage> {
  const file = await writeTar(join(folder, 'image.tar'), parts);
  return imageIn(file, await indexOf(file));
}

const [lower, upper] = [Buffer.from('the lower layer'), Buffer.alloc(2_000_000, 'upper')];
const [low, up] = [lower, upper].map((layer) => `sha256:${hexOf(layer)}`);
const plain = { compression: 'none', digest: '' };

describe('the image of an archive', () => {
  it('is that of manifest.json, with links to layers that are there twice', async () => {
    const { config, layers } = await imageOf(classicArchive([lower, upper, lower]));
    expect(config.equals(configOf([lower, upper, lower]))).toBe(true);
    expect(layers).toMatchObject([
      { diffId: low, size: lower.length, ...plain },
      { diffId: up, size: upper.length, ...plain },
      { diffId: low, size: lower.length, ...plain },
    ]);
    expect(layers[2]?.member).toBe(layers[0]?.member);
  });

  it.each([true, false])('is that of nested indexes, without attestations: manifest.json %s', async (withManifest) => {
    const stored = [lower, upper].map((layer) => gzipSync(layer));
    const { layers } = await imageOf(ociArchive([lower, upper], { stored, withManifest }));
    expect(layers.map(({ diffId, compression, digest }) => [diffId, compression, digest])).toEqual(
      [low, up].map((diffId, place) => [diffId, 'gzip', `sha256:${hexOf(stored[place] ?? '')}`]),
    );
  });

  const changed = (parts: Part[], change: (name: string, content: string) => Part[1] | undefined): Part[] =>
    parts.flatMap(([name, content]): Part[] => {
      const by = change(name, String(content));
      return by === undefined ? [] : [[name, by]];
    });
  const digests = (text: string) => [...text.matchAll(/sha256:[0-9a-f]{64}/g)].map(([one]) => one);
  it.each<[string, () => Part[], string]>([
    ['several images', () => [['manifest.json', '[{},{}]']], 'holds 2 images'],
    ['none', () => [['index.json', '{"manifests":[]}']], 'holds 0 images'],
    [
      'a layer that is missing',
      () => classicArchive([lower]).filter(([name]) => !name.endsWith('layer.tar')),
      'is not in it',
    ],
    [
      'a link that leads out of it',
      () => [
        ...classicArchive([lower]).filter(([name]) => !name.endsWith('layer.tar')),
        [`${hexOf('0')}/layer.tar`, { symlink: '../../../../etc/shadow' }],
      ],
      'is not in it',
    ],
    [
      'another count of layers than its configuration has',
      () =>
        changed(classicArchive([lower, upper]), (name, content) =>
          name === 'manifest.json' ? content.replace(/,"[0-9a-f]{64}\/layer\.tar"/, '') : content,
        ),
      'tells of 2 layers, and it names 1',
    ],
    [
      'a configuration of another digest',
      () => changed(ociArchive([lower]), (_, content) => (content.includes('rootfs') ? `${content} ` : content)),
      'has the digest',
    ],
    [
      'an index without an end',
      () => [['index.json', JSON.stringify({ manifests: Array(300).fill({ digest: `sha256:${'0'.repeat(64)}` }) })]],
      'more than an image has',
    ],
    [
      'two images in an index',
      () => {
        const parts = ociArchive([lower]).filter(([name]) => name !== 'index.json');
        const images = parts.flatMap(([name, content]) =>
          String(content).includes('"layers"') && digests(String(content)).length > 0 ? [name.split('/')[2]] : [],
        );
        const manifests = images.map((hex) => ({ digest: `sha256:${hex}` }));
        return [...parts, ['index.json', JSON.stringify({ manifests })]];
      },
      'holds 2 images',
    ],
  ])('is refused: %s', async (_, parts, why) => {
    await expect(imageOf(parts())).rejects.toMatchObject({
      code: 'image-archive',
      why: expect.stringContaining(why),
    });
  });
});
