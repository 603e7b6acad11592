import { describe, expect, it } from '@jest/globals';
import { planDigest, requirePlan } from './plan-digest.js';
import type { RestorePlan } from './restore-plan.js';

const line = (subject: string, action: string, reason = 'r') => ({ subject, action, reason });
const certificate = (name: string, verdict: string, message = 'm') => ({
  namespace: 'registry',
  name,
  verdict,
  reason: 'Because',
  message,
});
/** What the digest looks at, and texts that it does not look at. */
function plan(change: Record<string, unknown> = {}): RestorePlan {
  const fields = {
    lines: [line('a', 'create'), line('b', 'keep')],
    certificates: [certificate('c', 'keep')],
    unlabelled: [],
    orders: 0,
  };
  return { ...fields, ...change } as unknown as RestorePlan;
}

describe('the digest of a plan', () => {
  it('stays while nothing moves: neither the order of lines nor what is said of them counts', () => {
    const other = plan({
      lines: [line('b', 'keep', 'other words'), line('a', 'create')],
      certificates: [certificate('c', 'keep', '59 days left')],
    });
    expect(planDigest(other, 's')).toBe(planDigest(plan(), 's'));
  });

  it.each<[string, RestorePlan, string]>([
    ['the backup', plan(), 'another'],
    ['an action', plan({ lines: [line('a', 'replace'), line('b', 'keep')] }), 's'],
    ['an object', plan({ lines: [line('a', 'create')] }), 's'],
    ['a verdict', plan({ certificates: [certificate('c', 'order')] }), 's'],
    ['the number of orders', plan({ orders: 1 }), 's'],
  ])('changes with %s, and a restore of it is refused', (_, other, statement) => {
    const approved = planDigest(plan(), 's');
    expect(() => requirePlan(other, statement, approved)).toThrow(
      expect.objectContaining({ code: 'restore-plan-moved' }),
    );
    expect(() => requirePlan(other, statement, '')).not.toThrow();
    expect(() => requirePlan(plan(), 's', approved)).not.toThrow();
  });
});
