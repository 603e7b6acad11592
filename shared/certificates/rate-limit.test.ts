import { expect, it } from '@jest/globals';
import { refusedUntil, saysRateLimited } from './rate-limit.js';

const told =
  '429 urn:ietf:params:acme:error:rateLimited: too many certificates (5) already issued for this exact set of identifiers in the last 168h0m0s, retry after 2026-12-02 14:44:38 UTC';

it.each([
  [told, '2026-12-02T14:44:38.000Z'],
  [
    `Failed to wait for order resource "a" to become ready: order is in "errored" state: ${told}: see docs`,
    '2026-12-02T14:44:38.000Z',
  ],
  ['rateLimited, retry after 2026-12-02T14:44:38Z', '2026-12-02T14:44:38.000Z'],
  ['429: too many requests', undefined],
  ['no answer, retry after 2026-12-02 14:44:38 UTC', undefined],
  ['', undefined],
])('%j holds until %s', (text, until) => {
  expect(refusedUntil(text)?.toISOString()).toBe(until);
});

it('tells it from other refusals', () => {
  expect(['429', 'too many certificates', 'port 4290 is closed', '403 unauthorized'].map(saysRateLimited)).toEqual([
    true,
    true,
    false,
    false,
  ]);
});
