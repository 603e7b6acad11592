import { expect, it } from '@jest/globals';
import { decodePrivateKey } from './private-key.js';
import { keyPem, newKey, pem } from './testing/fixtures.js';
import { certManagerVersion } from './version.js';

const version = certManagerVersion('1.21.2');
const decode = (text: string) => decodePrivateKey(Buffer.from(text), version);
const rsa = newKey('RSA-1024');
const ec = newKey('P-256');

it.each([
  ['P-224', 224],
  ['P-256', 256],
  ['P-384', 384],
  ['P-521', 521],
] as const)('%s in both encodings', (curve, bits) => {
  const key = newKey(curve);
  const sec1 = decode(keyPem(key));
  const pkcs8 = decode(keyPem(key, 'pkcs8'));
  expect(sec1).toMatchObject({ ok: true, value: { encoding: 'SEC1', publicKey: { algorithm: 'ECDSA', curve, bits } } });
  expect(pkcs8).toMatchObject({
    ok: true,
    value: { encoding: 'PKCS8', publicKey: { algorithm: 'ECDSA', curve, bits } },
  });
  expect(sec1.ok && pkcs8.ok && sec1.value.publicKey).toEqual(pkcs8.ok && pkcs8.value.publicKey);
});

it('RSA and Ed25519', () => {
  expect(decode(keyPem(rsa))).toMatchObject({
    ok: true,
    value: { encoding: 'PKCS1', publicKey: { algorithm: 'RSA', bits: 1024 } },
  });
  expect(decode(keyPem(rsa, 'pkcs8'))).toMatchObject({
    ok: true,
    value: { encoding: 'PKCS8', publicKey: { algorithm: 'RSA' } },
  });
  expect(decode(keyPem(newKey('Ed25519')))).toMatchObject({
    ok: true,
    value: { encoding: 'PKCS8', publicKey: { algorithm: 'Ed25519' } },
  });
});

it('an EC key with leading zeros cut off or added is the same key', () => {
  const one = (length: number) => {
    const secret = Buffer.alloc(length);
    secret[length - 1] = 1;
    const body = Buffer.concat([
      Buffer.from([2, 1, 1, 4, length]),
      secret,
      Buffer.from('a00a06082a8648ce3d030107', 'hex'),
    ]);
    return decode(pem('EC PRIVATE KEY', Buffer.concat([Buffer.from([0x30, body.length]), body])));
  };
  expect(one(1)).toEqual(one(32));
  expect(one(40)).toEqual(one(32));
  expect(one(32).ok).toBe(true);
});

it('errors are cert-manager’s, and never quote the key', () => {
  const relabel = (text: string, from: string, to: string) => text.replaceAll(`${from}-----`, `${to}-----`);
  const error = (text: string) => {
    const decoded = decode(text);
    return decoded.ok ? 'none' : decoded.error;
  };
  expect(error('x')).toBe('error decoding private key PEM block: no PEM data was found in given input');
  expect(error('x'.repeat(13_001))).toBe(
    'error decoding private key PEM block: provided PEM data was larger than the maximum 13000B',
  );
  expect(error(pem('EC PARAMETERS', Buffer.alloc(2)))).toBe('unknown private key type: EC PARAMETERS');
  expect(error(relabel(keyPem(rsa, 'pkcs8'), 'PRIVATE KEY', 'RSA PRIVATE KEY'))).toBe(
    'error parsing rsa private key: x509: failed to parse private key (use ParsePKCS8PrivateKey instead for this key format)',
  );
  expect(error(relabel(keyPem(rsa), 'RSA PRIVATE KEY', 'EC PRIVATE KEY'))).toBe(
    'error parsing ecdsa private key: x509: failed to parse private key (use ParsePKCS1PrivateKey instead for this key format)',
  );
  expect(error(relabel(keyPem(ec), 'EC PRIVATE KEY', 'PRIVATE KEY'))).toBe(
    'error parsing pkcs#8 private key: x509: failed to parse private key (use ParseECPrivateKey instead for this key format)',
  );
  expect(error(keyPem(newKey('secp256k1')))).toBe('error parsing ecdsa private key: x509: unknown elliptic curve');
  expect(error(keyPem(newKey('X25519')))).toBe('error parsing pkcs#8 private key: invalid key type');
  expect(error(keyPem(newKey('DSA'), 'pkcs8'))).toBe(
    'error parsing pkcs#8 private key: x509: PKCS#8 wrapping contained private key with unknown algorithm: 1.2.840.10040.4.1',
  );
});

it('an EC key is read as Go reads explicit tags: without a look at their length, and past those of another type', () => {
  const body = (fields: string) =>
    Buffer.concat([Buffer.from(`0201010420${'00'.repeat(31)}01`, 'hex'), Buffer.from(fields, 'hex')]);
  const one = (fields: string) => {
    const inner = body(fields);
    return decode(pem('EC PRIVATE KEY', Buffer.concat([Buffer.from([0x30, inner.length]), inner])));
  };
  const curve = '06082a8648ce3d030107';
  const plain = one(`a00a${curve}`);
  expect(plain.ok).toBe(true);
  expect(one(`a061${curve}`)).toEqual(plain);
  expect(one(`a00a${curve}a10403020000`)).toEqual(plain);
  expect(one(`a00a${curve}a1030401ff`)).toEqual(plain);
  expect(one(`a00a${curve}a10403020801`).ok).toBe(false);
  expect(one(`a00a${curve}a100`).ok).toBe(false);
  expect(one(`a000${curve}`).ok).toBe(false);
  expect(one(`a103020100${curve}`)).toEqual({
    ok: false,
    error: 'error parsing ecdsa private key: x509: unknown elliptic curve',
  });
});

it('the further numbers of an RSA key count by the version', () => {
  const der = Buffer.from(keyPem(rsa).replace(/-----[^-]+-----|\s/g, ''), 'base64');
  der[der.length - 1] = (der.at(-1) ?? 0) ^ 1;
  const broken = Buffer.from(pem('RSA PRIVATE KEY', der));
  expect(decodePrivateKey(broken, version)).toEqual({
    ok: false,
    error: 'error parsing rsa private key: crypto/rsa: invalid CRT coefficient',
  });
  expect(decodePrivateKey(broken, certManagerVersion('1.18.3'))).toEqual(decode(keyPem(rsa)));
  const [, , , , , , , dq] = numbersOf(der);
  der[(dq ?? 0) - 1] = (der[(dq ?? 0) - 1] ?? 0) ^ 1;
  der[dq ?? 0] = 0x04;
  expect(decode(pem('RSA PRIVATE KEY', der))).toEqual(decode(keyPem(rsa)));
});

/** Where the numbers of a PKCS #1 key start. */
function numbersOf(der: Buffer): number[] {
  const starts: number[] = [];
  for (let at = 4; at < der.length; ) {
    starts.push(at);
    const [, length = 0, next = 0, last = 0] = der.subarray(at);
    at += length === 0x82 ? 4 + next * 256 + last : length === 0x81 ? 3 + next : 2 + length;
  }
  return starts;
}
