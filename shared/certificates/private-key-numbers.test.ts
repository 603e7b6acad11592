import { createPrivateKey } from 'node:crypto';
import { describe, expect, it, test } from '@jest/globals';
import { contextTag, encodeElement, encodeOid, tag } from './der.js';
import { decodePrivateKey } from './private-key.js';
import { keyOid } from './public-key.js';
import { keyPem, newKey, pem } from './testing/fixtures.js';
import { certManagerVersion } from './version.js';

const version = certManagerVersion('1.21.2');

/** What is wrong with a key, without the name of its format. */
function errorOf(label: string, der: Buffer): string {
  const decoded = decodePrivateKey(Buffer.from(pem(label, der)), version);
  return decoded.ok ? 'none' : decoded.error.replace(/^error parsing \S+ private key: /, '');
}

const integer = (value: bigint): Buffer => {
  const size = Math.floor(value.toString(2).length / 8) + 1;
  return encodeElement(
    tag.integer,
    Buffer.from(
      BigInt.asUintN(size * 8, value)
        .toString(16)
        .padStart(size * 2, '0'),
      'hex',
    ),
  );
};
const sequence = (...parts: Buffer[]): Buffer => encodeElement(tag.sequence, Buffer.concat(parts));
const octets = (content: Buffer): Buffer => encodeElement(tag.octetString, content);
const oid = (dotted: string): Buffer => encodeOid(dotted) ?? Buffer.alloc(0);

describe('the numbers of an RSA key', () => {
  // Small ones, of which each can be seen to be right: 61 · 53, and 17 · 2753 = 1 mod 60 · 52.
  const good = { version: 0n, n: 3233n, e: 17n, d: 2753n, p: 61n, q: 53n, dp: 53n, dq: 49n, qInverse: 38n };
  type Numbers = Partial<Record<keyof typeof good, bigint>>;
  const rsa = (change: Numbers = {}, ...more: Buffer[]): string =>
    errorOf('RSA PRIVATE KEY', sequence(...Object.values({ ...good, ...change }).map(integer), ...more));
  const others = (...primes: bigint[]): Buffer => sequence(...primes.map((prime) => sequence(integer(prime))));
  const value = 'x509: private key contains zero or negative value';
  const crt = 'crypto/rsa: invalid CRT exponent';
  const coefficient = 'crypto/rsa: invalid CRT coefficient';

  it.each<[string, Numbers, string]>([
    ['are right', {}, 'none'],
    ['are right in version 1', { version: 1n }, 'none'],
    ['have no newer version', { version: 2n }, 'x509: unsupported private key version'],
    ['have no modulus of nothing', { n: 0n }, value],
    ['have no negative exponent', { d: -1n }, value],
    ['have no first prime of nothing', { p: 0n }, value],
    ['have no second prime of nothing', { q: 0n }, value],
    ['have no CRT value of nothing', { dq: 0n }, value],
    ['have no even modulus', { n: 3234n }, 'crypto/rsa: public modulus is even'],
    ['have no exponent of 1', { e: 1n }, 'crypto/rsa: public exponent too small or negative'],
    ['have no negative public exponent', { e: -3n }, 'crypto/rsa: public exponent too small or negative'],
    ['have no even exponent', { e: 2n }, 'crypto/rsa: public exponent is even'],
    ['have no exponent of 32 bits', { e: 0x80000001n }, 'crypto/rsa: public exponent too large'],
    ['have an exponent of 31 bits, if it fits', { e: 0x7fffffffn }, crt],
    ['are of primes whose product is the modulus', { n: 3235n }, 'crypto/rsa: p * q != n'],
    ['have no prime of 1', { p: 1n, q: 3233n }, 'crypto/rsa: invalid prime'],
    ['have no prime of 1, the other way round', { p: 3233n, q: 1n }, 'crypto/rsa: invalid prime'],
    ['have exponents below their prime', { dp: 53n + 60n }, crt],
    ['have exponents below their other prime', { dq: 49n + 52n }, crt],
    ['have a first exponent that fits', { dp: 52n }, crt],
    ['have a second exponent that fits', { dq: 48n }, crt],
    ['have a coefficient below its prime', { qInverse: 38n + 61n }, coefficient],
    ['have a coefficient that fits', { qInverse: 37n }, coefficient],
    ['have a private exponent that fits the first prime', { d: 2753n + 52n }, 'crypto/rsa: d does not match dP'],
    ['have a private exponent that fits the second prime', { d: 2753n + 60n }, 'crypto/rsa: d does not match dQ'],
  ])('%s', (_, change, error) => {
    expect(rsa(change)).toBe(error);
  });

  it('are enough without those for the Chinese remainder theorem, and nobody looks at one of three', () => {
    const { dp: _, dq: __, qInverse: ___, ...plain } = good;
    const of = (numbers: object): string =>
      errorOf('RSA PRIVATE KEY', sequence(...Object.values(numbers).map(integer)));
    expect([of(plain), of({ ...plain, dp: 53n }), of({ ...plain, dp: 51n })]).toEqual(['none', 'none', 'none']);
    expect(of({ ...plain, d: 2754n })).toBe(crt);
  });

  it('may be followed by what is no number of a key, which has a tag and a length all the same', () => {
    const text = Buffer.from('0500', 'hex');
    expect(rsa({}, text)).toBe('none');
    for (const header of ['0580', '05847fffffff', '0584ffffffff', '058100', '1f80', '05']) {
      const wanted = header === '05847fffffff' ? 'none' : "asn1: structure error: tags don't match";
      expect([header, rsa({}, Buffer.from(header, 'hex'))]).toEqual([header, wanted]);
    }
  });

  it('may be of more primes, whose product is the modulus, and are then looked at no further', () => {
    expect(rsa({ n: 3233n * 7n, dp: 1n }, others(7n))).toBe('none');
    expect(rsa({ n: 3233n * 77n }, others(7n, 11n))).toBe('none');
    expect(rsa({ n: 3233n * 7n }, others(11n))).toBe('crypto/rsa: p * q != n');
    expect(rsa({}, others(1n))).toBe('none');
    for (const prime of [0n, -7n]) {
      expect(rsa({}, others(prime))).toBe('x509: private key contains zero or negative prime');
    }
    expect(rsa({}, sequence(integer(7n)))).toMatch(/^asn1: structure error/);
  });

  it('end where they say', () => {
    const whole = sequence(...Object.values(good).map(integer));
    expect(errorOf('RSA PRIVATE KEY', Buffer.concat([whole, Buffer.alloc(2)]))).toBe(
      'asn1: syntax error: trailing data',
    );
  });

  it('are the same within PKCS#8', () => {
    const pkcs8 = (numbers: Numbers): string =>
      errorOf(
        'PRIVATE KEY',
        sequence(
          integer(0n),
          sequence(oid(keyOid.rsa), Buffer.from([tag.null, 0])),
          octets(sequence(...Object.values({ ...good, ...numbers }).map(integer))),
        ),
      );
    expect(pkcs8({})).toBe('none');
    expect(pkcs8({ e: 2n })).toBe(
      'x509: failed to parse RSA private key embedded in PKCS#8: crypto/rsa: public exponent is even',
    );
  });
});

describe('an elliptic key', () => {
  const p256 = '1.2.840.10045.3.1.7';
  const one = Buffer.concat([Buffer.alloc(31), Buffer.from([1])]);
  const named = (number: number, content: Buffer): Buffer => encodeElement(contextTag(number, 'constructed'), content);
  const ec = ({
    version: own = 1n,
    secret = one,
    curve = [named(0, oid(p256))],
    point = [] as Buffer[],
  } = {}): string => errorOf('EC PRIVATE KEY', sequence(integer(own), octets(secret), ...curve, ...point));
  const bits = (...content: number[]): Buffer => encodeElement(tag.bitString, Buffer.from(content));
  const malformed = "asn1: structure error: tags don't match";

  it('has a version, a curve and a number on it', () => {
    expect(ec()).toBe('none');
    for (const own of [0n, 2n]) expect(ec({ version: own })).toBe(`x509: unknown EC private key version ${own}`);
    expect(ec({ curve: [] })).toBe('x509: unknown elliptic curve');
    expect(ec({ curve: [named(0, oid('1.2.3'))] })).toBe('x509: unknown elliptic curve');
    expect(ec({ secret: Buffer.alloc(32) })).toBe('ecdsa: private key scalar out of range');
    expect(ec({ secret: Buffer.alloc(32, 0xff) })).toBe('ecdsa: private key scalar out of range');
    expect(ec({ secret: Buffer.concat([Buffer.from([1]), one]) })).toBe('x509: invalid private key length');
    expect(ec({ secret: Buffer.concat([Buffer.from([0]), one]) })).toBe('none');
  });

  it('may have its point, of which only the form is looked at', () => {
    expect(ec({ point: [named(1, bits(0, 4, 1, 2))] })).toBe('none');
    expect(ec({ point: [named(1, Buffer.alloc(0))] })).toBe("asn1: structure error: tags don't match");
    expect(ec({ point: [named(1, integer(7n))] })).toBe('none');
    for (const point of [bits(), bits(8, 0), bits(1, 1), bits(1)])
      expect(ec({ point: [named(1, point)] })).toBe(malformed);
  });

  it('takes the curve of its container before its own', () => {
    const within = (parameters: Buffer, own: Buffer[]): string =>
      errorOf(
        'PRIVATE KEY',
        sequence(
          integer(0n),
          sequence(oid(keyOid.ecdsa), parameters),
          octets(sequence(integer(1n), octets(one), ...own)),
        ),
      );
    const unknown = 'x509: failed to parse EC private key embedded in PKCS#8: x509: unknown elliptic curve';
    expect(within(oid(p256), [])).toBe('none');
    expect(within(oid('1.2.3'), [named(0, oid(p256))])).toBe(unknown);
    expect(within(Buffer.from([tag.null, 0]), [named(0, oid(p256))])).toBe('none');
    expect(within(Buffer.from([tag.null, 0]), [])).toBe(unknown);
  });
});

describe('an Ed25519 key', () => {
  const ed = (parameters: Buffer[], key: Buffer): string =>
    errorOf('PRIVATE KEY', sequence(integer(0n), sequence(oid(keyOid.ed25519), ...parameters), octets(key)));

  it('is 32 bytes without parameters', () => {
    expect(ed([], octets(Buffer.alloc(32, 1)))).toBe('none');
    expect(ed([Buffer.from([tag.null, 0])], octets(Buffer.alloc(32)))).toBe(
      'x509: invalid Ed25519 private key parameters',
    );
    for (const length of [31, 33]) {
      expect(ed([], octets(Buffer.alloc(length)))).toBe(`x509: invalid Ed25519 private key length: ${length}`);
    }
    expect(ed([], Buffer.alloc(32, 1))).toMatch(/^x509: invalid Ed25519 private key: /);
  });
});

test('what is public of a key is what OpenSSL says', () => {
  for (const key of [newKey('RSA-1024'), newKey('P-256'), newKey('Ed25519')]) {
    const decoded = decodePrivateKey(Buffer.from(keyPem(key)), version);
    const { n = '', e = '', x = '', y = '', crv = '' } = createPrivateKey(keyPem(key)).export({ format: 'jwk' });
    const hex = (text: string): string => Buffer.from(text, 'base64url').toString('hex').replace(/^0+/, '');
    const bytes = (text: string): string => Buffer.from(text, 'base64url').toString('hex');
    const expected = n ? `${hex(n)}/${hex(e)}` : y ? `${crv}/04${bytes(x)}${bytes(y)}` : bytes(x);
    expect(decoded).toMatchObject({ ok: true, value: { publicKey: { material: expected } } });
  }
});
