import { describe, expect, it } from '@jest/globals';
import { type Backport, has, since } from './backports.js';
import { certManagerVersion } from './version.js';

describe('since', () => {
  it.each([
    ['1.16.2', false],
    ['1.16.3', true],
    ['1.16.9', true],
    ['1.17.0', false],
    ['1.18.2', false],
    ['1.18.3', true],
    ['1.19.0', false],
    ['1.19.1', true],
    ['1.20.0', true],
    ['2.0.0', true],
  ])('%s', (version, wanted) => {
    const firsts = [
      [1, 16, 3],
      [1, 18, 3],
      [1, 19, 1],
    ] as const;
    expect(since(certManagerVersion(version), firsts)).toBe(wanted);
  });
});

describe('has', () => {
  it.each<[Backport, without: readonly string[], having: readonly string[]]>([
    ['percentageOfWhatIsLeft', ['1.16.2'], ['1.16.3', '1.17.0', '1.21.2']],
    ['issuerDefaultsAreEqual', ['1.16.5', '1.18.2', '1.19.0'], ['1.18.3', '1.19.1', '1.20.0']],
    ['longRequests', ['1.17.4', '1.18.2'], ['1.18.3', '1.19.0']],
    ['certificatesAsBundle', ['1.16.5'], ['1.17.0']],
    ['positiveSerials', ['1.16.4'], ['1.16.5', '1.17.0']],
    ['keyNumbersCount', ['1.16.5', '1.17.4', '1.18.3'], ['1.18.5', '1.19.0']],
    ['hostsOnce', ['1.20.3', '1.21.1'], ['1.21.2', '1.22.0']],
    ['oneColon', ['1.20.3'], ['1.21.0']],
  ])('%s', (change, without, having) => {
    expect(without.filter((version) => has(certManagerVersion(version), change))).toEqual([]);
    expect(having.filter((version) => !has(certManagerVersion(version), change))).toEqual([]);
  });
});
