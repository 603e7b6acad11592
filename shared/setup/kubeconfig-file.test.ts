import { mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Credentials } from '../cluster/credentials.js';
import { loadCredentials } from '../cluster/credentials.js';
import { removeKubeconfig, writeKubeconfig } from './kubeconfig-file.js';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mcprt-test-kubeconfig-'));
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'performance'] });
});
afterEach(async () => {
  jest.useRealTimers();
  await rm(folder, { recursive: true });
});

const identity = (current: () => Promise<string>): Credentials => ({
  server: 'https://k3s.example.com:6443',
  context: 'identity',
  headers: {},
  tokens: { current, refused: () => false },
  tls: {},
  secrets: [],
});

/** Waits, in turns of the event loop, until something is so: the clock stands still. */
async function eventually(isSo: () => Promise<boolean>): Promise<void> {
  for (let turn = 0; turn < 5000; turn++) {
    if (await isSo()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('the kubeconfig of the installer', () => {
  it('names a file that is kept fresh, for its user alone, and goes with it', async () => {
    let token = 'first';
    const file = await writeKubeconfig(
      identity(async () => token),
      folder,
      { onFolder: () => undefined, warn: () => undefined },
    );
    const text = await readFile(file.path, 'utf8');
    expect(text).not.toContain('first');
    const path = /tokenFile: (.*)/.exec(text)?.[1] ?? '';
    expect(await readFile(path, 'utf8')).toBe('first');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    token = 'second';
    jest.advanceTimersByTime(10_000);
    await eventually(async () => (await readFile(path, 'utf8')) === 'second');
    expect(await readFile(path, 'utf8')).toBe('second');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await loadCredentials(file.path, { trusted: false })).tokens).toBeDefined();
    await file.remove();
    expect(await readdir(folder)).toEqual([]);
  });

  it('keeps the token that is there when no other is to be had, tells it, and tries again', async () => {
    const warned: string[] = [];
    let answer = async (): Promise<string> => 'first';
    const file = await writeKubeconfig(
      identity(() => answer()),
      folder,
      { onFolder: () => undefined, warn: (line) => warned.push(line) },
    );
    const token = join(dirname(file.path), 'token');
    answer = async () => {
      throw new Error('GitHub is away');
    };
    jest.advanceTimersByTime(10_000);
    await eventually(async () => warned.length > 0);
    expect(await readFile(token, 'utf8')).toBe('first');
    expect(warned.join()).toContain('GitHub is away');
    answer = async () => 'second';
    jest.advanceTimersByTime(10_000);
    await eventually(async () => (await readFile(token, 'utf8')) === 'second');
    expect(await readFile(token, 'utf8')).toBe('second');
    await file.remove();
  });
});

const credentials = {
  context: 'lab',
  server: 'https://127.0.0.1:6443',
  headers: { authorization: 'Bearer the-token' },
  tls: {},
  secrets: [],
};

describe('the kubeconfig on disk', () => {
  it('is told before it is there, is its owner’s alone, and goes', async () => {
    const told: string[][] = [];
    const file = await writeKubeconfig(credentials, folder, {
      onFolder: (path) => told.push([path]),
      warn: () => undefined,
    });
    expect(told).toEqual([[join(file.path, '..')]]);
    expect((await stat(file.path)).mode & 0o777).toBe(0o600);
    expect(await readFile(file.path, 'utf8')).toContain('the-token');
    await file.remove();
    expect(await readdir(folder)).toEqual([]);
  });

  it('is removed by whoever outlives a process that was killed, and nothing else is', async () => {
    let left = '';
    await writeKubeconfig(credentials, folder, {
      onFolder: (path) => {
        left = path;
      },
      warn: () => undefined,
    });
    expect([await removeKubeconfig(left), await removeKubeconfig(left)]).toEqual([true, false]);
    await mkdir(join(folder, 'other'));
    for (const path of ['', folder, join(folder, 'other')]) expect(await removeKubeconfig(path)).toBe(false);
    expect(await readdir(folder)).toEqual(['other']);
  });
});
