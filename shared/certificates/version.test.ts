import { expect, it } from '@jest/globals';
import { certManagerVersion, installableCertManager, isBeyondKnown, newestCertManager } from './version.js';

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

it('knows which versions are beyond the newest known', () => {
  expect(['v1.22.0', '1.22.1', 'v2.0.0'].filter((text) => !isBeyondKnown(text))).toEqual([]);
  expect(['v1.21.2', '1.21.9', 'v1.16.2', 'latest'].filter(isBeyondKnown)).toEqual([]);
});

it('installs the newest that a cluster takes', () => {
  expect(installableCertManager(false)).toBe(newestCertManager);
  const old = certManagerVersion(installableCertManager(true));
  expect([old.atLeast(1, 19), old.atLeast(1, 20)]).toEqual([true, false]);
});
