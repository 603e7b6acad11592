import { certificateIndex } from '../certificates/certificate-index.js';
import { forecast } from '../certificates/forecast.js';
import type { Certificate } from '../certificates/model.js';
import { keyOf, type LiveSecret, type Observation } from './observe.js';
import { type CertificateForecast, type Known, type PlanLine, secretKeyOf, secretsWritten } from './restore-plan.js';
import type { CertificateRecord, Snapshot } from './snapshot.js';

export interface ExcuseFacts {
  seen: Pick<Observation, 'certificates' | 'now'>;
  lines: readonly PlanLine[];
  snapshot: Pick<Snapshot, 'objects' | 'certificates'>;
  /** When the backup was made, and which cert-manager judged its certificates then. */
  backedUp: { at: Date; certManager: string };
  installer: readonly CertificateRecord[];
}

/**
 * Tells orders that a restore leads to from those that come in any case: others' troubles, and renewals that are due,
 * must not weaken the limit for the certificates that matter. Pure.
 *
 * @returns why the order of a Certificate, with cert-manager's reason, does not count
 */
export function excuses(facts: ExcuseFacts): (known: Known, reason: string) => CertificateForecast['excused'] {
  const { lines, installer, seen } = facts;
  const written = secretsWritten(lines);
  const lapsed = new Set(
    lines
      .filter(({ action, reason }) => action === 'skip' && reason.includes('expired'))
      .map(({ item }) => keyOf(item.object.metadata)),
  );
  const installed = new Set(installer.map(({ metadata }) => keyOf(metadata)));
  const present = new Set(seen.certificates.map(({ metadata }) => keyOf(metadata)));
  const doomed = doomedBefore(facts);
  return ({ certificate, origin }, reason) => {
    const key = keyOf(certificate.metadata);
    const secret = secretKeyOf(certificate);
    if (reason === 'Renewing' || lapsed.has(secret)) return 'renewal';
    // What the installer is about to ask for is asked by this run.
    if (installed.has(key)) return undefined;
    if (!written.has(secret) && (present.has(key) || origin === 'intent')) return 'standing';
    return doomed().has(key) ? 'before' : undefined;
  };
}

/** Certificates that had to be issued when the backup was made, by what it holds: worked out when first asked. */
function doomedBefore({ snapshot, backedUp }: ExcuseFacts): () => ReadonlySet<string> {
  let found: Set<string> | undefined;
  return () => {
    found ??= new Set(doomedIn(snapshot, backedUp));
    return found;
  };
}

function doomedIn({ objects, certificates }: ExcuseFacts['snapshot'], backedUp: ExcuseFacts['backedUp']): string[] {
  const secrets = new Map(
    objects.filter(({ object }) => object.kind === 'Secret').map(({ object }) => [keyOf(object.metadata), object]),
  );
  const secretOf = (key: string): LiveSecret | undefined => secrets.get(key) as LiveSecret | undefined;
  const asTheyWere = certificates.map(({ metadata, spec }): Certificate => ({ metadata, spec }));
  const index = certificateIndex({ certificates: asTheyWere, requests: [] }, secretOf);
  return asTheyWere
    .filter((certificate) => {
      const { verdict, reason } = forecast({
        certificate,
        secret: secretOf(secretKeyOf(certificate)),
        siblings: index.claimants(certificate),
        requests: [],
        now: backedUp.at,
        certManagerVersion: backedUp.certManager,
      });
      return verdict === 'order' && reason !== 'Renewing';
    })
    .map(({ metadata }) => keyOf(metadata));
}
