import { forecast } from '../certificates/forecast.js';
import {
  annotation,
  type Certificate,
  type CertificateRequest,
  controllerUid,
  isIssuing,
  type Secret,
} from '../certificates/model.js';
import { keyOf } from '../cluster/objects.js';
import { type LiveCertificate, type Observation, secretKeyOf } from '../facts/observation.js';
import { type PlanLine, type RestorePlan, secretsWritten } from './restore-plan.js';

/**
 * Issuances that are called off: those that are under way although the backup has what they need, and requests whose key
 * is another than that of the Secret, which cert-manager would order again for. A run that was killed may have written the
 * Secret and left both.
 */
export function calledOff(
  seen: Observation,
  lines: PlanLine[],
  planned: ReadonlyMap<string, Secret>,
  version: string,
): Pick<RestorePlan, 'aborts' | 'staleRequests'> {
  const written = secretsWritten(lines);
  const inPlace = new Set(lines.filter((line) => line.isInPlace).map(({ item }) => keyOf(item.object.metadata)));
  const owned = Map.groupBy(seen.requests, ({ metadata }) => controllerUid(metadata) ?? '');
  const found = seen.certificates.flatMap((one) => {
    const secret = secretKeyOf(one);
    if (!written.has(secret) && !inPlace.has(secret)) return [];
    const own = owned.get(one.metadata.uid ?? '-') ?? [];
    const revision = one.status?.revision;
    const current = own.filter((request) => revisionOf(request) === revision);
    const next = own.filter((request) => revisionOf(request) === (revision ?? 0) + 1);
    const left = written.has(secret)
      ? { isIssuing: isIssuing(one), isStale: true }
      : leftBehind(one, current, { secret: planned.get(secret), now: seen.now, version });
    return [{ one, next, ...left, current }];
  });
  return {
    aborts: found
      .filter((left) => left.isIssuing)
      .map(({ one, next }) => ({
        namespace: one.metadata.namespace ?? '',
        certificate: one.metadata.name,
        requests: next.map(({ metadata }) => metadata.name),
      })),
    staleRequests: found
      .filter(({ isStale }) => isStale)
      .flatMap(({ one, current }) =>
        current.map(({ metadata }) => ({
          namespace: metadata.namespace ?? '',
          certificate: one.metadata.name,
          name: metadata.name,
          uid: metadata.uid ?? '',
        })),
      ),
  };
}

/** Reasons to issue that a Secret which is in place has settled. */
const settledBySecret: readonly string[] = [
  'DoesNotExist',
  'MissingData',
  'InvalidKeyPair',
  'InvalidCertificate',
  'IncorrectIssuer',
  'IncorrectCertificate',
  'SecretMismatch',
];

/** What of an issuance is left although its Secret is in place: a renewal, or what somebody triggered, is not. */
function leftBehind(
  certificate: LiveCertificate,
  current: readonly CertificateRequest[],
  { secret, now, version }: { secret: Secret | undefined; now: Date; version: string },
): { isIssuing: boolean; isStale: boolean } {
  if (current.length === 0 && !isIssuing(certificate)) return { isIssuing: false, isStale: false };
  const given = {
    certificate: withoutIssuing(certificate),
    secret,
    siblings: [],
    now,
    certManagerVersion: version,
  };
  const found = forecast({ ...given, requests: current });
  const isStale = found.check === 7 && forecast({ ...given, requests: [] }).verdict === 'keep';
  const issuing = certificate.status?.conditions?.find(({ type }) => type === 'Issuing');
  return {
    isIssuing:
      isIssuing(certificate) &&
      settledBySecret.includes(issuing?.reason ?? '') &&
      (found.verdict === 'keep' || isStale),
    isStale,
  };
}

/** A Certificate as it is once its issuance was called off. */
export function withoutIssuing(certificate: Certificate): Certificate {
  const conditions = certificate.status?.conditions?.filter(({ type }) => type !== 'Issuing') ?? [];
  return { ...certificate, status: { ...certificate.status, conditions } };
}

/** The revision that a request is for; NaN where it does not say. */
export function revisionOf(request: CertificateRequest): number {
  return Number(request.metadata.annotations?.[annotation.revision]);
}
