import { describe, expect, it } from '@jest/globals';
import { momentText } from './moment.js';

describe('a moment for people', () => {
  const now = new Date('2026-11-30T21:00:00Z');
  it.each([
    ['2026-12-02T07:03:44Z', '2026-12-02 07:03 UTC, in 34 hours'],
    ['2026-12-05T21:00:00Z', '2026-12-05 21:00 UTC, in 5 days'],
    ['2026-11-30T22:28:29Z', '2026-11-30 22:28 UTC, in 88 minutes'],
    ['2026-11-30T21:01:00Z', '2026-11-30 21:01 UTC, in 1 minute'],
    ['2026-11-30T21:00:20Z', '2026-11-30 21:00 UTC, now'],
    ['2026-11-30T18:00:00Z', '2026-11-30 18:00 UTC, 3 hours ago'],
  ])('%s', (moment, text) => {
    expect(momentText(new Date(moment), now)).toBe(text);
  });
});
