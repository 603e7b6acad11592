import type { BackupContext } from '../../shared/backup/statement.js';
import type { outputNames } from './inputs.js';

/** What an operation tells the workflow; `result` is added from the rest. */
export type Outputs = Partial<Record<Exclude<(typeof outputNames)[number], 'result'>, string | number | boolean>>;

/** What every operation on one backup tells of it. */
export function outputsOf(context: Omit<BackupContext, 'recipients'>): Outputs {
  return {
    generation: context.generation,
    certificates: context.inventory.certificates,
    fingerprint: context.fingerprint,
    'created-at': context.createdAt,
    'expires-at': context.expiresAt,
  };
}
