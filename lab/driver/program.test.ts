import { describe, expect, it } from '@jest/globals';
import { howFar } from './program.js';

describe('how far a build is', () => {
  it('says what is left once a twentieth of it is done', () => {
    expect(howFar({ compiled: 100, total: 3000, seconds: 15.2 })).toBe('100 of 3000 packages, 15 s');
    expect(howFar({ compiled: 1000, total: 3000, seconds: 90 })).toBe(
      '1000 of 3000 packages, 90 s; about 3 minutes left at this speed',
    );
    expect(howFar({ compiled: 2900, total: 3000, seconds: 290 })).toBe(
      '2900 of 3000 packages, 290 s; about 10 s left at this speed',
    );
  });

  it('says what it knows where the total is not known, or was too low', () => {
    expect(howFar({ compiled: 7, total: undefined, seconds: 3 })).toBe('7 packages, 3 s');
    expect(howFar({ compiled: 12, total: 10, seconds: 30 })).toBe(
      '12 of 10 packages, 30 s; about 0 s left at this speed',
    );
  });
});
