import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { root } from '../../lab/driver/folders.js';
import { shown } from './shown.js';

describe('the pictures that the docs show', () => {
  it('are those of the texts that are kept, each for light and for dark pages', async () => {
    const names = shown.map(({ name }) => name).sort();
    const kept = await readdir(join(root, 'proofs', 'pictures', 'shown'));
    expect(kept.sort()).toEqual(names.map((name) => `${name}.markdown`));
    const pictures = (await readdir(join(root, 'docs', 'pictures'))).filter((name) => name.endsWith('.png'));
    expect(pictures.sort()).toEqual(names.flatMap((name) => [`${name}-dark.png`, `${name}-light.png`]));
  });

  it('say what they are chosen for', async () => {
    for (const { name, says } of shown) {
      expect(await readFile(join(root, 'proofs', 'pictures', 'shown', `${name}.markdown`), 'utf8')).toMatch(says);
    }
  });
});
