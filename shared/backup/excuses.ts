import { keyOf } from '../cluster/objects.js';
import { type Observation, secretKeyOf } from '../facts/observation.js';
import { type CertificateForecast, type Known, type PlanLine, secretsWritten } from './restore-plan.js';
import type { CertificateRecord } from './snapshot.js';

export interface ExcuseFacts {
  seen: Pick<Observation, 'certificates'>;
  lines: readonly PlanLine[];
  /** Of the backup. */
  records: readonly CertificateRecord[];
  installer: readonly CertificateRecord[];
}

/**
 * Tells orders that a restore leads to from those that come in any case: others' troubles, and renewals that are due,
 * must not weaken the limit for the certificates that matter. Pure.
 *
 * @returns why the order of a Certificate, with cert-manager's reason, does not count
 */
export function excuses({
  seen,
  lines,
  records,
  installer,
}: ExcuseFacts): (known: Known, reason: string) => CertificateForecast['excused'] {
  const written = secretsWritten(lines);
  const lapsed = new Set(
    lines
      .filter(({ action, reason }) => action === 'skip' && reason.includes('expired'))
      .map(({ item }) => keyOf(item.object.metadata)),
  );
  const installed = new Set(installer.map(({ metadata }) => keyOf(metadata)));
  const present = new Set(seen.certificates.map(({ metadata }) => keyOf(metadata)));
  const accepted = new Set(
    records.filter((record) => record.accepted !== undefined).map(({ metadata }) => keyOf(metadata)),
  );
  return ({ certificate, origin }, reason) => {
    const key = keyOf(certificate.metadata);
    const secret = secretKeyOf(certificate);
    if (reason === 'Renewing' || lapsed.has(secret)) return 'renewal';
    // What the installer is about to ask for is asked by this run.
    if (installed.has(key)) return undefined;
    if (!written.has(secret) && (present.has(key) || origin === 'intent')) return 'standing';
    return accepted.has(key) ? 'before' : undefined;
  };
}
