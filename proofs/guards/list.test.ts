import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { root } from '../../lab/driver/folders.js';
import { guards } from './list.js';

it.each(guards.map(({ name, file, off: [on] }) => [name, file, on]))('%s: its text is there once', (_, file, on) => {
  expect(readFileSync(join(root, file), 'utf8').split(on)).toHaveLength(2);
});
