/** CertificateRequests: which ones count for a Certificate, and whether they still say what its spec says. */

import { has } from './backports.js';
import { attempt, type Decoded, DecodeError } from './der.js';
import { durationNanoseconds } from './go-text.js';
import { literalSubjectDer } from './literal-subject.js';
import {
  annotation,
  type Certificate,
  type CertificateRequest,
  type CertificateSpec,
  controllerUid,
  groupOf,
  kindOf,
} from './model.js';
import { sameAddresses, sameItems } from './multisets.js';
import { nameOid, nameValue, nameValues } from './names.js';
import { type AlternativeNames, readOtherNames } from './sans.js';
import type { CertManagerVersion } from './version.js';
import { decodeRequest, type RequestFacts } from './x509.js';

/** The request that led to the present revision, and the one of the revision that comes next. */
export interface RevisionRequests {
  readonly current: CertificateRequest | undefined;
  readonly next: CertificateRequest | undefined;
}

/**
 * Finds both requests of a Certificate: controlled by its UID and annotated with the revision. After a wipe the UID is new and
 * the revision is gone, so there is none.
 * Source: cert-manager internal/controller/certificates/policies/gatherer.go DataForCertificate.
 * @returns an error, in cert-manager's words, when a revision has several requests: it then does nothing at all
 */
export function revisionRequests(
  certificate: Certificate,
  requests: readonly CertificateRequest[],
): Decoded<RevisionRequests> {
  const uid = certificate.metadata.uid;
  const owned = requests.filter((request) => uid !== undefined && controllerUid(request.metadata) === uid);
  const revision = certificate.status?.revision;
  return attempt(() => ({
    current: revision === undefined ? undefined : single(owned, revision, 'current'),
    next: single(owned, (revision ?? 0) + 1, 'next'),
  }));
}

function single(owned: readonly CertificateRequest[], revision: number, which: string): CertificateRequest | undefined {
  const found = owned.filter((request) => request.metadata.annotations?.[annotation.revision] === String(revision));
  if (found.length > 1) {
    throw new DecodeError(
      `multiple CertificateRequests were found for the '${which}' revision ${revision}, issuance is skipped until there are no more duplicates`,
    );
  }
  return found[0];
}

/** The CSR of a request, decoded. */
export function requestFacts(request: CertificateRequest, version: CertManagerVersion): Decoded<RequestFacts> {
  return decodeRequest(Buffer.from(request.spec.request, 'base64'), version);
}

/**
 * The fields of the spec that a request does not match, in cert-manager's order and spelling.
 * Source: cert-manager pkg/util/pki/match.go RequestMatchesSpec.
 * @returns an error where cert-manager cannot read the request; it then takes the request as matching
 */
export function requestMismatches(
  request: CertificateRequest,
  spec: CertificateSpec,
  version: CertManagerVersion,
): Decoded<string[]> {
  return attempt(() => {
    const decoded = requestFacts(request, version);
    if (!decoded.ok) throw new DecodeError(decoded.error);
    const facts = decoded.value;
    return [
      ...alternativeNameMismatches(facts.names, spec),
      ...differing('spec.dnsNames', sameItems(facts.names.dns, spec.dnsNames)),
      ...differing('spec.otherNames', spec.otherNames === undefined || sameOtherNames(facts, spec.otherNames)),
      ...subjectMismatches(facts, spec, version),
      ...differing('spec.isCA', (request.spec.isCA ?? false) === (spec.isCA ?? false)),
      ...differing('spec.usages', sameItems(request.spec.usages, spec.usages)),
      ...differing('spec.duration', sameDuration(request.spec.duration, spec.duration)),
      ...differing('spec.issuerRef', sameIssuer(request.spec.issuerRef, spec.issuerRef, version)),
    ];
  });
}

/** The mismatches of addresses, URIs and e-mail addresses, which cert-manager compares alike for requests and certificates. */
export function alternativeNameMismatches(names: AlternativeNames, spec: CertificateSpec): string[] {
  return [
    ...differing('spec.ipAddresses', sameAddresses(names.ip, spec.ipAddresses)),
    ...differing('spec.uris', sameItems(names.uri, spec.uris)),
    ...differing('spec.emailAddresses', sameItems(names.email, spec.emailAddresses)),
  ];
}

function differing(field: string, same: boolean): string[] {
  return same ? [] : [field];
}

function subjectMismatches(facts: RequestFacts, spec: CertificateSpec, version: CertManagerVersion): string[] {
  if (spec.literalSubject !== undefined && spec.literalSubject !== '') {
    return differing('spec.literalSubject', facts.subject.der.equals(literalSubjectDer(spec.literalSubject)));
  }
  const wanted = spec.subject ?? {};
  const values = (oid: string) => nameValues(facts.subject, oid);
  const value = (oid: string) => nameValue(facts.subject, oid);
  return [
    ...differing('spec.commonName', value(nameOid.commonName) === (spec.commonName ?? '')),
    ...differing('spec.subject.serialNumber', value(nameOid.serialNumber) === (wanted.serialNumber ?? '')),
    ...differing('spec.subject.organizations', sameItems(values(nameOid.organization), wanted.organizations)),
    ...differing('spec.subject.countries', sameItems(values(nameOid.country), wanted.countries)),
    ...differing('spec.subject.localities', sameItems(values(nameOid.locality), wanted.localities)),
    ...differing(
      'spec.subject.organizationalUnits',
      sameItems(values(nameOid.organizationalUnit), wanted.organizationalUnits),
    ),
    ...differing('spec.subject.postCodes', sameItems(values(nameOid.postalCode), wanted.postalCodes)),
    // Before 1.20 a province went by the name of the field above it.
    ...differing(
      version.atLeast(1, 20) ? 'spec.subject.provinces' : 'spec.subject.postCodes',
      sameItems(values(nameOid.province), wanted.provinces),
    ),
    ...differing('spec.subject.streetAddresses', sameItems(values(nameOid.streetAddress), wanted.streetAddresses)),
  ];
}

/** cert-manager takes a CSR without names for a mismatch, and one with unreadable otherNames for unreadable. */
function sameOtherNames(facts: RequestFacts, wanted: NonNullable<CertificateSpec['otherNames']>): boolean {
  if (facts.alternativeNamesDer === undefined) return false;
  const found = readOtherNames(facts.alternativeNamesDer).map((name) => `${name.oid} ${name.value}`);
  return sameItems(
    found,
    wanted.map((name) => `${name.oid ?? ''} ${name.utf8Value ?? ''}`),
  );
}

function sameDuration(first: string | undefined, second: string | undefined): boolean {
  if (first === undefined || second === undefined) return true;
  return durationNanoseconds(first) === durationNanoseconds(second);
}

/** Exact at first: adding the default kind or group to a spec ordered a certificate. */
function sameIssuer(
  first: CertificateSpec['issuerRef'],
  second: CertificateSpec['issuerRef'],
  version: CertManagerVersion,
): boolean {
  if (first.name !== second.name) return false;
  if (has(version, 'issuerDefaultsAreEqual')) {
    return kindOf(first.kind) === kindOf(second.kind) && groupOf(first.group) === groupOf(second.group);
  }
  return (first.kind ?? '') === (second.kind ?? '') && (first.group ?? '') === (second.group ?? '');
}
