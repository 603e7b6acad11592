import { expect, it } from '@jest/globals';
import { type ErrorCode, McprtError } from '../errors.js';
import { isExplainedByCluster } from './explains.js';

const failed = (code: ErrorCode): McprtError => new McprtError(code, { what: 'it failed', why: 'x', next: 'y' });

it.each(['cluster-wait', 'certmanager-wait', 'setup-failed', 'restore-verify', 'wipe-stuck'] as const)(
  '%s may have its cause on the cluster',
  (code) => {
    expect(isExplainedByCluster(failed(code))).toBe(true);
  },
);

it.each([
  'wipe-confirm',
  'wipe-protected',
  'wipe-wrong-cluster',
  'restore-orders',
  'restore-plan-moved',
  'certmanager-manifest',
  'setup-source',
  'setup-acme-email',
  'permission-missing',
  'job-timeout',
] as const)('%s is its own cause', (code) => {
  expect(isExplainedByCluster(failed(code))).toBe(false);
});

it('a caller that waits for the cluster says which of its own errors may have one too', () => {
  expect(isExplainedByCluster(failed('job-timeout'), ['job-timeout'])).toBe(true);
  expect(isExplainedByCluster(new Error('x'), ['job-timeout'])).toBe(false);
});
