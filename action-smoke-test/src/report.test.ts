import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { endAnnotations } from '../../shared/action/log.js';
import { McprtError } from '../../shared/errors.js';
import { MetadataError } from '../../shared/platform/servers-file.js';
import type { Check } from '../../shared/smoke/checks.js';
import type { CleanupLine } from '../../shared/smoke/cleanup.js';
import { outputNames } from './inputs.js';
import {
  annotateChecks,
  failedCount,
  outputsOf,
  previewComment,
  removedComment,
  type SmokeReport,
  smokeSummary,
  writeJunit,
} from './report.js';

const at = new Date('2026-06-01T00:00:00Z');
const passed: Check = { suite: 'tenant', name: 'push', status: 'passed', ms: 2_000, detail: '2 s of 30 s' };
const skipped: Check = { suite: 'tenant', name: 'call', status: 'skipped', ms: 0, detail: 'after “ready” failed' };
const failedWith = (code: `smoke-${string}`, what = 'it <broke>'): Check => ({
  suite: 'tenant',
  name: 'ready',
  status: 'failed',
  ms: 1_000,
  detail: 'Pending',
  failure: { code, what, why: 'first | line\nsecond line', next: 'run `kubectl get pods` now' },
});
const failed = failedWith('smoke-not-ready');
const line = (isRemoved: boolean, createdAt = at): CleanupLine => ({
  thing: { kind: 'server', namespace: 'n', name: isRemoved ? 'smoke-old' : 'smoke-new', createdAt, server: '' },
  isRemoved,
  reason: isRemoved ? '7 h old' : 'its run may continue',
});
const report = (more: Partial<SmokeReport> = {}): SmokeReport => ({
  operation: 'test',
  domain: 'example.com',
  run: 'r1',
  checks: [passed],
  names: [],
  cleanup: undefined,
  removed: 0,
  left: [],
  isDryRun: false,
  server: '',
  url: '',
  junit: '/tmp/junit.xml',
  at,
  seconds: 2,
  isKept: true,
  ...more,
});
const result = (of: SmokeReport): Record<string, unknown> => ({ ...outputsOf(of).outputs, ...outputsOf(of).details });

describe('the outputs', () => {
  it('are all that action.yml names, whatever came of the run', () => {
    const { outputs } = outputsOf(report({ checks: [] }));
    expect(['result', ...Object.keys(outputs)]).toEqual([...outputNames]);
  });

  it('count the checks, and name the first failure', () => {
    const checks = [passed, failed, failedWith('smoke-tcp'), skipped];
    const { outputs } = outputsOf(report({ checks, server: 'demo', url: 'https://m/demo' }));
    expect(outputs).toMatchObject({
      passed: 1,
      failed: 2,
      skipped: 1,
      failure: 'smoke-not-ready',
      url: 'https://m/demo',
    });
    expect(outputsOf(report()).outputs.failure).toBe('');
  });

  it('are well only when nothing failed and nothing is left', () => {
    expect(result(report())).toMatchObject({ ok: true, checks: [{ name: 'push' }] });
    expect(result(report({ checks: [failed] })).ok).toBe(false);
    expect(result(report({ left: ['server n/a: no'] })).ok).toBe(false);
  });

  it('tell of a name what was seen, and null for what was not', () => {
    const certificate = {
      serial: 'abc1',
      subject: 'CN=a',
      issuer: 'CN=R11',
      notBefore: at,
      notAfter: at,
      names: '',
      problem: '',
    };
    const names = [
      { host: 'a', address: '10.0.0.1', certificate },
      { host: 'b', address: '', certificate: undefined },
    ];
    expect(result(report({ names })).certificates).toEqual([
      { host: 'a', address: '10.0.0.1', serial: 'abc1', issuer: 'CN=R11', notAfter: '2026-06-01T00:00:00.000Z' },
      { host: 'b', address: '', serial: null, issuer: null, notAfter: null },
    ]);
  });

  it('tell what became of each leftover, also of one whose age is not known', () => {
    const cleanup = [line(true), line(false, new Date(Number.NaN))];
    expect(result(report({ cleanup })).cleanup).toMatchObject([
      { name: 'smoke-old', removed: true, createdAt: '2026-06-01T00:00:00.000Z' },
      { name: 'smoke-new', removed: false, createdAt: null },
    ]);
  });
});

describe('the JUnit report', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mcprt-report-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('is written where it was wanted', async () => {
    const junit = join(folder, 'junit.xml');
    await writeJunit(report({ junit }));
    expect(await readFile(junit, 'utf8')).toContain('name="mcprt smoke test of example.com"');
  });

  it('has its folder made, and the worst first', async () => {
    const junit = join(folder, 'reports', 'smoke', 'junit.xml');
    await writeJunit(
      report({ junit, checks: [passed, failed, { ...failedWith('smoke-tenant-open'), suite: 'multitenancy' }] }),
    );
    const text = await readFile(junit, 'utf8');
    expect(text.indexOf('smoke-tenant-open')).toBeLessThan(text.indexOf('smoke-not-ready'));
  });

  it('says what to correct when it cannot be written', async () => {
    await writeFile(join(folder, 'file'), '');
    const junit = join(folder, 'file', 'junit.xml');
    await expect(writeJunit(report({ junit }))).rejects.toMatchObject({ code: 'smoke-junit' });
  });
});

describe('the annotations', () => {
  const annotations = (checks: readonly Check[], errors: readonly MetadataError[] = []): string[] => {
    const written: string[] = [];
    const spy = jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
      written.push(String(text).trim());
      return true;
    });
    try {
      annotateChecks(checks, errors);
      endAnnotations();
    } finally {
      spy.mockRestore();
    }
    return written;
  };

  it('are of what failed, with why and what to do', () => {
    const [only, ...others] = annotations([passed, failed, skipped]);
    expect(others).toEqual([]);
    expect(only).toMatch(/^::error title=smoke-not-ready::tenant: ready: it <broke>%0Awhy: first/);
    expect(only).toContain('%0Anext: run `kubectl get pods` now%0Amore: ');
    expect(only).toContain('troubleshooting.md#smoke-not-ready');
  });

  it('of metadata are on its lines, and not told twice', () => {
    const error = new MetadataError('.mcp/servers.yaml', [
      { line: 3, text: 'no name' },
      { line: 5, text: 'no side effect' },
    ]);
    const written = annotations([failedWith('smoke-metadata')], [error]);
    expect(written).toEqual([
      '::error title=smoke-metadata,file=.mcp/servers.yaml,line=3::no name',
      '::error title=smoke-metadata,file=.mcp/servers.yaml,line=5::no side effect',
    ]);
  });

  it('are no more than GitHub shows, and the others are in the log', () => {
    const many = Array.from({ length: 20 }, (_, index) => failedWith(`smoke-${index}`));
    const mistakes = (count: number) =>
      new MetadataError(
        'a',
        Array.from({ length: count }, (_, index) => ({ line: index, text: 'no' })),
      );
    for (const [errors, count] of [
      [[], 20],
      [[mistakes(3), mistakes(4)], 27],
      [[mistakes(20)], 40],
    ] as const) {
      const lines = annotations(many, errors);
      expect(lines.filter((line) => line.startsWith('::error'))).toHaveLength(9);
      expect(lines).toHaveLength(count + 1);
      expect(lines.at(-1)).toBe(`::error::${count - 8} more errors: see the log of this step, and its summary`);
    }
  });
});

describe('the summary', () => {
  it('begins with how it went', () => {
    expect(smokeSummary(report()).text()).toMatch(
      /^## Smoke test of example\.com\n\n✅ \*\*All 1 checks passed\*\* in 2 s\.\n\n\| Suite /,
    );
    const text = smokeSummary(report({ checks: [passed, failed, skipped], operation: 'preview' })).text();
    expect(text).toMatch(/^## MCP server preview on example\.com\n\n❌ \*\*1 of 2 checks failed\*\* in 2 s\./);
  });

  it('tells of what failed why, and what to do, with markup of others kept from working', () => {
    const text = smokeSummary(report({ checks: [failed] })).text();
    expect(text).toContain('**tenant: ready**<br>it \\<broke\\><br>[smoke-not-ready](');
    expect(text).toContain('`first   line`<br>`second line`');
    expect(text).toContain('run `kubectl get pods` now');
    expect(text).not.toContain('<broke>');
  });

  it('begins with the error that ended the run, which checks that failed or passed do not hide', () => {
    const error = new McprtError('job-timeout', {
      what: 'it took too long',
      why: 'it is slow',
      next: 'raise `timeout`',
    });
    const of = (checks: Check[]): string => smokeSummary(report({ checks }), { error }).text();
    const begins = /^## Smoke test of example\.com\n\n❌ \*\*`job-timeout`\*\* it took too long\n/;
    expect(of([])).toMatch(begins);
    expect(of([passed])).toMatch(begins);
    expect(of([passed])).toContain('1 checks had passed until then.');
    expect(of([passed])).not.toContain('✅ **All');
    expect(of([passed, failed])).toMatch(begins);
    expect(of([passed, failed])).toContain('❌ **1 of 2 checks failed**');
  });

  it('counts as the log does: what was skipped is no check that was made', () => {
    const checks = [failed, skipped, skipped];
    expect(failedCount(checks)).toBe('1 of 1 checks failed');
    expect(smokeSummary(report({ checks })).text()).toContain(failedCount(checks));
  });

  it('counts each suite', () => {
    const checks: Check[] = [passed, failed, skipped, { ...passed, suite: 'health', ms: 20 }];
    const text = smokeSummary(report({ checks })).text();
    expect(text).toContain('| tenant | 1 | 1 | 1 |\n| health | 1 | 0 | 0 |');
    expect(text).toContain('<summary>tenant: 3 checks</summary>');
  });

  it('names the server only while it is there', () => {
    const published = { server: 'smoke-1-tenant', url: 'https://mcp.example.com/smoke-1-tenant/mcp' };
    expect(smokeSummary(report(published)).text()).toContain('Server `smoke-1-tenant` at');
    expect(smokeSummary(report({ ...published, isKept: false })).text()).not.toContain('Server `');
  });

  it('of a cleanup says what was removed, and nothing of checks', () => {
    const of = (more: Partial<SmokeReport>): string =>
      smokeSummary(report({ operation: 'cleanup', checks: [], cleanup: [line(true), line(false)], ...more })).text();
    expect(of({ removed: 1 })).toContain('🧹 **1 removed.**');
    expect(of({ removed: 1 })).toContain('| ➖ | server `smoke-new` | `n` | its run may continue |');
    expect(of({})).toContain('✅ **Nothing is left to remove.**');
    expect(of({ isDryRun: true })).toContain('🔍 **1 would be removed.** Nothing was.');
    expect(of({ left: ['server n/a: <no>'] })).toContain(
      '❌ **1 of 1 could not be removed.**\n\n- server n/a: \\<no\\>',
    );
    expect(of({ removed: 1 })).not.toContain('checks');
  });
});

describe('the comment of a preview', () => {
  const run = { sha: '0123456789abcdef', runUrl: 'https://github.com/acme/platform/actions/runs/1' };
  const published = { server: 'pr-7-demo', url: 'https://mcp.example.com/pr-7-demo/mcp' };

  it('tells where the preview is, of which commit, and how to connect', () => {
    const text = previewComment(report(published), run);
    expect(text).toContain(
      `- Address: [\`${published.url}\`](${published.url})\n- Server: \`pr-7-demo\`\n- Commit: \`0123456789ab\``,
    );
    const [, json = ''] = /```json\n([\s\S]*?)\n```/.exec(text) ?? [];
    expect(JSON.parse(json)).toEqual({ mcpServers: { 'pr-7-demo': { type: 'http', url: published.url } } });
    expect(text.endsWith(`[Summary of the run](${run.runUrl})`)).toBe(true);
  });

  it('tells what failed, and no address where there is none', () => {
    const text = previewComment(report({ checks: [failed], server: 'pr-7-demo' }), run);
    expect(text).toContain('❌ **1 of 1 checks failed** in 2 s.');
    expect(text).toContain('it \\<broke\\>');
    expect(text).not.toContain('Address');
  });

  it('tells only that it is gone when it was removed', () => {
    expect(removedComment(run.runUrl)).toMatch(/🧹 \*\*Removed\.\*\* \[Summary of the run\]\(https:/);
  });
});
