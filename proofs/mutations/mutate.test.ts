import { expect, test } from '@jest/globals';
import { mutated, mutationsOf } from './mutate.js';

const lines = (source: string): string[] => mutationsOf(source).map((one) => mutated(source, one));

test.each([
  ['a condition', 'if (a) b = c;', ['if (!(a)) b = c;']],
  ['a choice', 'x = a ? b : c;', ['x = !(a) ? b : c;']],
  ['a comparison', 'x = a < b;', ['x = (a <= b);']],
  ['an equality', 'x = a === b;', ['x = (a !== b);']],
  ['both', 'x = a && b;', ['x = (a || b);']],
  ['a negation', 'x = !a;', ['x = (a);']],
  ['a truth', 'x = true;', ['x = false;']],
  ['a number', 'x = 2;', ['x = 3;']],
  ['a product', 'x = 2 * 3;', ['x = (2 / 3);', 'x = 3 * 3;', 'x = 2 * 4;']],
  ['a word', "x = 'a';", ["x = 'a~';"]],
  ['a word in place of another', "x = a ?? 'b';", ["x = a ?? 'b~';"]],
  [
    'a name made of parts',
    `x = \`\${a ? 'b' : 'c'}/d\`;`,
    [`x = \`\${!(a) ? 'b' : 'c'}/d\`;`, `x = \`\${a ? 'b~' : 'c'}/d\`;`, `x = \`\${a ? 'b' : 'c~'}/d\`;`],
  ],
  ['a call', 'go();', [';']],
  ['an awaited call', 'await go();', [';']],
  ['a throw', 'throw a;', [';']],
  ['a filter', 'x = a.filter(b);', ['x = a;']],
  ['a part', 'x = a.slice(0, 2);', ['x = a.slice(1, 2);', 'x = a.slice(0, 3);']],
  ['any', 'x = a.some(b);', ['x = a.every(b);']],
])('%s is changed', (_, source, wanted) => {
  expect(lines(source)).toEqual(wanted);
});

test.each([
  ['a type', "type A = 'a' | 1; let x: A; const y = z as 'b';"],
  ['an import', "import { a } from './a.js';"],
  ['the key of an object', "x = { 'a-b': a, c };"],
  ['a text', "x = 'more than a word'; throw_(new Error(b ? c : d));"],
  ['what a person reads', "x = { what: a ? 'b' : 'c', why: `d` };"],
  ['a report', "progress('a'); context.log('a' + 1);"],
  ['a deadline', 'x = 60_000;'],
  ['a size', 'x = 16 * 1024 * 1024;'],
  ['a pause', 'await pause(250);'],
  ['a pause that grows', 'for (let wait = 25; ; );'],
  ['a moment that is met', 'x = Date.now() > end;'],
  ['what is quoted of a text', 'x = a.slice(0, 80);'],
  ['how many at a time', 'const parallelReads = 4; x = { parallel: 8 };'],
  ['nothing in place of a text', "x = a ?? ''; const [b = ''] = c;"],
  ['a plural', `x = \`\${a} thing\${a === 1 ? '' : 's'} are left\`;`],
  ['a comment', '/** if (a === b) */\nx = a;'],
])('%s is left alone', (_, source) => {
  expect(lines(source).filter((line) => line !== source.replace(/throw_\(.*\);/, ';'))).toEqual([]);
});
