import { apiTime } from './go-text.js';
import type { Certificate, CertificateRequest } from './model.js';
import { requestMismatches } from './requests.js';
import type { CertManagerVersion } from './version.js';

const hour = 3_600_000;
const longest = 32 * hour;

/**
 * Until when cert-manager holds back after failed issuances: one hour, doubled with each failure, at most 32 hours since the last
 * one. Undefined when it does not hold back; so too when the spec no longer matches the failed request, or that is unreadable.
 * Source: cert-manager pkg/controller/certificates/trigger/trigger_controller.go shouldBackoffReissuingOnFailure, with the
 * default flags.
 */
export function backoffUntil(
  certificate: Certificate,
  next: CertificateRequest | undefined,
  now: Date,
  version: CertManagerVersion,
): Date | undefined {
  const failedAt = apiTime(certificate.status?.lastFailureTime);
  if (failedAt === undefined) return undefined;
  if (next !== undefined) {
    const mismatches = requestMismatches(next, certificate.spec, version);
    if (!mismatches.ok || mismatches.value.length > 0) return undefined;
  }
  const attempts = Math.max(1, certificate.status?.failedIssuanceAttempts ?? 1);
  const until = new Date(failedAt.getTime() + Math.min(hour * 2 ** (attempts - 1), longest));
  return now < until ? until : undefined;
}
