import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, open, readdir, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { limits } from '../limits.js';
import { directoryStore } from './directory-store.js';

describe('a directory', () => {
  const home = process.cwd();
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'mcprt-directory-'));
  });
  afterEach(() => {
    process.chdir(home);
    rmSync(folder, { recursive: true });
  });

  it('is the one that it was when the store was opened', async () => {
    const elsewhere = mkdtempSync(join(folder, 'elsewhere-'));
    process.chdir(folder);
    const store = directoryStore('backups');
    process.chdir(elsewhere);
    await store.save('name', Buffer.from('sealed'));
    expect([await readdir(join(folder, 'backups')), await readdir(elsewhere)]).toEqual([['name.mcprt'], []]);
  });

  it('is empty where it is not there, and cannot be read where it is none', async () => {
    expect(await directoryStore(join(folder, 'no')).list({ prefix: '' })).toMatchObject({
      entries: [],
      cut: undefined,
      where: `looked in ${join(folder, 'no')}, which is not there`,
    });
    expect((await directoryStore(folder).list({ prefix: '' })).where).toBe(`looked in ${folder}`);
    await writeFile(join(folder, 'file'), '');
    await expect(directoryStore(join(folder, 'file')).list({ prefix: '' })).rejects.toMatchObject({
      code: 'store-read',
    });
  });

  it('has no backup that is larger than any', async () => {
    const file = await open(join(folder, 'name.mcprt'), 'w');
    await file.truncate(limits.archiveBytes + 1);
    await file.close();
    await expect(directoryStore(folder).read('name')).rejects.toMatchObject({
      code: 'backup-malformed',
      why: expect.stringContaining(`${limits.archiveBytes + 1} bytes`),
    });
  });

  it('has no backup that is no file: a pipe would be read for ever', async () => {
    execFileSync('mkfifo', [join(folder, 'pipe.mcprt')]);
    await symlink('/dev/zero', join(folder, 'device.mcprt'));
    await mkdir(join(folder, 'folder.mcprt'));
    for (const name of ['pipe', 'device', 'folder']) {
      await expect(directoryStore(folder).read(name)).rejects.toMatchObject({ code: 'backup-malformed' });
    }
  });

  it('says what is wrong with the folder where it is a file', async () => {
    await writeFile(join(folder, 'file'), '');
    await expect(directoryStore(join(folder, 'file')).save('name', Buffer.from('sealed'))).rejects.toMatchObject({
      code: 'store-write',
      next: expect.stringContaining('may write there'),
    });
  });

  it('gives back what was stored, lists it among others, and deletes it', async () => {
    const store = directoryStore(folder);
    const saved = await store.save('backup-1', Buffer.from('sealed'));
    expect(saved).toEqual({ where: join(folder, 'backup-1.mcprt'), until: undefined, notes: [] });
    await store.save('backup-2', Buffer.from('another'));
    await writeFile(join(folder, 'backup-3.txt'), '');
    expect((await store.read('backup-1')).toString()).toBe('sealed');
    const { entries, where } = await store.list({ prefix: 'backup-' });
    expect(entries.map(({ name, foreign }) => [name, foreign]).sort()).toEqual([
      ['backup-1', undefined],
      ['backup-2', undefined],
    ]);
    expect(where).toContain(folder);
    const second = entries.find(({ name }) => name === 'backup-2');
    expect((await second?.fetch())?.toString()).toBe('another');
    await second?.remove();
    // Somebody else may have deleted it meanwhile.
    await second?.remove();
    expect((await readdir(folder)).sort()).toEqual(['backup-1.mcprt', 'backup-3.txt']);
    expect((await store.list({ name: 'backup-1' })).entries).toHaveLength(1);
  });

  it('is readable by its owner only', async () => {
    const inner = join(folder, 'a', 'b');
    await directoryStore(inner).save('name', Buffer.from('sealed'));
    const modes = await Promise.all(
      [inner, join(inner, 'name.mcprt')].map(async (path) => (await stat(path)).mode & 0o777),
    );
    expect(modes).toEqual([0o700, 0o600]);
  });

  it('says what is not there, and what cannot be deleted', async () => {
    const store = directoryStore(folder);
    await expect(store.read('none')).rejects.toMatchObject({
      code: 'store-miss',
      message: expect.stringContaining('none'),
    });
    await store.save('name', Buffer.from('sealed'));
    const [entry] = (await store.list({ prefix: '' })).entries;
    rmSync(join(folder, 'name.mcprt'));
    await mkdir(join(folder, 'name.mcprt'));
    await expect(entry?.remove()).rejects.toMatchObject({ code: 'store-prune' });
  });
});
