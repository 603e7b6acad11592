import { describe, expect, it } from '@jest/globals';
import { retryAfter } from './retry-after.js';

describe('retryAfter', () => {
  const now = new Date('2026-01-01T00:00:00Z');
  it.each<[string | undefined, number]>([
    ['3', 3],
    ['Thu, 01 Jan 2026 00:00:05 GMT', 5],
    ['Wed, 31 Dec 2025 00:00:00 GMT', 0],
    ['soon', 0],
    [undefined, 0],
  ])('of %s is %i s', (header, seconds) => {
    expect(retryAfter(header, now) ?? 0).toBe(seconds);
  });

  it.each(['soon', '', undefined])('of %s is not known, which is not none', (header) => {
    expect(retryAfter(header, now)).toBeUndefined();
    expect(retryAfter('0', now)).toBe(0);
  });
});
