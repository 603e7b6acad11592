import { createWriteStream } from 'node:fs';
import { mkdtemp, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { pack } from 'tar-stream';
import { readImageArchive } from './archive.js';

let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mcprt-archive-'));
  file = join(folder, 'image.tar');
});

afterEach(() => rm(folder, { recursive: true }));

async function save(entries: Record<string, unknown>): Promise<void> {
  const tar = pack();
  for (const [name, content] of Object.entries(entries)) {
    tar.entry({ name }, Buffer.isBuffer(content) ? content : JSON.stringify(content));
  }
  tar.finalize();
  await pipeline(tar, createWriteStream(file));
}

const config = { architecture: 'arm64', os: 'linux' };
const manifest = [{ Config: 'blobs/sha256/abc', Layers: ['layer.tar'] }];

describe('an image archive', () => {
  it('tells its size and platform', async () => {
    await save({ 'blobs/sha256/abc': config, 'manifest.json': manifest });
    expect(await readImageArchive(file)).toEqual({ file, size: (await stat(file)).size, platform: 'linux/arm64' });
  });

  it('may have its layers anywhere, of any size, and names that begin with a dot', async () => {
    const layer = Buffer.alloc(3 * 1024 * 1024, 7);
    await save({ './layer.tar': layer, './manifest.json': manifest, other: layer, './blobs/sha256/abc': config });
    expect((await readImageArchive(file)).platform).toBe('linux/arm64');
  });

  it('is for Linux when its configuration does not say', async () => {
    await save({ 'manifest.json': manifest, 'blobs/sha256/abc': { architecture: 'amd64' } });
    expect((await readImageArchive(file)).platform).toBe('linux/amd64');
  });

  it.each<[string, Record<string, unknown>]>([
    ['it has no manifest.json', { 'index.json': {} }],
    ['it has no manifest.json', { 'manifest.json': Buffer.from('[') }],
    ['it holds 0 images', { 'manifest.json': [] }],
    ['it holds 2 images', { 'manifest.json': [...manifest, ...manifest], 'blobs/sha256/abc': config }],
    ['no configuration (none named)', { 'manifest.json': [{}] }],
    ['no configuration (blobs/sha256/abc)', { 'manifest.json': manifest }],
    ['no configuration (blobs/sha256/abc)', { 'manifest.json': manifest, 'blobs/sha256/abc': { os: 'linux' } }],
  ])('is refused when %s', async (why, entries) => {
    await save(entries);
    await expect(readImageArchive(file)).rejects.toMatchObject({
      code: 'image-archive',
      why: expect.stringContaining(why),
    });
  });

  it('is refused when it is packed, cut off, empty or not there', async () => {
    const refused = { code: 'image-archive' };
    await expect(readImageArchive(file)).rejects.toMatchObject(refused);
    await writeFile(file, '');
    await expect(readImageArchive(file)).rejects.toMatchObject(refused);
    await writeFile(file, gzipSync(Buffer.alloc(4096, 'x')));
    await expect(readImageArchive(file)).rejects.toMatchObject(refused);
    await save({ 'manifest.json': manifest, 'blobs/sha256/abc': config, 'layer.tar': Buffer.alloc(100_000) });
    await truncate(file, 50_000);
    await expect(readImageArchive(file)).rejects.toMatchObject(refused);
  });

  it('is refused when it is a folder, and does not take the process down', async () => {
    await expect(readImageArchive(folder)).rejects.toMatchObject({
      code: 'image-archive',
      why: expect.stringContaining('EISDIR'),
    });
  });
});

describe('an archive that somebody means ill', () => {
  it('is not kept in memory, however many small files it has', async () => {
    const many = (count: number, content: Buffer): Record<string, unknown> =>
      Object.fromEntries(Array.from({ length: count }, (_, at) => [`blobs/${at}`, content]));
    await save({ ...many(40, Buffer.alloc(900_000, '[1,')), 'manifest.json': manifest });
    await expect(readImageArchive(file)).rejects.toMatchObject({ code: 'image-archive' });
    await save({ ...many(12_000, Buffer.from('x')), 'manifest.json': manifest });
    await expect(readImageArchive(file)).rejects.toMatchObject({ code: 'image-archive' });
    // What is no JSON is passed over, as layers are.
    await save({ ...many(40, Buffer.alloc(900_000, 'x')), 'blobs/sha256/abc': config, 'manifest.json': manifest });
    expect(await readImageArchive(file)).toMatchObject({ platform: 'linux/arm64' });
  });
});
