import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { root } from '../../lab/driver/folders.js';
import type { Finding } from '../../shared/checks/finding.js';
import { factsOf, recordedWorlds } from '../../shared/checks/testing/worlds.js';
import { newSetupRecord } from '../../shared/setup/options.js';
import { checkSummary } from './report.js';

const finding: Finding = {
  code: 'dns-missing',
  severity: 'error',
  subject: 'mcp.example.com',
  cause: 'the name has no DNS record',
  evidence: [],
  remedy: 'make the record; check with `dig +short mcp.example.com`',
  confidence: 'certain',
};

it('a check ends with the first remedy, whose command is code', async () => {
  const { healthy } = JSON.parse(await readFile(join(root, recordedWorlds), 'utf8'));
  const record = { ...newSetupRecord(), findings: [finding] };
  const text = checkSummary(record, factsOf(healthy), 'example.com').text();
  const last = text.trim().split('\n').at(-1) ?? '';
  expect(last).toBe('**Next:** make the record; check with `dig +short mcp.example.com`');
});
