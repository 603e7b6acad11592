import { Readable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { linearIn } from '../testing/linear.js';
import { tailOfLines } from './tail.js';

describe('the output of a program', () => {
  it('is told line by line, without line ends', async () => {
    const told: string[] = [];
    const tail = tailOfLines((line) => told.push(line));
    await tail.read(Readable.from([Buffer.from('a\r\nb'), Buffer.from('c\n\nd')]));
    expect(told).toEqual(['a', 'bc', '', 'd']);
    expect(tail.lines()).toEqual(told);
  });

  it('is kept from its end, and not all of a line', async () => {
    const tail = tailOfLines(() => undefined);
    await tail.read(
      Readable.from(Array.from({ length: 10_000 }, (_, at) => Buffer.from(`${at} ${'x'.repeat(5_000)}\n`))),
    );
    expect(tail.lines().length).toBeLessThan(5_000);
    expect(tail.lines().at(-1)).toMatch(/^9999 x+$/);
    expect(tail.lines().at(-1)?.length).toBeLessThan(5_000);
  });

  it('takes time in proportion to it, with and without line ends', async () => {
    for (const piece of ['x', '\n']) {
      const read = (count: number): Promise<void> =>
        tailOfLines(() => undefined).read(
          Readable.from(Array.from({ length: count }, () => Buffer.from(piece.repeat(1_000)))),
        );
      expect(await linearIn(read, 100)).toBe(true);
    }
  });
});
