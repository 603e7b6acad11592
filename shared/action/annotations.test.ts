import { describe, expect, it } from '@jest/globals';
import { AnnotationCount, type Kind } from './annotations.js';

/** How many of some annotations are made, and what is told at the end. */
function shown(kind: Kind, number: number, end = 0): [number, string[]] {
  const count = new AnnotationCount();
  let made = 0;
  for (let index = 0; index < number; index += 1) made += Number(count.takes(kind));
  for (let index = 0; index < end; index += 1) made += Number(count.takes(kind, true));
  return [made, count.missing().map(({ text }) => text)];
}

describe('annotations', () => {
  it.each([
    ['warning', 9, [9, []]],
    ['warning', 10, [9, ['1 more warning: see the log of this step, and its summary']]],
    ['warning', 500, [9, ['491 more warnings: see the log of this step, and its summary']]],
    ['notice', 12, [9, ['3 more notices: see the log of this step, and its summary']]],
    ['error', 8, [8, []]],
    ['error', 20, [8, ['12 more errors: see the log of this step, and its summary']]],
  ] as const)('of kind %s, %i of them, are as many as GitHub shows with the last word', (kind, number, expected) => {
    expect(shown(kind, number)).toEqual(expected);
  });

  it('have a place for what has ended the step, however many errors came before', () => {
    const [made, told] = shown('error', 100, 1);
    expect([made, told.length]).toEqual([9, 1]);
  });

  it('of one kind take no place of another', () => {
    const count = new AnnotationCount();
    for (let index = 0; index < 50; index += 1) count.takes('warning');
    expect([count.takes('error'), count.takes('notice'), count.takes('warning')]).toEqual([true, true, false]);
    expect(count.missing().map(({ kind }) => kind)).toEqual(['warning']);
  });
});
