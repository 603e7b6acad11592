import * as z from 'zod';
import { count, finding, phase, type Telling, texts } from '../../shared/action/result.js';
import type { outputNames } from './inputs.js';

const truth = z.enum(['true', 'false']);
const outputs = {
  plan: z.string(),
  changes: count,
  changed: truth,
  images: z.string(),
  layout: z.enum(['', 'mono', 'split']),
  'rolled-back': truth,
  url: z.url(),
  fingerprint: z.string(),
  finding: z.string(),
} satisfies Record<Exclude<(typeof outputNames)[number], 'result'>, z.ZodType>;

const change = z.strictObject({
  subject: z.string(),
  field: z.string(),
  from: z.string(),
  to: z.string(),
  reason: z.string(),
});
const running = z.strictObject({
  deployment: z.string(),
  container: z.string(),
  pod: z.string(),
  digest: z.string(),
});

/** What a rollout and its plan tell. */
export const rolloutTelling = {
  outputs,
  details: {
    ok: z.boolean(),
    images: z.record(z.string(), z.string()),
    commit: z.string(),
    changes: z.array(change),
    writes: count,
    resumed: z.boolean(),
    running: z.array(running),
    endpoints: z.array(z.strictObject({ url: z.url(), status: count.nullable(), problem: z.string() })),
    policiesPatched: count,
    rolledBack: z
      .strictObject({
        restored: texts,
        left: texts,
        failed: texts,
        verified: z.boolean(),
        seconds: z.number(),
        podsStarted: count.nullable(),
      })
      .optional(),
    findings: z.array(finding),
    phases: z.array(phase),
  },
} satisfies Telling;
