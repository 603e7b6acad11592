import { createHash, X509Certificate } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { nameText } from './names.js';
import {
  type CertificateOptions,
  certificateDer,
  certificatePem,
  keyPem,
  newKey,
  pem,
  requestPem,
} from './testing/fixtures.js';
import { certManagerVersion } from './version.js';
import {
  type CertificateFacts,
  decodeCertificates,
  decodeLeaf,
  decodeRequest,
  identifiersOf,
  isLetsEncryptStaging,
  isTemporary,
  keysMatch,
  verifySignedBy,
} from './x509.js';

const version = certManagerVersion('1.21.2');
const key = newKey('P-256');
const caKey = newKey('P-384');
const authorityName = [
  ['2.5.4.6', 'US'],
  ['2.5.4.10', "Let's Encrypt, Inc."],
  ['2.5.4.3', 'R11'],
] as const;

function facts(text: string): CertificateFacts {
  const decoded = decodeLeaf(Buffer.from(text), version);
  if (!decoded.ok) throw new Error(decoded.error);
  return decoded.value;
}

function errorOf(text: string): string {
  const decoded = decodeLeaf(Buffer.from(text), version);
  return decoded.ok ? 'none' : decoded.error;
}

const rich: CertificateOptions = {
  key,
  signer: { key: caKey, name: authorityName },
  serial: Buffer.from('00f0a1', 'hex'),
  commonName: 'a.example.org',
  dns: ['b.example.org', 'A.example.org'],
  ip: ['10.0.0.1', '2001:db8::1'],
  uri: ['spiffe://cluster/ns'],
  email: ['ops@example.org'],
  notBefore: new Date('2026-06-01T12:34:56Z'),
  notAfter: new Date('2056-06-01T12:34:56Z'),
  usages: 0b101,
  extendedUsages: ['1.3.6.1.5.5.7.3.1', '1.2.3.4'],
  isCa: false,
  authorityKeyId: Buffer.from('0a0b', 'hex'),
  subjectKeyId: Buffer.from('0c0d', 'hex'),
};

describe('facts of a certificate', () => {
  const leaf = facts(certificatePem(rich));

  it('are read from the DER', () => {
    expect(leaf).toMatchObject({
      serial: 'f0a1',
      issuerText: "CN=R11,O=Let's Encrypt\\, Inc.,C=US",
      commonName: 'a.example.org',
      notBefore: new Date('2026-06-01T12:34:56Z'),
      notAfter: new Date('2056-06-01T12:34:56Z'),
      names: {
        dns: ['b.example.org', 'A.example.org'],
        ip: ['10.0.0.1', '2001:db8::1'],
        uri: ['spiffe://cluster/ns'],
        email: ['ops@example.org'],
      },
      publicKey: { algorithm: 'ECDSA', bits: 256, curve: 'P-256' },
      isCa: false,
      usages: ['digital signature', 'key encipherment', 'server auth'],
      authorityKeyId: '0a0b',
      subjectKeyId: '0c0d',
    });
  });

  it('agree with OpenSSL', () => {
    const other = new X509Certificate(leaf.der);
    expect(leaf.serial).toBe(other.serialNumber.toLowerCase().replace(/^0+/, ''));
    expect(leaf.fingerprint).toBe(other.fingerprint256.replaceAll(':', '').toLowerCase());
    const spki = other.publicKey.export({ type: 'spki', format: 'der' });
    expect(leaf.spkiFingerprint).toBe(createHash('sha256').update(spki).digest('hex'));
    expect(leaf.notAfter).toEqual(other.validToDate);
  });

  it('the identifier set is sorted, lower-case and without repeats', () => {
    expect(identifiersOf(leaf)).toEqual(['10.0.0.1', '2001:db8::1', 'a.example.org', 'b.example.org']);
  });

  it('a certificate without extensions has none', () => {
    expect(facts(certificatePem({ key }))).toMatchObject({
      names: { dns: [] },
      usages: [],
      isCa: false,
      authorityKeyId: undefined,
    });
  });
});

describe('a whole file', () => {
  const leafPem = certificatePem(rich);
  const authority = certificatePem({ key: caKey, subject: authorityName, isCa: true });

  it('is the leaf and its chain', () => {
    const decoded = decodeCertificates(Buffer.from(leafPem + authority), version);
    expect(decoded.ok && decoded.value.map((one) => one.isCa)).toEqual([false, true]);
  });

  it('is refused for one block that is no certificate', () => {
    expect(errorOf(leafPem + keyPem(key))).toMatch(/^error parsing X.509 certificate: x509: malformed/);
    expect(errorOf('')).toBe('error decoding certificate PEM block: no valid certificates found');
    expect(errorOf(leafPem + 'x'.repeat(330_000))).toBe('provided PEM data was larger than the maximum 330000B');
  });

  it('is judged as Go does', () => {
    const der = certificateDer(rich);
    expect(errorOf(pem('CERTIFICATE', Buffer.concat([der, Buffer.alloc(1)])))).toContain('x509: trailing data');
    expect(errorOf(certificatePem({ ...rich, serial: Buffer.from([0x80]) }))).toContain('x509: negative serial number');
    expect(errorOf(certificatePem({ ...rich, uri: ['https://example.org./'] }))).toContain('invalid domain');
    expect(errorOf(certificatePem({ ...rich, key: newKey('secp256k1') }))).toContain(
      'x509: unsupported elliptic curve',
    );
  });
});

describe('keysMatch', () => {
  const match = (privatePem: string, text: string) => keysMatch(Buffer.from(privatePem), Buffer.from(text), version);

  it('says nothing about a pair', () => {
    expect(match(keyPem(key), certificatePem(rich))).toBeUndefined();
    const ed25519 = newKey('Ed25519');
    expect(match(keyPem(ed25519), certificatePem({ key: ed25519 }))).toBeUndefined();
  });

  it('names the reason otherwise', () => {
    expect(match(keyPem(caKey), certificatePem(rich))).toEqual({
      reason: 'InvalidKeyPair',
      message: 'Issuing certificate as Secret contains a private key that does not match the certificate',
    });
    expect(match('', certificatePem(rich))).toMatchObject({ reason: 'InvalidKeyPair' });
    expect(match(keyPem(key), '')).toMatchObject({ reason: 'InvalidCertificate' });
    const odd = certificatePem({ ...rich, key: newKey('X25519') });
    expect(match(keyPem(key), odd)?.message).toBe(
      'Secret contains an invalid key-pair: unrecognised public key type: <nil>',
    );
  });
});

describe('verifySignedBy', () => {
  const leaf = facts(certificatePem(rich));

  it('is true for the CA that signed', () => {
    expect(verifySignedBy(leaf, facts(certificatePem({ key: caKey, subject: authorityName, isCa: true })))).toBe(true);
  });

  it('is false for a CA of the same name with another key, and for another name', () => {
    expect(verifySignedBy(leaf, facts(certificatePem({ key: newKey('P-384'), subject: authorityName })))).toBe(false);
    expect(
      verifySignedBy(
        leaf,
        facts(certificatePem({ key: newKey('X25519'), signer: rich.signer ?? never(), subject: authorityName })),
      ),
    ).toBe(false);
    expect(verifySignedBy(leaf, facts(certificatePem({ key: caKey, commonName: 'R11' })))).toBe(false);
  });
});

function never(): never {
  throw new Error('the fixture has a signer');
}

it('cert-manager’s temporary certificate is recognised', () => {
  const issuedBy = (name: string) =>
    facts(certificatePem({ ...rich, signer: { key: caKey, name: [['2.5.4.3', name]] } }));
  expect(isTemporary(issuedBy('cert-manager.local'))).toBe(true);
  expect(isTemporary(issuedBy('cert-manager'))).toBe(false);
  expect(isTemporary(facts(certificatePem(rich)))).toBe(false);
});

it('staging issuers are recognised', () => {
  const issuedBy = (name: string) =>
    facts(certificatePem({ ...rich, signer: { key: caKey, name: [['2.5.4.3', name]] } }));
  expect(isLetsEncryptStaging(issuedBy('(STAGING) Riddling Rhubarb R12'))).toBe(true);
  expect(isLetsEncryptStaging(issuedBy('Fake LE Intermediate X1'))).toBe(true);
  expect(isLetsEncryptStaging(issuedBy('R11'))).toBe(false);
});

it('a request says what it asks for', () => {
  const text = requestPem({ key, commonName: 'a.example.org', dns: ['a.example.org'], ip: ['10.0.0.1'] });
  const decoded = decodeRequest(Buffer.from(text), version);
  expect(decoded).toMatchObject({
    ok: true,
    value: { publicKey: { algorithm: 'ECDSA' }, names: { dns: ['a.example.org'], ip: ['10.0.0.1'] } },
  });
  expect(decoded.ok && nameText(decoded.value.subject)).toBe('CN=a.example.org');
  expect(decodeRequest(Buffer.from(requestPem({ key })), version)).toMatchObject({
    ok: true,
    value: { names: { dns: [] } },
  });
  const longer = Buffer.concat([Buffer.from(text.replace(/-----.*-----|\n/g, ''), 'base64'), Buffer.from([0])]);
  expect(decodeRequest(Buffer.from(pem('CERTIFICATE REQUEST', longer)), version)).toMatchObject({
    ok: false,
    error: expect.stringContaining('trailing data'),
  });
  expect(decodeRequest(Buffer.from('x'), version)).toEqual({
    ok: false,
    error: 'error decoding certificate request PEM block: no PEM data was found in given input',
  });
});
