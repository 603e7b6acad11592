import { expect, test } from '@jest/globals';
import { chanceOfMore } from './figures.js';

test.each([
  [0, 0, 1],
  [1, 0, 0.5],
  [0, 1, 1],
  [2, 0, 0.25],
  [2, 1, 0.5],
  [3, 1, 5 / 16],
  [10, 0, 1 / 1024],
])('%i and %i: %f', (count, other, wanted) => {
  expect(chanceOfMore(count, other)).toBeCloseTo(wanted, 10);
});

test('large counts', () => {
  expect(chanceOfMore(200, 200)).toBeGreaterThan(0.5);
  expect(chanceOfMore(260, 140)).toBeLessThan(1e-8);
});
