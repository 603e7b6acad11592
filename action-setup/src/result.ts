import * as z from 'zod';
import { count, finding, forecast, moment, phase, type Telling, texts } from '../../shared/action/result.js';
import type { outputNames } from './inputs.js';

const outputs = {
  case: z.enum([
    '',
    'first-install',
    'first-install-resumed',
    'new-cluster',
    'rerun',
    'rerun-after-wipe',
    'cert-manager-gone',
  ]),
  mode: z.string(),
  plan: z.string(),
  orders: count,
  certificates: count,
  generation: z.union([count, z.literal('')]),
  version: z.string(),
  fingerprint: z.string(),
  findings: count,
  finding: z.string(),
} satisfies Record<Exclude<(typeof outputNames)[number], 'result'>, z.ZodType>;

const certificate = z
  .strictObject({
    namespace: z.string(),
    name: z.string(),
    identifiers: texts,
    issuedBy: z.string(),
    serial: z.string(),
    notAfter: moment.optional(),
    ready: z.boolean(),
  })
  .meta({ id: 'certificate', description: 'A Certificate as it is at the end.' });

/** What an installation and a check tell. */
export const setupTelling = {
  outputs,
  details: {
    reasons: texts,
    findings: z.array(finding),
    forecast: z.array(forecast),
    warnings: texts,
    certificates: z.array(certificate),
    newOrders: texts,
    certManagerInstalled: z.boolean(),
    installer: z
      .strictObject({
        code: z.int().nullable(),
        steps: z.array(z.strictObject({ title: z.string(), seconds: z.number() })),
      })
      .optional(),
    binary: z.strictObject({ commit: z.string(), version: z.string() }).optional(),
    phases: z.array(phase),
  },
} satisfies Telling;
