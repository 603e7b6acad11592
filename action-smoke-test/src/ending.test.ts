import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { McprtError } from '../../shared/errors.js';
import type { Check } from '../../shared/smoke/checks.js';
import { told } from './ending.js';
import type { SmokeInputs } from './inputs.js';
import { newReport } from './report.js';

let folder = '';
let printed = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mcprt-test-ending-'));
  printed = '';
  jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += String(text);
    return true;
  });
});
afterEach(async () => {
  jest.restoreAllMocks();
  process.exitCode = 0;
  await rm(folder, { recursive: true });
});

const failed: Check = {
  suite: 'health',
  name: 'dns',
  status: 'failed',
  ms: 1,
  detail: '',
  failure: { code: 'smoke-dns', what: 'no record', why: 'none', next: 'make it' },
};
const skipped: Check = { suite: 'health', name: 'tls', status: 'skipped', ms: 0, detail: 'no record' };

function ending(checks: Check[], failure?: { error: unknown }) {
  const inputs = { operation: 'test', 'dry-run': false, junit: join(folder, 'junit.xml') } as SmokeInputs;
  const report = newReport(inputs, { domain: 'example.com', run: 'r1', checks, isKept: false });
  return told(report, { inputs, failure, metadataErrors: [], env: {} });
}

it('the log counts the checks that failed as the summary does', async () => {
  const { summary, afterwards } = ending([failed, skipped, skipped]);
  await afterwards?.();
  expect(summary.text()).toContain('1 of 1 checks failed');
  expect(printed).toContain('1 of 1 checks failed, 2 skipped');
  expect(process.exitCode).toBe(1);
});

it('what ended a run stands in its summary, whether something was checked before or not', async () => {
  const error = new McprtError('cluster-forbidden', { what: 'it is forbidden', why: 'RBAC', next: 'grant it' });
  for (const checks of [[], [failed]]) {
    const { summary, failure, afterwards } = ending(checks, { error });
    expect(summary.text()).toMatch(/cluster-forbidden[\s\S]*grant it/);
    expect(failure).toEqual({ error });
    await afterwards?.();
  }
});
