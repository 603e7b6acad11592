import { expect, it } from '@jest/globals';
import { certManagerVersion } from './version.js';

it('compares releases', () => {
  const version = certManagerVersion('v1.19.1');
  expect(version.text).toBe('1.19.1');
  expect([version.atLeast(1, 19, 1), version.atLeast(1, 19), version.atLeast(1, 9), version.atLeast(0, 99)]).toEqual([
    true,
    true,
    true,
    true,
  ]);
  expect([version.atLeast(1, 19, 2), version.atLeast(1, 20), version.atLeast(2, 0)]).toEqual([false, false, false]);
  expect(certManagerVersion('1.20.0-beta.1').atLeast(1, 20)).toBe(true);
});

it.each(['', 'latest', 'v1.21', '1.2.3.4'])('refuses %p', (text) => {
  expect(() => certManagerVersion(text)).toThrow(expect.objectContaining({ code: 'certmanager-version' }));
});
