import { expect, test } from '@jest/globals';
import { coverageNews, coverageWords, jestWords } from './unit-words.js';

test.each([
  ['a test by its source', ['shared/a.test.ts'], ['build/shared/a\\.test\\.js$']],
  ['a test as it is compiled', ['build/shared/a.test.js'], ['build/shared/a\\.test\\.js$']],
  ['a part of a name, and what jest knows', ['backup/seal', '--coverage'], ['backup/seal', '--coverage']],
  ['tests of a source', ['--bail', 'shared/a.ts'], ['--bail', '--findRelatedTests', 'build/shared/a.js']],
  [
    'a test and the tests of a source',
    ['shared/a.ts', 'shared/b.test.ts'],
    ['--findRelatedTests', 'build/shared/a.js', 'build/shared/b.test.js'],
  ],
  ['nothing: all', [], []],
])('%s', (_, words, wanted) => {
  expect(jestWords(words)).toEqual(wanted);
});

test('the floor is for all of the product’s tests together', () => {
  expect(coverageWords(['shared/a.test.ts'])).toEqual([]);
  expect(coverageWords(['--coverage', 'shared/a.test.ts'])).toEqual(
    expect.arrayContaining(['--coverageThreshold', '{}']),
  );
  expect(coverageWords(['--coverage'])).toContain('/build/proofs/');
});

test('a floor that can rise is told', () => {
  expect(coverageNews(90.4, 89)).toContain('can rise from 89 to 90');
  expect(coverageNews(89.9, 89)).not.toContain('rise');
});
