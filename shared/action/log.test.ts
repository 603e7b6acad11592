import { describe, expect, it } from '@jest/globals';
import { linearIn } from '../testing/linear.js';
import { plainLines } from './log.js';

describe('text from outside in the log', () => {
  it('is no command to the runner, whatever ends a line', () => {
    for (const end of ['\n', '\r', '\r\n', '\u0085', '\u2028', '\v', '\f', '\n \t\u00a0']) {
      for (const line of plainLines(`a${end}::set-output name=x::y`).split('\n')) {
        expect(line.trimStart().startsWith('::')).toBe(false);
      }
    }
    expect(plainLines('a ##[group]b')).toBe('a ## [group]b');
    expect(plainLines('::add-mask::x')).toBe(': :add-mask::x');
  });

  it('has no characters of a terminal, and none that turn the direction of writing', () => {
    expect(plainLines('a\u001b[31mb\u202ec\u0007d\te')).toBe('a[31mbcd\te');
  });

  it('has a limit, and takes time in proportion to its length', async () => {
    expect(plainLines('x'.repeat(1_000_000)).length).toBeLessThan(40_000);
    expect(await linearIn((n) => plainLines('\n'.repeat(n)), 8_000)).toBe(true);
    expect(await linearIn((n) => plainLines(`${' '.repeat(n)}::`), 8_000)).toBe(true);
  });
});
