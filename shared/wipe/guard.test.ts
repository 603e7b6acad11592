import { describe, expect, it } from '@jest/globals';
import { McprtError } from '../errors.js';
import { guardCluster, guardInputs } from './guard.js';

const codeOf = (work: () => void): string => {
  try {
    work();
    return 'none';
  } catch (error) {
    return error instanceof McprtError ? error.code : String(error);
  }
};
const inputs = { also: [], confirm: 'example.com', domain: 'example.com', dryRun: false };
const seen = { fingerprint: 'f', installedDomain: 'example.com', journal: undefined };
const expected = { expected: '', domain: 'example.com' };

describe('guardInputs', () => {
  it.each([
    ['none', {}],
    ['wipe-confirm', { confirm: '' }],
    ['wipe-confirm', { confirm: 'Example.com' }],
    ['none', { confirm: '', dryRun: true }],
    ['wipe-protected', { also: ['kube-public'] }],
    ['wipe-protected', { also: ['default'], dryRun: true }],
    ['none', { also: ['cert-manager'] }],
  ])('gives %s for %j', (code, change) => {
    expect(codeOf(() => guardInputs({ ...inputs, ...change }))).toBe(code);
  });
});

it('who has not confirmed is told by which input a wipe is only shown', () => {
  expect(() => guardInputs({ ...inputs, confirm: '' })).toThrow(
    expect.objectContaining({ next: expect.stringMatching(/`dry-run`.*`confirm: example\.com`/) }),
  );
});

describe('guardCluster', () => {
  it.each([
    ['none', {}, {}],
    ['none', {}, { expected: 'f' }],
    ['wipe-wrong-cluster', {}, { expected: 'g' }],
    ['wipe-wrong-cluster', { installedDomain: 'example.org' }, {}],
    ['none', { installedDomain: undefined }, {}],
  ])('gives %s for %j and %j', (code, live, wanted) => {
    expect(codeOf(() => guardCluster({ ...seen, ...live }, { ...expected, ...wanted }))).toBe(code);
  });
});
