import { expect, it } from '@jest/globals';
import { parseRunsOn } from './runs-on.js';

it.each([
  ['', ''],
  ['k3s', 'k3s'],
  ['self-hosted,k3s', '["self-hosted","k3s"]'],
  ['self-hosted, k3s', '["self-hosted","k3s"]'],
  ['["self-hosted", "k3s"]', '["self-hosted","k3s"]'],
  ["['k3s']", 'k3s'],
])('labels of runners: %s', (text, input) => {
  expect(parseRunsOn(text)).toBe(input);
});

it.each(['a b', ',', '[]', 'k3s,', '$x', '-x', '"'])('no labels of runners: %s', (text) => {
  expect(() => parseRunsOn(text)).toThrow('no label of a runner');
});
