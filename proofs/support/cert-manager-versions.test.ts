import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { root } from '../../lab/driver/folders.js';
import { versionOf, versions } from './cert-manager-versions.js';

it('the lab runs the newest version whose rules are known', async () => {
  const modules = await readFile(join(root, 'lab', 'cluster', 'go.mod'), 'utf8');
  expect(/cert-manager\/cert-manager v(\S+)/.exec(modules)?.[1]).toBe(versions.at(-1));
});

it.each([
  ['1.16', '1.16.5'],
  ['v1.16.2', '1.16.2'],
  ['1.99', '1.99'],
])('%s is taken as %s', (given, meant) => {
  expect(versionOf(given)).toBe(meant);
});
