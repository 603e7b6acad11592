import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { root } from '../lab/driver/folders.js';
import { proofs } from '../proofs/registry.js';

/** The rows of the table of threats, without its head. */
async function rows(): Promise<string[][]> {
  const page = await readFile(join(root, 'SECURITY.md'), 'utf8');
  return page
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| --- ') && !line.startsWith('| Who | Could |'))
    .map((line) => line.slice(2, -2).split(' | '));
}

describe('each row of the threats', () => {
  it('is there, with five cells', async () => {
    const all = await rows();
    expect(all.length).toBeGreaterThan(20);
    expect(all.filter((cells) => cells.length !== 5)).toEqual([]);
  });

  it('names the proofs or tests that hold it, and they exist', async () => {
    const names = new Set(proofs.map(({ name }) => name));
    const files = new Set((await readdir(root, { recursive: true })).filter((file) => file.endsWith('.test.ts')));
    for (const cells of await rows()) {
      const held = [...(cells.at(-1) ?? '').matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
      expect([cells[2], held.length > 0]).toEqual([cells[2], true]);
      expect([cells[2], held.filter((name) => !names.has(name) && !files.has(name))]).toEqual([cells[2], []]);
    }
  });
});
