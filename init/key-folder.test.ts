import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { stateOfKeys, writeKeys } from './key-folder.js';
import type { PlannedFile } from './plan.js';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mcprt-keys-'));
});
afterEach(() => rm(folder, { recursive: true }));

const fresh: { files: PlannedFile[] } = { files: [{ name: 'mcprt-backup.yml', text: '', state: 'new' }] };
const again: { files: PlannedFile[] } = { files: [{ name: 'mcprt-backup.yml', text: '', state: 'same' }] };
const textOf = (...path: string[]): Promise<string> => readFile(join(folder, ...path), 'utf8');

it('makes keys where there are none, and leaves those that are there', async () => {
  const first = await stateOfKeys(folder, fresh, false);
  expect(first).toEqual({ are: 'made', movedTo: '', older: [], offline: [], awaited: '' });
  await writeKeys(folder, first);
  const made = await textOf('restore.key');
  const second = await stateOfKeys(folder, again, false);
  expect(second.are).toBe('there');
  await writeKeys(folder, second);
  expect(await textOf('restore.key')).toBe(made);
});

it('makes none in place of those that were put away', async () => {
  const state = await stateOfKeys(folder, again, false);
  expect(state.are).toBe('left');
  await writeKeys(folder, state);
  expect(await readdir(folder)).toEqual([]);
});

it('moves the old ones away when new ones are asked for, each set into a folder of its own', async () => {
  await writeKeys(folder, await stateOfKeys(folder, fresh, false));
  const made = [await textOf('restore.key')];
  await writeFile(join(folder, 'notes.txt'), 'of somebody');
  for (const count of [1, 2]) {
    const state = await stateOfKeys(folder, again, true);
    expect(state).toMatchObject({ are: 'renewed', movedTo: join(folder, `old-${count}`) });
    expect(state.older).toHaveLength(count);
    await writeKeys(folder, state);
    made.push(await textOf('restore.key'));
  }
  expect(new Set(made).size).toBe(3);
  expect(await Promise.all([textOf('old-1', 'restore.key'), textOf('old-2', 'restore.key')])).toEqual(made.slice(0, 2));
  expect(await textOf('notes.txt')).toBe('of somebody');
});

it('renews those that were put away without moving anything', async () => {
  const state = await stateOfKeys(folder, again, true);
  expect(state).toEqual({
    are: 'renewed',
    movedTo: '',
    older: [],
    offline: [],
    awaited: join(folder, 'old-restore.key'),
  });
  await writeKeys(folder, state);
  expect((await readdir(folder)).sort()).toEqual(['backup.key', 'offline.txt', 'old-restore.key', 'restore.key']);
});

it('stores the old restore key as soon as its owner has put it there', async () => {
  const old = join(folder, 'old-restore.key');
  await writeKeys(folder, await stateOfKeys(folder, again, true));
  expect(await stateOfKeys(folder, again, false)).toMatchObject({ are: 'there', older: [], awaited: old });
  await writeFile(old, 'old');
  expect(await stateOfKeys(folder, again, false)).toMatchObject({ are: 'there', older: [old], awaited: '' });
});

it('keeps the old restore key that was put there before', async () => {
  await writeFile(join(folder, 'old-restore.key'), 'old');
  const state = await stateOfKeys(folder, again, true);
  expect(state).toMatchObject({ are: 'renewed', movedTo: '' });
  await writeKeys(folder, state);
  expect(await textOf('old-restore.key')).toBe('old');
});
