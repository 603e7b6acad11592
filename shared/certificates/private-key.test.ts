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
