import { describe, expect, it } from '@jest/globals';
import type { Check } from './checks.js';
import { failureGroups, isBreach, skipReasons, worstFirst } from './severity.js';

const failed = (name: string, code: string, next = 'do'): Check => ({
  suite: 's',
  name,
  status: 'failed',
  ms: 1,
  detail: '',
  failure: { code, what: `what of ${name}`, why: `why of ${name}`, next },
});
const passed: Check = { suite: 's', name: 'fine', status: 'passed', ms: 1, detail: '' };
const skipped = (name: string, detail: string): Check => ({ suite: 's', name, status: 'skipped', ms: 0, detail });

describe('what failed', () => {
  it('has a breach of isolation first, and what is only due later last', () => {
    const checks = [
      failed('days', 'smoke-tls-days'),
      passed,
      failed('api', 'smoke-http'),
      failed('b', 'smoke-tenant-open'),
    ];
    expect(failureGroups(checks).map(({ code }) => code)).toEqual([
      'smoke-tenant-open',
      'smoke-http',
      'smoke-tls-days',
    ]);
    expect(worstFirst(checks).map(({ name }) => name)).toEqual(['b', 'api', 'days', 'fine']);
  });

  it.each(['smoke-tenant-open', 'smoke-not-denied', 'smoke-api-open', 'smoke-registry-open'])(
    'is a breach: %s',
    (code) => {
      expect(isBreach(code)).toBe(true);
      expect(failureGroups([failed('a', 'smoke-http'), failed('b', code)])[0]?.code).toBe(code);
    },
  );

  it('is one where code and remedy are the same, in the order of the checks', () => {
    const checks = [failed('one', 'x'), failed('two', 'y'), failed('three', 'x'), failed('four', 'x', 'do else')];
    expect(failureGroups(checks).map((group) => group.checks.map(({ name }) => name))).toEqual([
      ['one', 'three'],
      ['two'],
      ['four'],
    ]);
  });
});

describe('what was not made', () => {
  it('is counted by its reason, the most frequent first', () => {
    const checks = [
      skipped('a', 'no kubeconfig'),
      passed,
      skipped('b', 'after “deploy” failed'),
      skipped('c', 'after “deploy” failed'),
    ];
    expect(skipReasons(checks)).toEqual([
      { reason: 'after “deploy” failed', count: 2 },
      { reason: 'no kubeconfig', count: 1 },
    ]);
  });
});
