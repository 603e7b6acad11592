import { buffer } from 'node:stream/consumers';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { pack } from 'tar-stream';
import type { ActionsService, CacheRefusal } from './actions-service.js';
import { cacheMember, cacheStore } from './cache-store.js';

const name = 'mcprt-backup-example.com-g00000001-r1.1';

async function entryOf(member: string, bytes: Buffer, compress: (bytes: Buffer) => Buffer): Promise<Buffer> {
  const tar = pack();
  tar.entry({ name: member }, bytes);
  tar.finalize();
  return compress(await buffer(tar));
}

function store(more: {
  mode?: string;
  upload?: () => Promise<number>;
  refused?: CacheRefusal | undefined;
  archive?: Buffer;
}) {
  const found = more.archive === undefined ? undefined : { key: name, url: 'u' };
  const service: Partial<ActionsService> = {
    findCache: async () => found,
    download: async () => more.archive ?? Buffer.alloc(0),
    whyCacheRefused: async () => more.refused,
    defaultBranch: async () => 'main',
    listCaches: async () => ({ items: [], cut: undefined }),
  };
  return cacheStore({
    service: service as ActionsService,
    upload: more.upload ?? (async () => -1),
    mode: more.mode,
    ref: 'refs/heads/main',
    repository: 'acme/platform',
    now: () => new Date(),
  });
}

describe('a backup that the cache does not take', () => {
  it.each<[string, string, number, string, string | undefined]>([
    ['the workflow says that it reads only', 'store-read-only', 409, 'already exists', 'read'],
    ['the workflow says that it does nothing', 'store-read-only', 409, 'already exists', 'none'],
    ['its name is taken', 'store-duplicate', 409, 'x', 'write'],
    ['its name is taken, in words', 'store-duplicate', 200, 'Cache already exists.', undefined],
    ['its name is taken, in the code’s words', 'store-duplicate', 400, 'already_exists', undefined],
    ['there are too many calls', 'store-unavailable', 429, 'slow down', undefined],
    ['the quota is used up, by a limit of calls', 'store-full', 429, 'storage quota', undefined],
    ['the quota is used up', 'store-full', 403, 'Cache storage quota has been hit', undefined],
    ['it is full', 'store-full', 400, 'full', undefined],
    ['it is too large', 'store-full', 400, 'exceeds', undefined],
    ['it is forbidden', 'store-read-only', 403, 'x', undefined],
    ['it is forbidden, in words', 'store-read-only', 200, 'cache write denied', undefined],
    ['no scope can be written', 'store-read-only', 400, 'no writable scopes', undefined],
    ['of anything else', 'store-write', 500, 'oops', undefined],
  ])('as %s is told: %s', async (_, code, status, message, mode) => {
    const made = store({ refused: { status, message }, ...(mode === undefined ? {} : { mode }) });
    await expect(made.save(name, Buffer.from('x'))).rejects.toMatchObject({ code });
  });

  it('as the upload broke is told by what broke', async () => {
    const broken = store({ upload: () => Promise.reject(new Error('cut off')) });
    await expect(broken.save(name, Buffer.from('x'))).rejects.toMatchObject({ code: 'store-write', why: 'cut off' });
    await expect(store({}).save(name, Buffer.from('x'))).rejects.toMatchObject({
      code: 'store-write',
      why: 'the upload failed after it was accepted',
    });
  });
});

describe('a backup that the cache takes', () => {
  it('is told where it is', async () => {
    expect(await store({ upload: async () => 0 }).save(name, Buffer.from('x'))).toMatchObject({
      where: `cache entry ${name}`,
      until: undefined,
      notes: [expect.stringContaining('7 days')],
    });
  });

  it.each([
    ['zstd', zstdCompressSync],
    ['gzip', gzipSync],
  ])('comes back as it was, from %s', async (_, compress) => {
    const archive = await entryOf(cacheMember, Buffer.from('backup'), compress);
    expect((await store({ archive }).read(name)).toString()).toBe('backup');
  });

  it('is refused where it is no archive, of another member, or none at all', async () => {
    await expect(store({ archive: Buffer.from('x') }).read(name)).rejects.toMatchObject({ code: 'backup-malformed' });
    const other = await entryOf('../etc/passwd', Buffer.from('x'), gzipSync);
    await expect(store({ archive: other }).read(name)).rejects.toMatchObject({ code: 'backup-malformed' });
    const empty = pack();
    empty.finalize();
    const none = gzipSync(await buffer(empty));
    await expect(store({ archive: none }).read(name)).rejects.toMatchObject({
      code: 'backup-malformed',
      why: expect.stringContaining('holds no backup'),
    });
    await expect(store({}).read(name)).rejects.toMatchObject({
      code: 'store-miss',
      why: expect.stringMatching(/refs\/heads\/main.*\(zstd\).*\(zstd-without-long\).*\(gzip\)/),
    });
    const longer = await entryOf(cacheMember, Buffer.from('x'), gzipSync);
    await expect(store({ archive: longer }).read(`${name}0`)).rejects.toMatchObject({ code: 'store-miss' });
  });

  it.each(['none', 'write-only'])('is not read where the workflow says %s', async (mode) => {
    await expect(store({ mode }).read(name)).rejects.toMatchObject({ code: 'store-denied' });
  });
});
