import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Github, startGithub } from '../../lab/github/github.js';
import { directoryStore } from '../backup/stores/directory-store.js';
import { clientEnvironment, uploadToCache } from './upload.js';

describe('an upload to the cache', () => {
  const [home, before] = [process.cwd(), { ...process.env }];
  let folder: string;
  let github: Github;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'mcprt-upload-'));
    process.chdir(folder);
    github = await startGithub();
    Object.assign(process.env, github.env, { RUNNER_TEMP: folder });
  });

  afterEach(async () => {
    for (const name of Object.keys(process.env)) if (!Object.hasOwn(before, name)) delete process.env[name];
    Object.assign(process.env, before);
    process.chdir(home);
    rmSync(folder, { recursive: true });
    await github.close();
  });

  it('leaves this process where it is: a relative directory is written to beside it all the while', async () => {
    const seen = new Set<string>();
    const watch = setInterval(() => seen.add(`${process.cwd()} ${process.env.GITHUB_WORKSPACE ?? ''}`), 1);
    const store = directoryStore('backups');
    const uploading = uploadToCache('key-1', Buffer.from('sealed'));
    // File after file, for as long as the upload is under way.
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

describe('the process of the client', () => {
  it('has the runner’s variables and none of the inputs', () => {
    const env = { 'INPUT_RESTORE-KEY': 'a key', ACTIONS_RUNTIME_TOKEN: 'a token', GITHUB_WORKSPACE: '/elsewhere' };
    expect(clientEnvironment(env, '/folder')).toEqual({
      ACTIONS_RUNTIME_TOKEN: 'a token',
      GITHUB_WORKSPACE: '/folder',
    });
  });
});
