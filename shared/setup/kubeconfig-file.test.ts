import { mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { removeKubeconfig, writeKubeconfig } from './kubeconfig-file.js';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mcprt-test-kubeconfig-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

const credentials = {
  context: 'lab',
  server: 'https://127.0.0.1:6443',
  headers: { authorization: 'Bearer the-token' },
  tls: {},
  secrets: [],
};

describe('the installer’s kubeconfig', () => {
  it('is told before it is there, is its owner’s alone, and goes', async () => {
    const told: string[][] = [];
    const file = await writeKubeconfig(credentials, folder, (path) => told.push([path]));
    expect(told).toEqual([[join(file.path, '..')]]);
    expect((await stat(file.path)).mode & 0o777).toBe(0o600);
    expect(await readFile(file.path, 'utf8')).toContain('the-token');
    await file.remove();
    expect(await readdir(folder)).toEqual([]);
  });

  it('is removed by whoever outlives a process that was killed, and nothing else is', async () => {
    let left = '';
    await writeKubeconfig(credentials, folder, (path) => {
      left = path;
    });
    expect([await removeKubeconfig(left), await removeKubeconfig(left)]).toEqual([true, false]);
    await mkdir(join(folder, 'other'));
    for (const path of ['', folder, join(folder, 'other')]) expect(await removeKubeconfig(path)).toBe(false);
    expect(await readdir(folder)).toEqual(['other']);
  });
});
