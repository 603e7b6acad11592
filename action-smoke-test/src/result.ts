import * as z from 'zod';
import { count, type Telling, texts, time } from '../../shared/action/result.js';
import type { outputNames } from './inputs.js';

const outputs = {
  passed: count,
  failed: count,
  skipped: count,
  failure: z.string(),
  junit: z.string(),
  'run-id': z.string(),
  server: z.string(),
  url: z.string(),
  removed: count,
} satisfies Record<Exclude<(typeof outputNames)[number], 'result'>, z.ZodType>;

const check = z.strictObject({
  suite: z.string(),
  name: z.string(),
  status: z.enum(['passed', 'failed', 'skipped']),
  ms: z.number(),
  detail: z.string(),
  failure: z.strictObject({ code: z.string(), what: z.string(), why: z.string(), next: z.string() }).exactOptional(),
});
const certificate = z.strictObject({
  host: z.string(),
  address: z.string(),
  serial: z.string().nullable(),
  issuer: z.string().nullable(),
  notAfter: time.nullable(),
});
const leftover = z.strictObject({
  kind: z.string(),
  namespace: z.string(),
  name: z.string(),
  server: z.string(),
  createdAt: time.nullable(),
  removed: z.boolean(),
  reason: z.string(),
});

/** What tests, previews and their cleanup tell. */
export const smokeTelling = {
  outputs,
  details: {
    ok: z.boolean(),
    domain: z.string(),
    checks: z.array(check),
    certificates: z.array(certificate),
    cleanup: z.array(leftover),
    left: texts,
    seconds: z.number(),
  },
} satisfies Telling;
