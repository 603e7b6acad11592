import { createHash } from 'node:crypto';
import { keyOf } from '../cluster/objects.js';
import { McprtError } from '../errors.js';
import { isSpelling } from '../spelling.js';
import type { RestorePlan } from './restore-plan.js';

/**
 * What somebody approves who approves a plan: this very backup, what is done with each object, and what cert-manager
 * makes of each certificate. Texts and times are not in it, so that it stays the same while nothing has moved.
 *
 * @param statement SHA-256 of the backup's statement, in hex
 */
export function planDigest({ lines, certificates, unlabelled, orders }: RestorePlan, statement: string): string {
  const sorted = (texts: readonly string[]): string[] => [...texts].sort();
  const parts = [
    statement,
    sorted([
      ...lines.map(({ subject, action }) => `${subject} ${action}`),
      ...unlabelled.map(({ metadata }) => `Secret ${keyOf(metadata)} label`),
    ]),
    sorted(certificates.map(({ namespace, name, verdict, reason }) => `${namespace}/${name} ${verdict} ${reason}`)),
    orders,
  ];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

/** @param expected digest that was approved; empty where nobody was asked @throws McprtError `restore-plan-moved` */
export function requirePlan(plan: RestorePlan, statement: string, expected: string): void {
  const digest = planDigest(plan, statement);
  if (expected === '' || isSpelling(expected, digest)) return;
  throw new McprtError('restore-plan-moved', {
    what: 'what would be restored is not what was approved',
    why: `the plan is ${digest} now, and ${expected.slice(0, 64)} was approved: the cluster, the backup or the time has moved`,
    next: 'nothing was written: make a new plan with `operation: plan`, and give its output `plan` as `expect-plan`',
  });
}
