/**
 * Keys, certificates and requests for tests, encoded by @peculiar/asn1-x509 and signed by node:crypto: an encoder and a signer that
 * share no code with the decoder under test.
 */
import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { CertificationRequest, CertificationRequestInfo } from '@peculiar/asn1-csr';
import { AsnConvert, OctetString } from '@peculiar/asn1-schema';
import {
  AlgorithmIdentifier,
  Attribute,
  AttributeTypeAndValue,
  AttributeValue,
  AuthorityKeyIdentifier,
  BasicConstraints,
  Certificate,
  ExtendedKeyUsage,
  Extension,
  Extensions,
  GeneralName,
  id_ce_authorityKeyIdentifier,
  id_ce_basicConstraints,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_ce_subjectAltName,
  id_ce_subjectKeyIdentifier,
  KeyIdentifier,
  KeyUsage,
  Name,
  OtherName,
  RelativeDistinguishedName,
  SubjectAlternativeName,
  SubjectKeyIdentifier,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Validity,
  Version,
} from '@peculiar/asn1-x509';

/** A private key and how it is written. */
export type Encoding = 'pkcs1' | 'sec1' | 'pkcs8';

/** Generates a key. RSA takes long enough to be shared within a test file. */
export function newKey(
  kind:
    | 'P-256'
    | 'P-384'
    | 'P-521'
    | 'P-224'
    | 'Ed25519'
    | 'X25519'
    | 'RSA-1024'
    | 'RSA-2048'
    | 'secp256k1'
    | 'DSA'
    | 'RSA-PSS',
): KeyObject {
  switch (kind) {
    case 'Ed25519':
      return generateKeyPairSync('ed25519').privateKey;
    case 'X25519':
      return generateKeyPairSync('x25519').privateKey;
    case 'RSA-1024':
      return generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
    case 'RSA-2048':
      return generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
    case 'RSA-PSS':
      return generateKeyPairSync('rsa-pss', { modulusLength: 1024 }).privateKey;
    case 'DSA':
      return generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 }).privateKey;
    default:
      return generateKeyPairSync('ec', { namedCurve: kind }).privateKey;
  }
}

/** The key as PEM; by default as cert-manager writes it. */
export function keyPem(key: KeyObject, encoding: Encoding = defaultEncoding(key)): string {
  return key.export({ type: encoding, format: 'pem' }).toString();
}

function defaultEncoding(key: KeyObject): Encoding {
  if (key.asymmetricKeyType === 'rsa') return 'pkcs1';
  return key.asymmetricKeyType === 'ec' ? 'sec1' : 'pkcs8';
}

/** What a test certificate says. */
export interface CertificateOptions {
  readonly key: KeyObject;
  /** Issuer; self-signed if absent. */
  readonly signer?: { readonly key: KeyObject; readonly name: readonly (readonly [oid: string, value: string])[] };
  readonly serial?: Buffer;
  readonly subject?: readonly (readonly [oid: string, value: string])[];
  readonly commonName?: string;
  readonly dns?: readonly string[];
  readonly ip?: readonly string[];
  readonly uri?: readonly string[];
  readonly email?: readonly string[];
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  readonly usages?: number;
  readonly extendedUsages?: readonly string[];
  readonly isCa?: boolean;
  readonly authorityKeyId?: Buffer;
  readonly subjectKeyId?: Buffer;
  readonly extensions?: readonly Extension[];
}

const commonNameOid = '2.5.4.3';

/** A certificate as PEM. */
export function certificatePem(options: CertificateOptions): string {
  return pem('CERTIFICATE', certificateDer(options));
}

/** A certificate as DER. */
export function certificateDer(options: CertificateOptions): Buffer {
  const signingKey = options.signer?.key ?? options.key;
  const subject = subjectOf(options);
  const tbs = new TBSCertificate({
    version: Version.v3,
    serialNumber: bufferOf(options.serial ?? Buffer.from('0a1b2c3d', 'hex')),
    signature: signatureAlgorithm(signingKey),
    issuer: options.signer === undefined ? subject : nameOf(options.signer.name),
    validity: new Validity({
      notBefore: options.notBefore ?? new Date('2026-06-01T00:00:00Z'),
      notAfter: options.notAfter ?? new Date('2026-08-30T00:00:00Z'),
    }),
    subject,
    subjectPublicKeyInfo: spkiOf(options.key),
    extensions: new Extensions(extensionsOf(options)),
  });
  const body = Buffer.from(AsnConvert.serialize(tbs));
  const certificate = new Certificate({
    tbsCertificate: tbs,
    signatureAlgorithm: signatureAlgorithm(signingKey),
    signatureValue: bufferOf(signed(signingKey, body)),
  });
  return Buffer.from(AsnConvert.serialize(certificate));
}

/** A certificate request as PEM. */
export function requestPem(
  options: Pick<CertificateOptions, 'key' | 'commonName' | 'subject' | 'dns' | 'ip' | 'uri' | 'email'> & {
    readonly otherNames?: readonly (readonly [oid: string, value: string])[];
  },
): string {
  const names = generalNames(options);
  for (const [oid, value] of options.otherNames ?? []) {
    names.push(
      new GeneralName({
        otherName: new OtherName({
          typeId: oid,
          value: AsnConvert.serialize(new AttributeValue({ utf8String: value })),
        }),
      }),
    );
  }
  const info = new CertificationRequestInfo({
    subject: subjectOf(options),
    subjectPKInfo: spkiOf(options.key),
  });
  if (names.length > 0) {
    const extensions = new Extensions([extension(id_ce_subjectAltName, new SubjectAlternativeName(names))]);
    info.attributes.push(new Attribute({ type: '1.2.840.113549.1.9.14', values: [AsnConvert.serialize(extensions)] }));
  }
  const request = new CertificationRequest({
    certificationRequestInfo: info,
    signatureAlgorithm: signatureAlgorithm(options.key),
    signature: bufferOf(signed(options.key, Buffer.from(AsnConvert.serialize(info)))),
  });
  return pem('CERTIFICATE REQUEST', Buffer.from(AsnConvert.serialize(request)));
}

/** DER as one PEM block. */
export function pem(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

/** One extension. */
export function extension(oid: string, value: unknown, critical = false): Extension {
  return new Extension({ extnID: oid, critical, extnValue: new OctetString(AsnConvert.serialize(value)) });
}

function extensionsOf(options: CertificateOptions): Extension[] {
  const names = generalNames(options);
  const keyId = (bytes: Buffer) => new KeyIdentifier(bufferOf(bytes));
  return [
    ...(names.length === 0 ? [] : [extension(id_ce_subjectAltName, new SubjectAlternativeName(names))]),
    ...(options.usages === undefined ? [] : [extension(id_ce_keyUsage, new KeyUsage(options.usages), true)]),
    ...(options.extendedUsages === undefined
      ? []
      : [extension(id_ce_extKeyUsage, new ExtendedKeyUsage([...options.extendedUsages]))]),
    ...(options.isCa === undefined
      ? []
      : [extension(id_ce_basicConstraints, new BasicConstraints({ cA: options.isCa }), true)]),
    ...(options.authorityKeyId === undefined
      ? []
      : [
          extension(
            id_ce_authorityKeyIdentifier,
            new AuthorityKeyIdentifier({ keyIdentifier: keyId(options.authorityKeyId) }),
          ),
        ]),
    ...(options.subjectKeyId === undefined
      ? []
      : [extension(id_ce_subjectKeyIdentifier, new SubjectKeyIdentifier(bufferOf(options.subjectKeyId)))]),
    ...(options.extensions ?? []),
  ];
}

function generalNames(options: Pick<CertificateOptions, 'dns' | 'ip' | 'uri' | 'email'>): GeneralName[] {
  return [
    ...(options.dns ?? []).map((dNSName) => new GeneralName({ dNSName })),
    ...(options.email ?? []).map((rfc822Name) => new GeneralName({ rfc822Name })),
    ...(options.ip ?? []).map((iPAddress) => new GeneralName({ iPAddress })),
    ...(options.uri ?? []).map((uniformResourceIdentifier) => new GeneralName({ uniformResourceIdentifier })),
  ];
}

function subjectOf(options: Pick<CertificateOptions, 'commonName' | 'subject'>): Name {
  return nameOf([
    ...(options.subject ?? []),
    ...(options.commonName === undefined ? [] : [[commonNameOid, options.commonName] as const]),
  ]);
}

function nameOf(attributes: readonly (readonly [oid: string, value: string])[]): Name {
  return new Name(
    attributes.map(
      ([type, utf8String]) =>
        new RelativeDistinguishedName([new AttributeTypeAndValue({ type, value: new AttributeValue({ utf8String }) })]),
    ),
  );
}

function spkiOf(key: KeyObject): SubjectPublicKeyInfo {
  const spki = publicOf(key);
  return AsnConvert.parse(spki, SubjectPublicKeyInfo);
}

function publicOf(key: KeyObject): Buffer {
  return createPublicKey(key).export({ type: 'spki', format: 'der' });
}

function signatureAlgorithm(key: KeyObject): AlgorithmIdentifier {
  switch (key.asymmetricKeyType) {
    case 'ec':
      return new AlgorithmIdentifier({ algorithm: '1.2.840.10045.4.3.2' });
    case 'ed25519':
      return new AlgorithmIdentifier({ algorithm: '1.3.101.112' });
    default:
      return new AlgorithmIdentifier({ algorithm: '1.2.840.113549.1.1.11', parameters: null });
  }
}

function signed(key: KeyObject, body: Buffer): Buffer {
  switch (key.asymmetricKeyType) {
    case 'x25519':
    case 'rsa-pss':
      // These never sign here; no decoder looks at the signature of a leaf.
      return Buffer.alloc(64);
    case 'ed25519':
      return sign(null, body, key);
    default:
      return sign('sha256', body, key);
  }
}

function bufferOf(bytes: Buffer): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}
