import { checkPrimeSync, createPrivateKey, type KeyObject } from 'node:crypto';
import { encodeElement, tag } from '../../../shared/certificates/der.js';
import type { Random } from '../../random.js';
import { oid, sequence } from './x509.js';

/**
 * Keys from a seed, so that a run can be repeated to the byte. They are known to whoever reads this, and for nothing but cases.
 */
export interface SeededKeys {
  rsa(bits: number): KeyObject;
  ec(curve: keyof typeof curveOids): KeyObject;
  /** Of the kinds whose private key is 32 bytes. */
  plain(kind: 'Ed25519' | 'X25519'): KeyObject;
  /** DER of a key that no decoder here looks into: of DSA, or RSA for PSS only. */
  foreign(kind: 'DSA' | 'RSA-PSS'): { readonly spki: Buffer; readonly pkcs8: Buffer };
}

const curveOids = {
  'P-224': { oid: '1.3.132.0.33', bytes: 28 },
  'P-256': { oid: '1.2.840.10045.3.1.7', bytes: 32 },
  'P-384': { oid: '1.3.132.0.34', bytes: 48 },
  'P-521': { oid: '1.3.132.0.35', bytes: 66 },
  secp256k1: { oid: '1.3.132.0.10', bytes: 32 },
} as const;

const exponent = 65_537n;

/** Makes keys from a generator's bytes. */
export function seededKeys(random: Random): SeededKeys {
  return {
    rsa: (bits) => rsaKey(random, bits),
    ec(curve) {
      const { oid: id, bytes } = curveOids[curve];
      const scalar = random.bytes(bytes);
      // Small enough for every curve's order.
      scalar[0] = 0;
      if (curve === 'P-521') scalar[1] = 0;
      const named = encodeElement(0xa0, oid(id));
      return fromDer('sec1', sequence(integer(1n), encodeElement(tag.octetString, scalar), named));
    },
    plain(kind) {
      const algorithm = sequence(oid(kind === 'Ed25519' ? '1.3.101.112' : '1.3.101.110'));
      const inner = encodeElement(tag.octetString, random.bytes(32));
      return fromDer('pkcs8', sequence(integer(0n), algorithm, encodeElement(tag.octetString, inner)));
    },
    foreign: (kind) => foreignKey(random, kind),
  };
}

function fromDer(type: 'pkcs1' | 'sec1' | 'pkcs8', key: Buffer): KeyObject {
  return createPrivateKey({ key, format: 'der', type });
}

function rsaKey(random: Random, bits: number): KeyObject {
  const [p, q] = [prime(random, bits / 2), prime(random, bits / 2)];
  const d = inverse(exponent, (p - 1n) * (q - 1n));
  const numbers = [0n, p * q, exponent, d, p, q, d % (p - 1n), d % (q - 1n), inverse(q, p)];
  return fromDer('pkcs1', sequence(...numbers.map(integer)));
}

/** A prime whose two first bits are set, so that a product of two has all its bits. */
function prime(random: Random, bits: number): bigint {
  const top = 3n << BigInt(bits - 2);
  for (;;) {
    const candidate = BigInt(`0x${random.bytes(bits / 8).toString('hex')}`) | top | 1n;
    if ((candidate - 1n) % exponent !== 0n && checkPrimeSync(candidate)) return candidate;
  }
}

function inverse(value: bigint, modulus: bigint): bigint {
  let [low, high] = [
    [value % modulus, 1n],
    [modulus, 0n],
  ] as [readonly [bigint, bigint], readonly [bigint, bigint]];
  while (low[0] !== 1n) {
    if (low[0] === 0n) throw new Error('there is no inverse');
    const times = high[0] / low[0];
    [low, high] = [[high[0] - times * low[0], high[1] - times * low[1]], low];
  }
  return ((low[1] % modulus) + modulus) % modulus;
}

function foreignKey(random: Random, kind: 'DSA' | 'RSA-PSS'): { spki: Buffer; pkcs8: Buffer } {
  const number = (bytes: number): Buffer => integer(BigInt(`0x7f${random.bytes(bytes).toString('hex')}`));
  const isDsa = kind === 'DSA';
  const algorithm = isDsa
    ? sequence(oid('1.2.840.10040.4.1'), sequence(number(127), number(19), number(127)))
    : sequence(oid('1.2.840.113549.1.1.10'));
  const key = isDsa ? number(127) : sequence(number(127), integer(exponent));
  return {
    spki: sequence(algorithm, encodeElement(tag.bitString, Buffer.concat([Buffer.alloc(1), key]))),
    pkcs8: sequence(integer(0n), algorithm, encodeElement(tag.octetString, number(19))),
  };
}

function integer(value: bigint): Buffer {
  const hex = value.toString(16);
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  const isNegative = (bytes[0] ?? 0) >= 0x80;
  return encodeElement(tag.integer, isNegative ? Buffer.concat([Buffer.alloc(1), bytes]) : bytes);
}
