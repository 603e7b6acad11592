import type { Report } from '../../shared/action/operation.js';
import type { Telling, Told } from '../../shared/action/result.js';
import type { BackupContext } from '../../shared/backup/statement.js';
import type { verifyTelling } from './result.js';

/** The report of an operation that tells what it says it does. */
export type Telltale<T extends Telling> = Omit<Report, 'outputs' | 'details'> & Told<T>;

/** What every operation on one backup tells of it. */
export function outputsOf(
  context: Omit<BackupContext, 'recipients'>,
): Omit<Told<typeof verifyTelling>['outputs'], 'name' | 'stores'> {
  return {
    generation: context.generation,
    certificates: context.inventory.certificates,
    fingerprint: context.fingerprint,
    'created-at': context.createdAt,
    'expires-at': context.expiresAt,
  };
}
