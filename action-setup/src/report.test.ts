import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { root } from '../../lab/driver/folders.js';
import type { Finding } from '../../shared/checks/finding.js';
import { factsOf, recordedWorlds } from '../../shared/checks/testing/worlds.js';
import { McprtError } from '../../shared/errors.js';
import { newSetupRecord } from '../../shared/setup/options.js';
import { checkSummary, setupSummary } from './report.js';

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

describe('which finding causes others', () => {
  const of = async (...codes: Finding['code'][]): Promise<string> => {
    const { healthy } = JSON.parse(await readFile(join(root, recordedWorlds), 'utf8'));
    const record = { ...newSetupRecord(), findings: codes.map((code) => ({ ...finding, code })) };
    return checkSummary(record, factsOf(healthy), 'example.com').text().split('\n')[2] ?? '';
  };

  it('is said only where the rules know it', async () => {
    expect(await of('kube-system-wiped', 'dns-missing')).toBe('❌ **2 things are wrong.**');
    expect(await of('dns-missing')).toBe('❌ **1 thing is wrong.**');
    expect(await of('traefik-down', 'port-80-closed')).toBe(
      '❌ **2 things are wrong.** The first is the likeliest cause of the other.',
    );
    expect(await of('traefik-down', 'port-80-closed', 'port-443-closed')).toContain('of the others.');
    expect(await of('traefik-down', 'dns-missing', 'port-80-closed')).toContain(
      'The first is the likeliest cause of `port-80-closed`.',
    );
  });
});

describe('the summary of a setup that failed', () => {
  const error = new McprtError('certmanager-manifest', {
    what: 'cert-manager’s manifest cannot be read',
    why: 'getaddrinfo ENOTFOUND github.com\nsecond line',
    next: 'download it before, and give its path in `cert-manager-manifest`',
  });
  const given = { domain: 'example.com', dryRun: false, now: new Date() };

  it('begins with the error that ended it, and its own way out', () => {
    const record = { ...newSetupRecord(), findings: [finding] };
    const lines = setupSummary(record, { ...given, error })
      .text()
      .trim()
      .split('\n');
    expect(lines[2]).toBe('❌ `certmanager-manifest`: cert-manager’s manifest cannot be read.');
    expect(lines.slice(4, 6)).toEqual(['- getaddrinfo ENOTFOUND github.com', '- second line']);
    expect(lines.at(-1)).toBe('**Next:** download it before, and give its path in `cert-manager-manifest`');
  });

  it('tells behind it what was found that may be why, each with what to do', () => {
    const ended = new McprtError('setup-failed', { what: 'the installer failed', why: 'long', next: 'one\ntwo' });
    const record = { ...newSetupRecord(), findings: [finding], likely: finding };
    const text = setupSummary(record, { ...given, error: ended }).text();
    expect(text).toContain(
      '❌ `setup-failed`: the installer failed. Likely because: **mcp.example.com: the name has no DNS record.**',
    );
    expect(text.trim().endsWith('**Next**\n\n- one\n- two')).toBe(true);
  });
});
