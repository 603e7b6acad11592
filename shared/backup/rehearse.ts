import { isDeepStrictEqual } from 'node:util';
import { McprtError } from '../errors.js';
import type { Observation } from '../facts/observation.js';
import { isClustersOwn } from '../platform/resources.js';
import { limits } from './limits.js';
import { planRestore } from './plan.js';
import { isCounted } from './restore-plan.js';
import { decodeSnapshot, encodeSnapshot, type Snapshot } from './snapshot.js';
import type { BackupContext } from './statement.js';
import type { LeftOut } from './take-snapshot.js';

/**
 * Goes the way of a restore before anything is sealed: reads what was written, and plans it for a cluster that has lost
 * everything. A backup that this code refuses is not made, so that nobody finds it out after a wipe.
 *
 * @param context what the backup will say of itself
 * @param leftOut what is not in it, for the message: it may be what a certificate lacks
 * @throws McprtError `backup-too-large`, `backup-unrestorable`
 */
export function rehearse(
  snapshot: Snapshot,
  context: BackupContext,
  seen: Observation,
  leftOut: readonly LeftOut[] = [],
): void {
  requireSize(snapshot);
  let read: Snapshot;
  try {
    read = decodeSnapshot(encodeSnapshot(snapshot, context)).snapshot;
  } catch (error) {
    throw error instanceof McprtError ? unrestorable(`${error.message}: ${error.why}`, error) : error;
  }
  if (!isDeepStrictEqual(read, snapshot)) throw unrestorable('it does not read as it was written');
  const plan = planRestore({
    seen: emptied(seen),
    live: new Map(),
    snapshot: read,
    recordedCertManager: context.certManager,
  });
  const refused = plan.lines.filter(({ action }) => action === 'refuse');
  const ordered = plan.certificates.filter(isCounted);
  if (refused.length + ordered.length > 0) {
    throw unrestorable(
      [
        ...refused.map(({ subject, reason }) => `${subject}: ${reason}`),
        ...ordered.map((one) => `Certificate ${one.namespace}/${one.name}: ${one.reason}: ${one.message}`),
        ...leftOut.map(({ subject, why }) => `left out: ${subject}: ${why}`),
      ].join('\n'),
    );
  }
}

/** @throws McprtError `backup-too-large` */
export function requireArchiveSize(bytes: number): void {
  if (bytes > limits.archiveBytes)
    throw tooLarge(`its archive has ${bytes} bytes, and ${limits.archiveBytes} is the most`, []);
}

function requireSize({ objects, certificates, ledger }: Snapshot): void {
  const counts = [
    { what: 'objects', count: objects.length, most: limits.objects },
    { what: 'Certificates', count: certificates.length, most: limits.records },
    { what: 'issuances of the last two weeks', count: ledger.length, most: limits.records },
  ];
  const over = counts.filter(({ count, most }) => count > most);
  if (over.length === 0) return;
  const byNamespace = Map.groupBy(certificates, ({ metadata }) => metadata.namespace);
  const largest = [...byNamespace].sort(([, a], [, b]) => b.length - a.length).slice(0, 5);
  throw tooLarge(
    over.map(({ what, count, most }) => `it has ${count} ${what}, and ${most} is the most`).join('\n'),
    largest.map(([namespace, all]) => `${all.length} Certificates in ${namespace}`),
  );
}

function tooLarge(why: string, largest: string[]): McprtError {
  return new McprtError('backup-too-large', {
    what: 'the cluster holds more than one backup can',
    why: [why, ...largest].join('\n'),
    next: 'nothing was stored: delete Certificates and team namespaces that nobody uses any more, then run the backup again',
  });
}

/** The same cluster after it was made anew: its own namespaces, its issuers' kinds, and nothing else. */
function emptied(seen: Observation): Observation {
  return {
    ...seen,
    certificates: [],
    requests: [],
    ingresses: [],
    gateways: [],
    namespaces: seen.namespaces.filter(({ metadata }) => isClustersOwn(metadata.name)),
  };
}

function unrestorable(why: string, cause?: unknown): McprtError {
  return new McprtError('backup-unrestorable', {
    what: 'a restore would refuse this backup',
    why,
    next: 'nothing was stored; the backups before it stand (`operation: verify`). Fix what the lines name; when they name nothing that is wrong, report this with the lines',
    ...(cause === undefined ? {} : { cause }),
  });
}
