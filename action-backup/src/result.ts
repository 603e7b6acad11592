import * as z from 'zod';
import { count, forecast, type Telling, texts, time } from '../../shared/action/result.js';
import type { outputNames } from './inputs.js';

type Outputs = Partial<Record<Exclude<(typeof outputNames)[number], 'result'>, z.ZodType>>;

/** What every operation on one backup tells of it. */
const ofBackup = {
  generation: count,
  certificates: count,
  fingerprint: z.string(),
  'created-at': time,
  'expires-at': time,
  name: z.string(),
  stores: z.string(),
} satisfies Outputs;

const why = z.strictObject({ subject: z.string(), why: z.string() });

/** The details are left out where the newest backup can stand. */
export const backupTelling = {
  outputs: { ...ofBackup, unchanged: z.boolean() } satisfies Outputs,
  details: {
    bytes: count.exactOptional(),
    because: texts.exactOptional(),
    warnings: texts.exactOptional(),
    leftOut: z.array(why).exactOptional(),
    failedStores: z.array(z.strictObject({ store: z.string(), code: z.string(), why: z.string() })).exactOptional(),
    pruned: z
      .array(
        z.strictObject({
          store: z.string(),
          removed: texts,
          odd: texts,
          code: z.string().exactOptional(),
        }),
      )
      .exactOptional(),
  },
} satisfies Telling;

/** Of a plan, `objects` are what would be done. */
export const restoreTelling = {
  outputs: { ...ofBackup, orders: count, plan: z.string() } satisfies Outputs,
  details: {
    forecast: z.array(forecast),
    objects: z.array(
      z.strictObject({
        subject: z.string(),
        action: z.enum(['create', 'keep', 'add-keys', 'replace', 'skip', 'refuse']),
        reason: z.string(),
      }),
    ),
    warnings: texts,
    otherOrders: texts,
    brake: z.enum(['policy', 'not-needed', 'none']),
    takenOver: z.boolean(),
    verified: z.boolean(),
  },
} satisfies Telling;

export const verifyTelling = {
  outputs: ofBackup,
  details: {
    decrypted: z.boolean(),
    /** What becomes of each copy. */
    copies: z.array(z.strictObject({ store: z.string(), fate: z.string(), until: time.exactOptional() })),
    /** Why one event would take all of them. */
    together: z.string().exactOptional(),
    closedIssue: count.exactOptional(),
  },
} satisfies Telling;

export const fetchTelling = { outputs: ofBackup, details: { path: z.string() } } satisfies Telling;

const listed = z.strictObject({
  name: z.string(),
  generation: count,
  stores: texts,
  authentic: z.boolean(),
  signer: z.enum(['known', 'unknown', 'not seen']),
  signedBy: z.string().exactOptional(),
  readable: z.boolean().optional(),
  createdAt: time.exactOptional(),
  expiresAt: time.exactOptional(),
  cluster: z.string().exactOptional(),
  repository: z.string().exactOptional(),
  repositoryId: z.string().exactOptional(),
  certificates: count.exactOptional(),
  code: z.string().exactOptional(),
  why: z.string().exactOptional(),
});

/** What is authentic has its content told, what cannot be used its reason. */
export const listTelling = {
  outputs: { backups: z.string() } satisfies Outputs,
  details: {
    domain: z.string(),
    counts: z.strictObject({
      authentic: count,
      readable: count.optional(),
      unusable: count,
      foreign: count,
    }),
    backups: z.array(listed),
    foreign: z.array(z.strictObject({ store: z.string(), name: z.string(), why: z.string() })),
    unread: z.array(z.strictObject({ store: z.string(), code: z.string(), what: z.string(), why: z.string() })),
  },
} satisfies Telling;

/** The backup is left out where nothing stands on one. */
export const wipeTelling = {
  outputs: {
    generation: count.exactOptional(),
    name: z.string().exactOptional(),
    stores: z.string().exactOptional(),
    certificates: count.exactOptional(),
    'expires-at': time.exactOptional(),
    wiped: count,
    fingerprint: z.string(),
  } satisfies Outputs,
  details: {
    start: z.enum(['nothing', 'fresh', 'resumed']),
    targets: z.array(
      z.strictObject({ subject: z.string(), uid: z.string(), because: z.string(), foreign: z.boolean() }),
    ),
    kept: z.array(why),
    warnings: texts,
    seconds: z.strictObject({ prove: z.number(), delete: z.number(), wait: z.number() }),
    refused: z.string().exactOptional(),
  },
} satisfies Telling;
