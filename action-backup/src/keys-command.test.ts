import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { keysCommand } from './keys-command.js';

let folder: string;
let said: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mcprt-keys-'));
  said = '';
  for (const stream of [process.stdout, process.stderr]) {
    jest.spyOn(stream, 'write').mockImplementation((text) => {
      said += String(text);
      return true;
    });
  }
});

afterEach(async () => {
  jest.restoreAllMocks();
  process.exitCode = undefined;
  await rm(folder, { recursive: true, force: true });
});

describe('the command that makes keys', () => {
  it('makes them where no git is, and quotes what it prints', async () => {
    await keysCommand(['--out', join(folder, 'my keys'), '--repo', 'a/b;c']);
    expect(await readdir(join(folder, 'my keys'))).toHaveLength(3);
    expect(said).toContain(`< '${join(folder, 'my keys', 'backup.key')}'`);
    expect(said).toContain("--repo 'a/b;c'");
    expect(said).toContain('for environment in mcprt-backup mcprt-wipe; do');
    expect(said).toContain('for environment in mcprt-restore mcprt-drill; do');
    expect(said.indexOf('docs/keys.md')).toBeLessThan(said.indexOf('gh secret set'));
  });

  it('makes none where git would add one of them', async () => {
    execFileSync('git', ['init', '--quiet'], { cwd: folder });
    await mkdir(join(folder, 'deep'));
    for (const ignored of ['', '*.key\n', 'other/\n']) {
      await writeFile(join(folder, '.gitignore'), ignored);
      await keysCommand(['--out', join(folder, 'deep', 'keys')]);
      expect([ignored, process.exitCode, await readdir(join(folder, 'deep'))]).toEqual([ignored, 1, []]);
    }
    expect(said).toMatch(/^key-inside: /);
    process.exitCode = undefined;
    await writeFile(join(folder, '.gitignore'), 'keys/\n');
    await keysCommand(['--out', join(folder, 'deep', 'keys')]);
    expect(await readdir(join(folder, 'deep', 'keys'))).toHaveLength(3);
    said = '';
    await keysCommand(['--out', join(folder, 'deep', 'keys')]);
    expect([said.slice(0, 12), process.exitCode]).toEqual(['key-folder: ', 1]);
    await keysCommand(['--clasic']);
    expect([said.includes("Unknown option '--clasic'"), process.exitCode]).toEqual([true, 2]);
    process.exitCode = undefined;
  });
});
