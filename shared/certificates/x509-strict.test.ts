import { createPublicKey } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { contextTag, encodeElement, encodeOid, tag } from './der.js';
import { keyOid } from './public-key.js';
import { newKey, pem } from './testing/fixtures.js';
import { certManagerVersion } from './version.js';
import { type CertificateFacts, decodeLeaf } from './x509.js';

const cmVersion = certManagerVersion('1.21.2');
const key = newKey('P-256');

const sequence = (...parts: Uint8Array[]): Buffer => encodeElement(tag.sequence, Buffer.concat(parts));
const integer = (value: number): Buffer => encodeElement(tag.integer, Buffer.from([value]));
const oid = (dotted: string): Buffer => encodeOid(dotted) ?? Buffer.alloc(0);
const text = (kind: number, value: string): Buffer => encodeElement(kind, Buffer.from(value, 'latin1'));
const bits = (...content: number[]): Buffer => encodeElement(tag.bitString, Buffer.from([0, ...content]));
const utc = (value: string): Buffer => text(tag.utcTime, value);
const yes = encodeElement(tag.boolean, Buffer.from([0xff]));
const nothing = Buffer.from([tag.null, 0]);
const extension = (name: string, value: Uint8Array, ...critical: Buffer[]): Buffer =>
  sequence(oid(name), ...critical, encodeElement(tag.octetString, value));

const algorithm = sequence(oid('1.2.840.10045.4.3.2'));
const noName = sequence();
const spki = createPublicKey(key).export({ type: 'spki', format: 'der' });
interface Parts {
  version: Buffer[];
  serial: Buffer;
  signedWith: Buffer;
  times: Buffer[];
  spki: Buffer;
  more: Buffer[];
  outer: Buffer;
}
type Change = Partial<Parts>;

const whole: Parts = {
  version: [encodeElement(contextTag(0, 'constructed'), integer(2))],
  serial: integer(7),
  signedWith: algorithm,
  times: [utc('260601120000Z'), utc('260901120000Z')],
  spki: Buffer.from(spki),
  more: [],
  outer: algorithm,
};

/** A certificate of parts, some of which are others. */
function certificate(change: Change = {}): Buffer {
  const parts = { ...whole, ...change };
  const tbs = sequence(
    ...parts.version,
    parts.serial,
    parts.signedWith,
    noName,
    sequence(...parts.times),
    noName,
    parts.spki,
    ...parts.more,
  );
  return Buffer.from(pem('CERTIFICATE', sequence(tbs, parts.outer, bits(1))));
}

const extensions = (...list: Buffer[]): Change => ({
  more: [encodeElement(contextTag(3, 'constructed'), sequence(...list))],
});

function factsOf(change: Change): CertificateFacts {
  const decoded = decodeLeaf(certificate(change), cmVersion);
  if (!decoded.ok) throw new Error(decoded.error);
  return decoded.value;
}

function errorOf(change: Change): string {
  const decoded = decodeLeaf(certificate(change), cmVersion);
  return decoded.ok ? 'none' : decoded.error.replace('error parsing X.509 certificate: ', '');
}

describe('a certificate as Go reads it', () => {
  it('has a version from 1 to 3, and no extensions before the last', () => {
    const of = (value: number, ...rest: Buffer[]): Change => ({
      version: [encodeElement(contextTag(0, 'constructed'), Buffer.concat([integer(value), ...rest]))],
    });
    const ca = extensions(extension('2.5.29.19', sequence(yes)));
    expect([{ version: [] }, of(0), of(1), of(2)].map((version) => factsOf({ ...ca, ...version }).isCa)).toEqual([
      false,
      false,
      false,
      true,
    ]);
    expect(errorOf(of(3))).toBe('x509: invalid version');
    expect(errorOf(of(0xff))).toBe('x509: malformed version');
    expect(errorOf(of(2, integer(2)))).toBe('x509: malformed version');
  });

  it('is signed with what it says', () => {
    expect(errorOf({ outer: sequence(oid('1.3.101.112')) })).toBe(
      "x509: inner and outer signature algorithm identifiers don't match",
    );
    expect(errorOf({ signedWith: sequence(), outer: sequence() })).toBe('x509: malformed OID');
  });

  it('has no extension twice', () => {
    const same = extension('1.2.3.4', Buffer.from([1]));
    expect(errorOf(extensions(same))).toBe('none');
    expect(errorOf(extensions(same, same))).toBe('x509: certificate contains duplicate extension with OID "1.2.3.4"');
  });

  it.each([
    ['2.5.29.35', sequence(), 'x509: authority key identifier incorrectly marked critical'],
    [
      '2.5.29.14',
      encodeElement(tag.octetString, Buffer.from([1])),
      'x509: subject key identifier incorrectly marked critical',
    ],
    ['1.3.6.1.5.5.7.1.1', sequence(), 'x509: authority info access incorrectly marked critical'],
  ])('has extension %s only where it is not critical', (name, value, error) => {
    expect(errorOf(extensions(extension(name, value)))).toBe('none');
    expect(errorOf(extensions(extension(name, value, yes)))).toBe(error);
  });

  it('is a CA by its basic constraints, whose path is no negative number', () => {
    const of = (...content: Buffer[]): Change => extensions(extension('2.5.29.19', sequence(...content), yes));
    expect([of(), of(yes), of(yes, integer(0)), of(integer(1))].map((one) => factsOf(one).isCa)).toEqual([
      false,
      true,
      true,
      false,
    ]);
    expect(errorOf(of(yes, integer(0xff)))).toBe('x509: invalid basic constraints');
  });

  it('names its usages, those of the key first', () => {
    const usages = (...content: number[]): readonly string[] =>
      factsOf(extensions(extension('2.5.29.15', encodeElement(tag.bitString, Buffer.from(content))))).usages;
    expect(usages(0, 0xff)).toEqual([
      'digital signature',
      'content commitment',
      'key encipherment',
      'data encipherment',
      'key agreement',
      'cert sign',
      'crl sign',
      'encipher only',
    ]);
    expect(usages(7, 0, 0x80)).toEqual(['decipher only']);
    const known = ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2', '2.5.29.37.0', '1.2.3'].map(oid);
    const both = extensions(extension('2.5.29.37', sequence(...known)), extension('2.5.29.15', bits(4)));
    expect(factsOf(both).usages).toEqual(['cert sign', 'server auth', 'client auth', 'any']);
  });

  it('names the key that signed it, and its own', () => {
    const id = (name: string, value: Buffer): Buffer => extension(name, value);
    const found = factsOf(
      extensions(
        id('2.5.29.35', sequence(encodeElement(contextTag(0), Buffer.from([1, 2])))),
        id('2.5.29.14', encodeElement(tag.octetString, Buffer.from([3, 4]))),
      ),
    );
    expect([found.authorityKeyId, found.subjectKeyId]).toEqual(['0102', '0304']);
    expect(factsOf(extensions(id('2.5.29.35', sequence()))).authorityKeyId).toBeUndefined();
  });
});

describe('the times of a certificate', () => {
  const until = (time: Buffer): string => {
    const decoded = decodeLeaf(certificate({ times: [utc('260601120000Z'), time] }), cmVersion);
    return decoded.ok
      ? decoded.value.notAfter.toISOString()
      : decoded.error.replace('error parsing X.509 certificate: ', '');
  };
  const general = (value: string): Buffer => text(tag.generalizedTime, value);

  it.each<[string, string]>([
    ['500101000000Z', '1950-01-01T00:00:00.000Z'],
    ['491231235959Z', '2049-12-31T23:59:59.000Z'],
    ['2609011200Z', '2026-09-01T12:00:00.000Z'],
    ['260901120000+0130', '2026-09-01T10:30:00.000Z'],
    ['2609011200-0200', '2026-09-01T14:00:00.000Z'],
    ['260901120000+0001', '2026-09-01T11:59:00.000Z'],
    ['260901120000+0000', 'x509: malformed UTCTime'],
    ['260901120000', 'x509: malformed UTCTime'],
    ['260230120000Z', 'x509: malformed UTCTime'],
    ['261301120000Z', 'x509: malformed UTCTime'],
  ])('of two digits of a year: %s', (written, time) => {
    expect(until(utc(written))).toBe(time);
  });

  it.each<[string, string]>([
    ['20560601123456Z', '2056-06-01T12:34:56.000Z'],
    ['20560601123456-0100', '2056-06-01T13:34:56.000Z'],
    ['205606011234Z', 'x509: malformed GeneralizedTime'],
    ['20560601123456.5Z', 'x509: malformed GeneralizedTime'],
  ])('of four: %s', (written, time) => {
    expect(until(general(written))).toBe(time);
  });

  it('are of these two forms', () => {
    expect(until(text(tag.utf8String, '260901120000Z'))).toBe('x509: unsupported time format');
  });
});

describe('the key of a certificate', () => {
  const of = (name: string, parameters: Buffer[], bytes: Uint8Array): Change => ({
    spki: sequence(sequence(oid(name), ...parameters), bits(...bytes)),
  });
  const numbers = (...list: number[]): Buffer => sequence(...list.map(integer));

  it('of Ed25519 has its size and no parameters', () => {
    expect(factsOf(of(keyOid.ed25519, [], Buffer.alloc(32, 5))).publicKey).toEqual({
      algorithm: 'Ed25519',
      bits: 256,
      material: '05'.repeat(32),
    });
    expect(errorOf(of(keyOid.ed25519, [], Buffer.alloc(33)))).toBe('x509: wrong Ed25519 public key size');
    expect(errorOf(of(keyOid.ed25519, [nothing], Buffer.alloc(32)))).toBe(
      'x509: Ed25519 key encoded with illegal parameters',
    );
  });

  it('of RSA has positive numbers and empty parameters', () => {
    const rsa = (bytes: Buffer, parameters: Buffer[] = [nothing]): Change => of(keyOid.rsa, parameters, bytes);
    expect(factsOf(rsa(numbers(35, 5))).publicKey).toEqual({ algorithm: 'RSA', bits: 6, material: '23/5' });
    expect(errorOf(rsa(numbers(35, 5), []))).toBe('x509: RSA key missing NULL parameters');
    for (const modulus of [0, 0xff]) {
      expect(errorOf(rsa(numbers(modulus, 5)))).toBe('x509: RSA modulus is not a positive number');
    }
    for (const exponent of [0, 0xff]) {
      expect(errorOf(rsa(numbers(35, exponent)))).toBe('x509: RSA public exponent is not a positive number');
    }
    const long = (first: number): Buffer => encodeElement(tag.integer, Buffer.from([first, ...Buffer.alloc(8, 0xff)]));
    expect(errorOf(rsa(sequence(integer(35), long(0))))).toBe('x509: invalid RSA public exponent');
    const longest = encodeElement(tag.integer, Buffer.from([0x7f, ...Buffer.alloc(7, 0xff)]));
    expect(errorOf(rsa(sequence(integer(35), longest)))).toBe('none');
  });

  it('of an elliptic curve is a point on a known one, written out', () => {
    const p256 = oid('1.2.840.10045.3.1.7');
    const ec = (curve: Buffer, bytes: Buffer): Change => of(keyOid.ecdsa, [curve], bytes);
    const point = Buffer.from(spki).subarray(-65);
    expect(errorOf(ec(p256, point))).toBe('none');
    expect(errorOf(ec(oid('1.2.3'), point))).toBe('x509: unsupported elliptic curve');
    expect(errorOf(ec(p256, Buffer.concat([Buffer.from([2]), point.subarray(1, 33)])))).toBe(
      'ecdsa: invalid uncompressed public key',
    );
    expect(errorOf(ec(p256, Buffer.concat([point.subarray(0, 64), Buffer.from([(point[64] ?? 0) ^ 1])])))).toBe(
      'P256 point not on curve',
    );
  });

  it('of a kind that Go does not know is no error', () => {
    for (const name of [keyOid.x25519, '1.2.3']) {
      expect(factsOf(of(name, [nothing], Buffer.alloc(1))).publicKey).toMatchObject({ goType: '<nil>' });
    }
  });
});

describe('the names of a certificate', () => {
  const names = (kind: number, value: Uint8Array): Change =>
    extensions(extension('2.5.29.17', sequence(encodeElement(contextTag(kind), value))));

  it('have addresses of 4 or 16 bytes', () => {
    expect(factsOf(names(7, Buffer.from([10, 0, 0, 1]))).names.ip).toEqual(['10.0.0.1']);
    expect(factsOf(names(7, Buffer.from([...Buffer.alloc(10), 0xff, 0xff, 10, 0, 0, 1]))).names.ip).toEqual([
      '10.0.0.1',
    ]);
    expect(factsOf(names(7, Buffer.from([0x20, 1, ...Buffer.alloc(13), 1]))).names.ip).toEqual(['2001::1']);
    expect(factsOf(names(7, Buffer.from([0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0]))).names.ip).toEqual([
      '0:1::1:0:0',
    ]);
    // Of two runs of zeros that are as long, the first.
    expect(factsOf(names(7, Buffer.from([0, 1, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 1]))).names.ip).toEqual([
      '1::1:1:0:0:1',
    ]);
    expect(factsOf(names(7, Buffer.alloc(16))).names.ip).toEqual(['::']);
    for (const length of [3, 5, 15, 17]) {
      expect(errorOf(names(7, Buffer.alloc(length)))).toBe(`x509: cannot parse IP address of length ${length}`);
    }
  });

  it.each([
    [1, 'rfc822Name', 'email'],
    [2, 'dNSName', 'dns'],
    [6, 'uniformResourceIdentifier', 'uri'],
  ] as const)('have text of kind %i in ASCII only', (kind, name, field) => {
    expect(factsOf(names(kind, Buffer.from('a:b'))).names[field]).toEqual(['a:b']);
    expect(errorOf(names(kind, Buffer.from([0x61, 0x80])))).toBe(`x509: SAN ${name} is malformed`);
  });
});
