/**
 * Extensions of certificates, as Go's crypto/x509 reads them (parser.go processExtensions). One that is malformed makes the whole
 * certificate unreadable, also where nobody needs what it says.
 */
import { contextTag, DecodeError, DerReader, encodeElement, tag } from './der.js';
import { checkNameConstraints } from './name-constraints.js';
import { type AlternativeNames, noNames, readAlternativeNames } from './sans.js';
import type { CertManagerVersion } from './version.js';

/** One extension, its value still as bytes. */
export interface Extension {
  readonly oid: string;
  readonly critical: boolean;
  readonly value: Buffer;
}

/** What the extensions of a certificate say, as far as anybody here asks. */
export interface ExtensionFacts {
  readonly names: AlternativeNames;
  readonly isCa: boolean;
  /** cert-manager's words for key usage and extended key usage, as in `spec.usages`. Unknown extended usages are left out. */
  readonly usages: readonly string[];
  /** Lower hex; undefined where the certificate does not say. */
  readonly authorityKeyId: string | undefined;
  readonly subjectKeyId: string | undefined;
}

/** A certificate without any. */
export const noExtensions: ExtensionFacts = {
  names: noNames,
  isCa: false,
  usages: [],
  authorityKeyId: undefined,
  subjectKeyId: undefined,
};

/** The identifiers of those that Go looks into. */
export const extensionOid = {
  subjectKeyId: '2.5.29.14',
  keyUsage: '2.5.29.15',
  alternativeNames: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  revocationLists: '2.5.29.31',
  policies: '2.5.29.32',
  policyMappings: '2.5.29.33',
  authorityKeyId: '2.5.29.35',
  policyConstraints: '2.5.29.36',
  extendedKeyUsage: '2.5.29.37',
  inhibitAnyPolicy: '2.5.29.54',
  authorityInfoAccess: '1.3.6.1.5.5.7.1.1',
} as const;

/** Reads a list of extensions; none may be there twice. Throws DecodeError. */
export function readExtensionList(reader: DerReader): Extension[] {
  const sequence = reader.enter(tag.sequence, 'x509: malformed extensions');
  const list: Extension[] = [];
  while (!sequence.empty) {
    const extension = sequence.enter(tag.sequence, 'x509: malformed extension');
    const oid = extension.oid('x509: malformed extension OID field');
    const critical = extension.nextIs(tag.boolean) && extension.boolean('x509: malformed extension critical field');
    const value = extension.read(tag.octetString, 'x509: malformed extension value field');
    if (list.some((known) => known.oid === oid)) {
      throw new DecodeError(`x509: certificate contains duplicate extension with OID "${oid}"`);
    }
    list.push({ oid, critical, value });
  }
  return list;
}

/** What the extensions say. Throws DecodeError with Go's words for the first that is malformed. */
export function extensionFacts(list: readonly Extension[], rules: CertManagerVersion): ExtensionFacts {
  const facts = { ...noExtensions };
  const keyUsages: string[] = [];
  const extendedUsages: string[] = [];
  for (const { oid, critical, value } of list) {
    switch (oid) {
      case extensionOid.keyUsage:
        keyUsages.push(...readKeyUsage(value));
        break;
      case extensionOid.basicConstraints:
        facts.isCa = readIsCa(value);
        break;
      case extensionOid.alternativeNames:
        facts.names = readAlternativeNames(value, rules);
        break;
      case extensionOid.nameConstraints:
        checkNameConstraints(value);
        break;
      case extensionOid.revocationLists:
        checkRevocationLists(value);
        break;
      case extensionOid.authorityKeyId:
        if (critical) throw new DecodeError('x509: authority key identifier incorrectly marked critical');
        facts.authorityKeyId = readAuthorityKeyId(value);
        break;
      case extensionOid.policyConstraints:
        checkPolicyConstraints(value);
        break;
      case extensionOid.subjectKeyId:
        if (critical) throw new DecodeError('x509: subject key identifier incorrectly marked critical');
        facts.subjectKeyId = new DerReader(value)
          .read(tag.octetString, 'x509: invalid subject key identifier')
          .toString('hex');
        break;
      case extensionOid.extendedKeyUsage:
        extendedUsages.push(...readExtendedKeyUsage(value));
        break;
      case extensionOid.policies:
        checkPolicies(value);
        break;
      case extensionOid.policyMappings:
        checkPolicyMappings(value);
        break;
      case extensionOid.inhibitAnyPolicy:
        checkInt64(new DerReader(value).integer(inhibit), inhibit);
        break;
      case extensionOid.authorityInfoAccess:
        if (critical) throw new DecodeError('x509: authority info access incorrectly marked critical');
        checkInfoAccess(value);
        break;
    }
  }
  return { ...facts, usages: [...keyUsages, ...extendedUsages] };
}

const inhibit = 'x509: invalid inhibit any policy extension';

/** By bit, as RFC 5280 numbers them. */
const keyUsageNames = [
  'digital signature',
  'content commitment',
  'key encipherment',
  'data encipherment',
  'key agreement',
  'cert sign',
  'crl sign',
  'encipher only',
  'decipher only',
] as const;

function readKeyUsage(value: Buffer): string[] {
  const bytes = new DerReader(value).bits('x509: invalid key usage');
  return keyUsageNames.filter((_, bit) => ((bytes[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0);
}

const extendedUsageNames: ReadonlyMap<string, string> = new Map([
  ['2.5.29.37.0', 'any'],
  ['1.3.6.1.5.5.7.3.1', 'server auth'],
  ['1.3.6.1.5.5.7.3.2', 'client auth'],
  ['1.3.6.1.5.5.7.3.3', 'code signing'],
  ['1.3.6.1.5.5.7.3.4', 'email protection'],
  ['1.3.6.1.5.5.7.3.5', 'ipsec end system'],
  ['1.3.6.1.5.5.7.3.6', 'ipsec tunnel'],
  ['1.3.6.1.5.5.7.3.7', 'ipsec user'],
  ['1.3.6.1.5.5.7.3.8', 'timestamping'],
  ['1.3.6.1.5.5.7.3.9', 'ocsp signing'],
  ['1.3.6.1.4.1.311.10.3.3', 'microsoft sgc'],
  ['2.16.840.1.113730.4.1', 'netscape sgc'],
]);

function readExtendedKeyUsage(value: Buffer): string[] {
  const sequence = new DerReader(value).enter(tag.sequence, 'x509: invalid extended key usages');
  const found: string[] = [];
  while (!sequence.empty) {
    const name = extendedUsageNames.get(sequence.oid('x509: invalid extended key usages'));
    if (name !== undefined) found.push(name);
  }
  return found;
}

function readIsCa(value: Buffer): boolean {
  const malformed = 'x509: invalid basic constraints';
  const fields = new DerReader(value).enter(tag.sequence, malformed);
  const isCa = fields.nextIs(tag.boolean) && fields.boolean(malformed);
  if (fields.nextIs(tag.integer)) {
    const length = fields.integer(malformed);
    if (length < 0n) throw new DecodeError(malformed);
    checkInt64(length, malformed);
  }
  return isCa;
}

function readAuthorityKeyId(value: Buffer): string | undefined {
  const fields = new DerReader(value).enter(tag.sequence, 'x509: invalid authority key identifier');
  return fields.optional(contextTag(0), 'x509: invalid authority key identifier')?.toString('hex');
}

/** The first of the lists' names that is no URI ends the reading of a point. */
function checkRevocationLists(value: Buffer): void {
  const points = new DerReader(value).enter(tag.sequence, 'x509: invalid CRL distribution points');
  const malformed = 'x509: invalid CRL distribution point';
  while (!points.empty) {
    const name = points.enter(tag.sequence, malformed).optional(contextTag(0, 'constructed'), malformed);
    if (name === undefined) continue;
    const uris = new DerReader(name).enter(contextTag(0, 'constructed'), malformed);
    while (uris.nextIs(contextTag(6))) uris.read(contextTag(6), malformed);
  }
}

function checkPolicyConstraints(value: Buffer): void {
  const malformed = 'x509: invalid policy constraints extension';
  const fields = new DerReader(value).enter(tag.sequence, malformed);
  for (const number of [0, 1]) {
    const content = fields.optional(contextTag(number), malformed);
    if (content !== undefined) {
      checkInt64(new DerReader(encodeElement(tag.integer, content)).integer(malformed), malformed);
    }
  }
}

function checkPolicies(value: Buffer): void {
  const malformed = 'x509: invalid certificate policies';
  const policies = new DerReader(value).enter(tag.sequence, malformed);
  const seen = new Set<string>();
  while (!policies.empty) {
    const oid = policies.enter(tag.sequence, malformed).read(tag.oid, malformed);
    const isOid =
      oid.length > 0 &&
      (oid.at(-1) ?? 0) < 0x80 &&
      oid.every((byte, at) => byte !== 0x80 || (oid[at - 1] ?? 0) >= 0x80);
    if (!isOid || seen.has(oid.toString('hex'))) throw new DecodeError(malformed);
    seen.add(oid.toString('hex'));
  }
}

function checkPolicyMappings(value: Buffer): void {
  const malformed = 'x509: invalid policy mappings extension';
  const mappings = new DerReader(value).enter(tag.sequence, malformed);
  while (!mappings.empty) {
    const mapping = mappings.enter(tag.sequence, malformed);
    mapping.read(tag.oid, malformed);
    mapping.read(tag.oid, malformed);
  }
}

function checkInfoAccess(value: Buffer): void {
  const malformed = 'x509: invalid authority info access';
  const descriptions = new DerReader(value).enter(tag.sequence, malformed);
  while (!descriptions.empty) {
    const description = descriptions.enter(tag.sequence, malformed);
    description.oid(malformed);
    if (!description.empty) description.optional(contextTag(6), malformed);
  }
}

function checkInt64(value: bigint, malformed: string): void {
  if (BigInt.asIntN(64, value) !== value) throw new DecodeError(malformed);
}
