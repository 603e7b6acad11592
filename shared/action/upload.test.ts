import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Github, startGithub } from '../../lab/github/github.js';
import { directoryStore } from '../backup/stores/directory-store.js';
import { uploadToCache } from './upload.js';

describe('an upload to the cache', () => {
  const [home, before] = [process.cwd(), { ...process.env }];
  let folder: string;
  let github: Github;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'mcprt-upload-'));
    process.chdir(folder);
    github = await startGithub();
    Object.assign(process.env, github.env, { RUNNER_TEMP: folder, 'INPUT_RESTORE-KEY': 'a key' });
  });

  afterEach(async () => {
    for (const name of Object.keys(process.env)) if (!Object.hasOwn(before, name)) delete process.env[name];
    Object.assign(process.env, before);
    process.chdir(home);
    rmSync(folder, { recursive: true });
    await github.close();
  });

  it('leaves this process where it is: a slow disk with a relative path is written beside it', async () => {
    const seen = new Set<string>();
    const watch = setInterval(() => seen.add(`${process.cwd()} ${process.env.GITHUB_WORKSPACE ?? ''}`), 1);
    const store = directoryStore('backups');
    const uploading = uploadToCache('key-1', Buffer.from('sealed'));
    // A slow disk: the folder is made, and each file written, while the upload is under way.
    const done = (async () => {
      let files = 0;
      for (let isOver = false; !isOver; files++) {
        isOver = await Promise.race([uploading.then(() => true), mkdir('.', { recursive: true }).then(() => false)]);
        await store.save(`name-${files}`, Buffer.from('sealed'));
      }
      return files;
    })();
    expect(await uploading).toBeGreaterThan(0);
    const files = await done;
    clearInterval(watch);
    expect(files).toBeGreaterThan(1);
    expect(await readdir(join(folder, 'backups'))).toHaveLength(files);
    expect([...seen]).toHaveLength(1);
    expect(github.cacheEntries()).toMatchObject([{ key: 'key-1' }]);
  });

  it('is refused by the service as the official client says it: -1', async () => {
    github.inject({ kind: 'read-only', on: 'cache' });
    expect(await uploadToCache('key-1', Buffer.from('sealed'))).toBe(-1);
  });

  it('fails with the client’s words, and leaves no file', async () => {
    await expect(uploadToCache('no,commas', Buffer.from('sealed'))).rejects.toThrow('comma');
    expect(await readdir(folder)).toEqual([]);
  });
});

describe('a directory', () => {
  const home = process.cwd();
  afterEach(() => process.chdir(home));

  it('is the one that it was when the store was opened', async () => {
    const [first, second] = [mkdtempSync(join(tmpdir(), 'mcprt-a-')), mkdtempSync(join(tmpdir(), 'mcprt-b-'))];
    process.chdir(first);
    const store = directoryStore('backups');
    process.chdir(second);
    await store.save('name', Buffer.from('sealed'));
    expect([await readdir(first), await readdir(second)]).toEqual([['backups'], []]);
    for (const folder of [first, second]) rmSync(folder, { recursive: true });
  });
});
