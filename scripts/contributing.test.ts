import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { root } from '../lab/driver/folders.js';

it('every change has at most three places, and they are there', async () => {
  const page = await readFile(join(root, 'CONTRIBUTING.md'), 'utf8');
  const table = page.slice(page.indexOf('## Where a change goes'));
  const rows = table.split('\n').filter((line) => line.startsWith('| ') && !/^\| (?:You want|---)/.test(line));
  expect(rows.length).toBeGreaterThanOrEqual(12);
  for (const row of rows) {
    const places = [...row.matchAll(/`([\w./*-]+)`/g)]
      .map(([, place = '']) => place)
      .filter((one) => one.includes('/'));
    const whole = places.filter((place) => !place.startsWith('src/'));
    expect(whole.length).toBeGreaterThan(0);
    expect([row, whole.length <= 3]).toEqual([row, true]);
    expect(whole.filter((place) => !existsSync(join(root, place)))).toEqual([]);
  }
});
