/** Facts about certificates and certificate requests, decoded as cert-manager decodes them (Go crypto/x509). */
import { createHash, X509Certificate } from 'node:crypto';
import { has } from './backports.js';
import { attempt, contextTag, type Decoded, DecodeError, DerReader, tag } from './der.js';
import {
  type Extension,
  type ExtensionFacts,
  extensionFacts,
  extensionOid,
  noExtensions,
  readExtensionList,
} from './extensions.js';
import { type DistinguishedName, nameOid, nameText, nameValue, readName } from './names.js';
import { firstPemBlock, noPemData, pemLimits } from './pem.js';
import { decodePrivateKey, type PrivateKeyFacts } from './private-key.js';
import { type PublicKey, readPublicKey } from './public-key.js';
import { type AlternativeNames, identifierSet, noNames, readAlternativeNames } from './sans.js';
import type { CertManagerVersion } from './version.js';

/** Facts about one certificate. Times have second precision; the rest is as written in the certificate. */
export interface CertificateFacts {
  /** Lower hex without colons or leading zeros. */
  readonly serial: string;
  readonly subject: DistinguishedName;
  readonly issuer: DistinguishedName;
  /** The issuer as text, most specific attribute first. */
  readonly issuerText: string;
  /** Empty if the subject has none. */
  readonly commonName: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly names: AlternativeNames;
  readonly publicKey: PublicKey;
  /** SHA-256 of the SubjectPublicKeyInfo, lower hex. */
  readonly spkiFingerprint: string;
  /** SHA-256 of the whole certificate, lower hex. */
  readonly fingerprint: string;
  readonly isCa: boolean;
  /** cert-manager's words for key usage and extended key usage, as in `spec.usages`. Unknown extended usages are left out. */
  readonly usages: readonly string[];
  /** Lower hex; undefined where the certificate does not say. */
  readonly authorityKeyId: string | undefined;
  readonly subjectKeyId: string | undefined;
  readonly der: Buffer;
}

/** Facts about a certificate request: what its CSR asks for. */
export interface RequestFacts {
  readonly subject: DistinguishedName;
  readonly names: AlternativeNames;
  readonly publicKey: PublicKey;
  /** The value of the subjectAltName extension, for the names that Go does not list. */
  readonly alternativeNamesDer: Buffer | undefined;
}

/**
 * Decodes every certificate of `tls.crt`, leaf first as the file has them. One block that is no certificate makes cert-manager
 * refuse the whole file (pkg/util/pki/parse.go DecodeX509CertificateSetBytes), so a key after the certificates is an error too.
 */
export function decodeCertificates(
  pem: Buffer,
  version: CertManagerVersion,
): Decoded<[CertificateFacts, ...CertificateFacts[]]> {
  return attempt(() => {
    const found: CertificateFacts[] = [];
    for (let rest = pem; ; ) {
      const block = firstPemBlock(rest, pemLimits(version).certificates);
      if (block === undefined) break;
      const facts = attempt(() => readCertificate(block.der, version));
      if (!facts.ok) throw new DecodeError(`error parsing X.509 certificate: ${facts.error}`);
      found.push(facts.value);
      rest = block.rest;
    }
    const [leaf, ...others] = found;
    if (leaf === undefined) throw new DecodeError('error decoding certificate PEM block: no valid certificates found');
    return [leaf, ...others];
  });
}

/** Decodes the leaf of `tls.crt`: its first certificate. */
export function decodeLeaf(pem: Buffer, version: CertManagerVersion): Decoded<CertificateFacts> {
  const decoded = decodeCertificates(pem, version);
  return decoded.ok ? { ok: true, value: decoded.value[0] } : decoded;
}

/** Decodes `spec.request` of a CertificateRequest (pkg/util/pki/parse.go DecodeX509CertificateRequestBytes). */
export function decodeRequest(pem: Buffer, version: CertManagerVersion): Decoded<RequestFacts> {
  return attempt(() => {
    const found = attempt(() => firstPemBlock(pem, pemLimits(version).request) ?? refuse(noPemData));
    if (!found.ok) throw new DecodeError(`error decoding certificate request PEM block: ${found.error}`);
    return readRequest(found.value.der, version);
  });
}

/** Whether two public keys are one, or why that cannot be said (pkg/util/pki/generate.go PublicKeysEqual). */
export function publicKeysEqual(first: PublicKey, second: PublicKey): Decoded<boolean> {
  if (first.algorithm === 'other') return { ok: false, error: `unrecognised public key type: ${first.goType}` };
  const equal = second.algorithm === first.algorithm && second.material === first.material;
  return { ok: true, value: equal };
}

/** Why a key and a certificate are no pair, with the reason and message that cert-manager would order by. */
export interface PairProblem {
  readonly reason: 'InvalidKeyPair' | 'InvalidCertificate';
  readonly message: string;
}

/**
 * Checks that `tls.key` is the key of `tls.crt`'s first certificate.
 * Source: cert-manager internal/controller/certificates/policies/checks.go SecretPublicKeysDiffer.
 * @returns undefined when they are a pair
 */
export function keysMatch(
  privatePem: Buffer,
  certificatePem: Buffer,
  version: CertManagerVersion,
): PairProblem | undefined {
  return pairProblem(decodePrivateKey(privatePem, version), decodeLeaf(certificatePem, version));
}

/** The same for a pair that is decoded already. */
export function pairProblem(key: Decoded<PrivateKeyFacts>, leaf: Decoded<CertificateFacts>): PairProblem | undefined {
  if (!key.ok) {
    return {
      reason: 'InvalidKeyPair',
      message: `Issuing certificate as Secret contains invalid private key data: ${key.error}`,
    };
  }
  if (!leaf.ok) {
    return {
      reason: 'InvalidCertificate',
      message: `Issuing certificate as Secret contains an invalid certificate: ${leaf.error}`,
    };
  }
  const equal = publicKeysEqual(leaf.value.publicKey, key.value.publicKey);
  if (!equal.ok) return { reason: 'InvalidKeyPair', message: `Secret contains an invalid key-pair: ${equal.error}` };
  if (equal.value) return undefined;
  return {
    reason: 'InvalidKeyPair',
    message: 'Issuing certificate as Secret contains a private key that does not match the certificate',
  };
}

/** What Let's Encrypt counts this certificate under: its DNS names, addresses and common name. */
export function identifiersOf(leaf: CertificateFacts): string[] {
  return identifierSet([...leaf.names.dns, ...leaf.names.ip, leaf.commonName]);
}

/**
 * Whether the CA's key signed the leaf. cert-manager never asks: after a CA was generated anew, its old leaves stay Ready and
 * nobody trusts them (chain drift).
 */
export function verifySignedBy(leaf: CertificateFacts, ca: CertificateFacts): boolean {
  if (!leaf.issuer.der.equals(ca.subject.der)) return false;
  try {
    return new X509Certificate(leaf.der).verify(new X509Certificate(ca.der).publicKey);
  } catch {
    // A key or signature of a kind that OpenSSL cannot use proves nothing.
    return false;
  }
}

/**
 * Whether this is the placeholder of `cert-manager.io/issue-temporary-certificate`, by the name of the throwaway CA that signs it.
 * The fixed serialNumber attribute that cert-manager means to add (pkg/util/pki/temporarycertificate.go) never gets into the
 * certificate: Go encodes the raw subject of the template instead.
 */
export function isTemporary(leaf: CertificateFacts): boolean {
  return leaf.issuerText === 'CN=cert-manager.local';
}

/** Whether Let's Encrypt's staging environment issued this; clients do not trust it, and it costs no real budget. */
export function isLetsEncryptStaging(leaf: CertificateFacts): boolean {
  return /\(STAGING\)|Fake LE/.test(leaf.issuerText);
}

function refuse(why: string): never {
  throw new DecodeError(why);
}

/** Go crypto/x509 parseCertificate, in its order, because the first fault is the one that is reported. */
function readCertificate(der: Buffer, rules: CertManagerVersion): CertificateFacts {
  const input = new DerReader(der);
  const outer = input.enter(tag.sequence, 'x509: malformed certificate');
  const tbs = outer.enter(tag.sequence, 'x509: malformed tbs certificate');
  const version = readVersion(tbs);
  const serial = tbs.integer('x509: malformed serial number');
  if (serial < 0n && has(rules, 'positiveSerials')) throw new DecodeError('x509: negative serial number');
  const signedWith = tbs.read(tag.sequence, 'x509: malformed signature algorithm identifier');
  const signatureAlgorithm = outer.read(tag.sequence, 'x509: malformed algorithm identifier');
  if (!signedWith.equals(signatureAlgorithm)) {
    throw new DecodeError("x509: inner and outer signature algorithm identifiers don't match");
  }
  new DerReader(signedWith).oid('x509: malformed OID');
  const issuer = readName(tbs.element(tag.sequence, 'x509: malformed issuer').whole);
  const validity = tbs.enter(tag.sequence, 'x509: malformed validity');
  const notBefore = readTime(validity);
  const notAfter = readTime(validity);
  const subject = readName(tbs.element(tag.sequence, 'x509: malformed issuer').whole);
  const spki = tbs.element(tag.sequence, 'x509: malformed spki').whole;
  const publicKey = readPublicKey(spki);
  const extensions = version < 2 ? noExtensions : readExtensions(tbs, version, rules);
  outer.bitString('x509: malformed signature');
  if (!input.empty) throw new DecodeError('x509: trailing data');
  return {
    serial: serial.toString(16),
    subject,
    issuer,
    issuerText: nameText(issuer),
    commonName: nameValue(subject, nameOid.commonName),
    notBefore,
    notAfter,
    publicKey,
    spkiFingerprint: sha256(spki),
    fingerprint: sha256(der),
    der,
    ...extensions,
  };
}

function readVersion(tbs: DerReader): number {
  const explicit = tbs.optional(contextTag(0, 'constructed'), 'x509: malformed version');
  if (explicit === undefined) return 1;
  const reader = new DerReader(explicit);
  const version = reader.integer('x509: malformed version');
  if (!reader.empty || version < 0n) throw new DecodeError('x509: malformed version');
  if (version > 2n) throw new DecodeError('x509: invalid version');
  return Number(version) + 1;
}

function readTime(validity: DerReader): Date {
  if (validity.nextIs(tag.utcTime)) {
    const text = validity.read(tag.utcTime, 'x509: malformed UTCTime').toString('latin1');
    const year = Number(text.slice(0, 2));
    const century = year >= 50 ? '19' : '20';
    // Seconds are optional in Go's reading of UTCTime only.
    const padded = /^\d{10}(?:Z|[+-])/.test(text) ? `${text.slice(0, 10)}00${text.slice(10)}` : text;
    return readClock(century + padded) ?? refuse('x509: malformed UTCTime');
  }
  if (validity.nextIs(tag.generalizedTime)) {
    const text = validity.read(tag.generalizedTime, 'x509: malformed GeneralizedTime').toString('latin1');
    return readClock(text) ?? refuse('x509: malformed GeneralizedTime');
  }
  throw new DecodeError('x509: unsupported time format');
}

function readClock(text: string): Date | undefined {
  const found = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:Z|([+-])(\d\d)(\d\d))$/.exec(text);
  if (found === null) return undefined;
  const [, year, month, day, hour, minute, second, sign, zoneHour, zoneMinute] = found;
  const local = `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`;
  const time = new Date(local);
  if (Number.isNaN(time.getTime()) || time.toISOString() !== local) return undefined;
  if (sign === undefined) return time;
  const minutes = Number(zoneHour) * 60 + Number(zoneMinute);
  // Go writes the time back to compare it, and writes a zero offset as Z.
  if (minutes === 0) return undefined;
  return new Date(time.getTime() - Number(`${sign}1`) * minutes * 60_000);
}

function readExtensions(tbs: DerReader, version: number, rules: CertManagerVersion): ExtensionFacts {
  tbs.optional(contextTag(1), 'x509: malformed issuerUniqueID');
  tbs.optional(contextTag(2), 'x509: malformed subjectUniqueID');
  const block = version === 3 ? tbs.optional(contextTag(3, 'constructed'), 'x509: malformed extensions') : undefined;
  return block === undefined ? noExtensions : extensionFacts(readExtensionList(new DerReader(block)), rules);
}

const requestSyntax = 'asn1: structure error: not a certificate request';
const extensionRequestOid = '1.2.840.113549.1.9.14';

/** Go crypto/x509 ParseCertificateRequest. The signature is not checked, as cert-manager does not check it here either. */
function readRequest(der: Buffer, rules: CertManagerVersion): RequestFacts {
  const input = new DerReader(der);
  const outer = input.enter(tag.sequence, requestSyntax);
  if (!input.empty) throw new DecodeError('asn1: syntax error: trailing data');
  const body = outer.enter(tag.sequence, requestSyntax);
  outer.enter(tag.sequence, requestSyntax).oid(requestSyntax);
  outer.bitString(requestSyntax);
  body.integer(requestSyntax);
  const subject = body.element(tag.sequence, requestSyntax).whole;
  const publicKey = readPublicKey(body.element(tag.sequence, requestSyntax).whole);
  const attributes = body.enter(contextTag(0, 'constructed'), requestSyntax);
  const alternativeNamesDer = requestedExtensions(attributes).find(
    ({ oid }) => oid === extensionOid.alternativeNames,
  )?.value;
  return {
    subject: readName(subject, 'skip other types'),
    publicKey,
    alternativeNamesDer,
    names: alternativeNamesDer === undefined ? noNames : readAlternativeNames(alternativeNamesDer, rules),
  };
}

function requestedExtensions(attributes: DerReader): Extension[] {
  const found: Extension[] = [];
  while (!attributes.empty) {
    const { whole } = attributes.any(requestSyntax);
    // Go passes over attributes that do not parse.
    const attribute = attempt(() => readAttribute(whole));
    if (!attribute.ok || attribute.value.oid !== extensionRequestOid) continue;
    found.push(...readExtensionList(new DerReader(attribute.value.first)));
  }
  return found;
}

function readAttribute(der: Buffer): { oid: string; first: Buffer } {
  const attribute = new DerReader(der).enter(tag.sequence, requestSyntax);
  const oid = attribute.oid(requestSyntax);
  const values = attribute.enter(tag.set, requestSyntax);
  const first = values.any(requestSyntax).whole;
  while (!values.empty) values.any(requestSyntax);
  return { oid, first };
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
