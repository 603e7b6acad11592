import { identifierKey } from '../certificates/budget.js';
import { type Certificate, controllerUid } from '../certificates/model.js';
import { refusedUntil } from '../certificates/rate-limit.js';
import { certManagerVersion } from '../certificates/version.js';
import { decodeLeaf, identifiersOf } from '../certificates/x509.js';
import { recordsAt, textAt } from '../cluster/fields.js';
import { isAcme } from '../facts/acme.js';
import type { LedgerEntry } from '../facts/anchor.js';
import { rulesVersion } from '../facts/cert-manager.js';
import { type LiveRequest, type Observation, secretKeyOf } from '../facts/observation.js';
import { type LiveSecret, leafOf } from '../facts/secrets.js';

type Seen = Pick<Observation, 'certificates' | 'requests' | 'certManager' | 'issuers'>;

/**
 * What the certificates that are there tell about issuances, those included that cert-manager's requests still hold: their CA
 * dates them about an hour back.
 */
export function issuedBefore(seen: Seen, secrets: ReadonlyMap<string, LiveSecret>): LedgerEntry[] {
  const version = rulesVersion(seen.certManager);
  const ofSecrets = seen.certificates
    .filter((certificate) => isAcme(certificate, seen))
    .map((certificate) => leafOf(secrets.get(secretKeyOf(certificate)), version));
  const ofRequests = seen.requests
    .filter((request) => textAt(request, 'status', 'certificate') !== '' && isAcme(request, seen))
    .map((request) => leafIn(request, version));
  return [...ofSecrets, ...ofRequests].flatMap((leaf) =>
    leaf ? [{ identifiers: identifiersOf(leaf), serial: leaf.serial, at: leaf.notBefore.toISOString() }] : [],
  );
}

function leafIn(request: LiveRequest, version: string) {
  const leaf = decodeLeaf(Buffer.from(textAt(request, 'status', 'certificate'), 'base64'), certManagerVersion(version));
  return leaf.ok ? leaf.value : undefined;
}

/** Until when the CA refuses a further certificate, by the names that share its limit, as cert-manager was told. */
export function refusedByCa({ certificates, requests, issuers }: Seen): ReadonlyMap<string, Date> {
  const byOwner = Map.groupBy(requests, ({ metadata }) => controllerUid(metadata) ?? '');
  const found = new Map<string, Date>();
  for (const certificate of certificates.filter((one) => isAcme(one, { issuers }))) {
    const key = identifierKey(namesOf(certificate));
    for (const object of [certificate, ...(byOwner.get(certificate.metadata.uid ?? '') ?? [])]) {
      for (const condition of recordsAt(object, 'status', 'conditions')) {
        const until = refusedUntil(textAt(condition, 'message'));
        if (until !== undefined && until > (found.get(key) ?? new Date(0))) found.set(key, until);
      }
    }
  }
  return found;
}

function namesOf({ spec }: Certificate): string[] {
  return [...(spec.dnsNames ?? []), ...(spec.commonName ? [spec.commonName] : [])];
}
