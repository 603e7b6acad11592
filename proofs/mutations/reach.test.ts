import { expect, test } from '@jest/globals';
import { importsOf, testsOf } from './reach.js';

test('a source is what it imports at run time', () => {
  const source = `import { a } from './a.js';
import type { B } from './b.js';
import {
  c,
  type D,
} from '../c.js';
export { e } from './e/e.js';
import 'node:fs';
const f = await import('./f.js');
const g = new URL('./g.js', import.meta.url);`;
  expect(importsOf('x/y/z.ts', source)).toEqual(['x/y/a.ts', 'x/c.ts', 'x/y/e/e.ts', 'x/y/f.ts', 'x/y/g.ts']);
});

test('the tests of a source are its own, then the nearest', () => {
  const imports = new Map([
    ['a.ts', []],
    ['b.ts', ['a.ts']],
    ['a-more.test.ts', ['a.ts']],
    ['a.test.ts', ['a.ts', 'b.ts']],
    ['b.test.ts', ['b.ts']],
    ['c.test.ts', ['c.ts']],
  ]);
  expect(testsOf('a.ts', imports)).toEqual(['a.test.ts', 'a-more.test.ts', 'b.test.ts']);
  expect(testsOf('b.ts', imports)).toEqual(['b.test.ts', 'a.test.ts']);
});
