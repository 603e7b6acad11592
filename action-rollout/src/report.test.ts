import { describe, expect, it } from '@jest/globals';
import { finding } from '../../shared/checks/finding.js';
import { type ErrorCode, McprtError } from '../../shared/errors.js';
import { newRolloutRecord } from '../../shared/rollout/record.js';
import { rolloutSummary } from './report.js';

const crash = finding('pod-crash-loop', {
  subject: 'Deployment mcp-sentinel/api',
  cause: 'it keeps crashing',
  evidence: [],
  remedy: 'see its log',
});

describe('the summary of a rollout that failed', () => {
  const of = (code: ErrorCode, what: string, next = 'run it again\nsee `timeout`'): string[] => {
    const record = { ...newRolloutRecord(), findings: [crash] };
    const failure = { error: new McprtError(code, { what, why: 'x', next }) };
    const given = { domain: 'example.com', isPlan: false, isBlind: false, failure };
    return rolloutSummary(record, given).text().trim().split('\n');
  };

  it('begins with the error that ended it, and tells what was found behind it', () => {
    expect(of('rollout-rollback', 'not everything could be rolled back')[2]).toBe(
      '❌ **not everything could be rolled back.** `rollout-rollback` Likely because: **Deployment mcp-sentinel/api: it keeps crashing.**',
    );
  });

  it('tells once what is the error itself', () => {
    expect(of('rollout-failed', 'Deployment mcp-sentinel/api: it keeps crashing')[2]).toBe(
      '❌ **Deployment mcp-sentinel/api: it keeps crashing.** `rollout-failed`',
    );
  });

  it('ends with each step of its way out', () => {
    expect(of('job-timeout', 'it took too long').at(-1)).toBe('**Next** run it again<br>see `timeout`');
  });
});
