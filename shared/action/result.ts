/**
 * What the output `result` is made of, as schemas: the one source of its types here and of docs/result.schema.json, to which every
 * run of a proof is held. Actions take types from here only, so that none of it is in their bundles.
 */
import * as z from 'zod';
import type { resultSchema } from './operation.js';

const version: typeof resultSchema = 'mcprt.result/1';

/** What one operation tells: its outputs, and its details, which take the place of an output of the same name. */
export interface Telling {
  outputs: z.ZodRawShape;
  details: z.ZodRawShape;
}

/** Both as an action hands them on, before they are JSON. */
export type Told<T extends Telling> = {
  outputs: BeforeJson<z.infer<z.ZodObject<T['outputs']>>>;
  details: BeforeJson<z.infer<z.ZodObject<T['details']>>>;
};

/** A time that JSON makes text of. */
type Moment = z.infer<typeof moment>;

type BeforeJson<T> = T extends Moment
  ? Date
  : T extends readonly (infer Item)[]
    ? readonly BeforeJson<Item>[]
    : T extends object
      ? { readonly [Key in keyof T]: BeforeJson<T[Key]> }
      : T;

/** The whole result of operations that tell the same. */
export function resultOf(action: string, operations: readonly string[], { outputs, details }: Telling): z.ZodObject {
  const names = { schema: z.literal(version), action: z.literal(action), operation: z.enum(operations) };
  return z
    .strictObject({ ...names, ...outputs, ...details, omitted: omitted.optional() })
    .meta({ id: [action, ...operations].join('.') });
}

export const count = z.int().nonnegative();
export const time = z.iso.datetime();
export const moment = z.iso.datetime().brand<'moment'>();
export const texts = z.array(z.string());

const omitted = z.record(z.string(), count).meta({
  description: 'What was too long for GitHub: by path, how many items of a list or characters of a text are missing.',
});

export const finding = z
  .strictObject({
    code: z.string(),
    severity: z.enum(['error', 'warning', 'notice']),
    subject: z.string(),
    cause: z.string(),
    evidence: texts,
    remedy: z.string(),
    confidence: z.enum(['certain', 'likely', 'possible']),
  })
  .meta({
    id: 'finding',
    description: 'Something that is wrong or worth knowing; causes come before what they bring about.',
  });

export const phase = z
  .strictObject({ name: z.string(), from: z.number(), seconds: z.number(), endedAt: time })
  .meta({ id: 'phase', description: 'A part of the operation; `from` is seconds since its beginning.' });

export const forecast = z
  .strictObject({
    namespace: z.string(),
    name: z.string(),
    secretName: z.string(),
    origin: z.enum(['explicit', 'shim', 'intent']),
    identifiers: texts,
    issuer: z.string(),
    issuedBy: z.string().optional(),
    serial: z.string().optional(),
    notAfter: moment.optional(),
    verdict: z.enum(['keep', 'order', 'blocked', 'not-owner']),
    reason: z.string(),
    message: z.string(),
    due: moment.optional(),
    drift: texts,
    acme: z.boolean(),
    excused: z.enum(['renewal', 'standing', 'before']).optional(),
    budget: z.strictObject({ used: count, left: count, nextRefill: moment.optional() }).optional(),
  })
  .meta({ id: 'forecast', description: 'What cert-manager will make of a Certificate.' });
