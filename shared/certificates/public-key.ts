/** Public keys out of certificates and requests, as Go's crypto/x509 parsePublicKey takes them. */
import { ECDH } from 'node:crypto';
import { DecodeError, DerReader, tag } from './der.js';

/** The elliptic curves that Go knows, by their identifier. `bits` is the curve's size, `node` its name in node:crypto. */
export const curves: ReadonlyMap<string, Curve> = new Map([
  ['1.3.132.0.33', { name: 'P-224', bits: 224, node: 'secp224r1' }],
  ['1.2.840.10045.3.1.7', { name: 'P-256', bits: 256, node: 'prime256v1' }],
  ['1.3.132.0.34', { name: 'P-384', bits: 384, node: 'secp384r1' }],
  ['1.3.132.0.35', { name: 'P-521', bits: 521, node: 'secp521r1' }],
]);

/** An elliptic curve: its NIST name, size in bits, and name in node:crypto. */
export interface Curve {
  readonly name: string;
  readonly bits: number;
  readonly node: string;
}

/** Identifiers of the key algorithms that Go parses. */
export const keyOid = {
  rsa: '1.2.840.113549.1.1.1',
  ecdsa: '1.2.840.10045.2.1',
  ed25519: '1.3.101.112',
  x25519: '1.3.101.110',
  dsa: '1.2.840.10040.4.1',
} as const;

/**
 * A public key. `material` is equal for equal keys of one algorithm. Only RSA, ECDSA and Ed25519 keys can be a certificate's;
 * for the others `goType` is what cert-manager calls them in its message: Go knows DSA keys, and no others.
 */
export type PublicKey =
  | { readonly algorithm: 'RSA'; readonly bits: number; readonly material: string }
  | { readonly algorithm: 'ECDSA'; readonly bits: number; readonly curve: string; readonly material: string }
  | { readonly algorithm: 'Ed25519'; readonly bits: 256; readonly material: string }
  | { readonly algorithm: 'other'; readonly goType: '*dsa.PublicKey' | '<nil>' };

/** An RSA public key from its numbers. */
export function rsaPublicKey(modulus: bigint, exponent: bigint): PublicKey {
  const hex = modulus.toString(16);
  return { algorithm: 'RSA', bits: modulus.toString(2).length, material: `${hex}/${exponent.toString(16)}` };
}

/** An ECDSA public key from its uncompressed point. */
export function ecPublicKey(curve: Curve, point: Buffer): PublicKey {
  return {
    algorithm: 'ECDSA',
    bits: curve.bits,
    curve: curve.name,
    material: `${curve.name}/${point.toString('hex')}`,
  };
}

/** An Ed25519 public key from its 32 bytes. */
export function ed25519PublicKey(bytes: Buffer): PublicKey {
  return { algorithm: 'Ed25519', bits: 256, material: bytes.toString('hex') };
}

/** Reads a SubjectPublicKeyInfo (Go crypto/x509 parsePublicKey). An unknown algorithm is no error there, and is not one here. */
export function readPublicKey(spki: Buffer): PublicKey {
  const info = new DerReader(spki).enter(tag.sequence, 'x509: malformed spki');
  const algorithm = info.enter(tag.sequence, 'x509: malformed public key algorithm identifier');
  const oid = algorithm.oid('x509: malformed OID');
  const parameters = algorithm.empty ? Buffer.alloc(0) : algorithm.any('x509: malformed parameters').whole;
  const bytes = info.bitString('x509: malformed subjectPublicKey');
  switch (oid) {
    case keyOid.rsa:
      return readRsa(parameters, bytes);
    case keyOid.ecdsa:
      return readEc(parameters, bytes);
    case keyOid.ed25519:
      if (parameters.length > 0) throw new DecodeError('x509: Ed25519 key encoded with illegal parameters');
      if (bytes.length !== 32) throw new DecodeError('x509: wrong Ed25519 public key size');
      return ed25519PublicKey(bytes);
    case keyOid.dsa:
      checkDsa(parameters, bytes);
      return { algorithm: 'other', goType: '*dsa.PublicKey' };
    default:
      return { algorithm: 'other', goType: '<nil>' };
  }
}

function readRsa(parameters: Buffer, bytes: Buffer): PublicKey {
  if (!parameters.equals(Buffer.from([tag.null, 0]))) throw new DecodeError('x509: RSA key missing NULL parameters');
  const numbers = new DerReader(bytes).enter(tag.sequence, 'x509: invalid RSA public key');
  const modulus = numbers.integer('x509: invalid RSA modulus');
  const exponent = numbers.integer('x509: invalid RSA public exponent');
  if (BigInt.asIntN(64, exponent) !== exponent) throw new DecodeError('x509: invalid RSA public exponent');
  if (modulus <= 0n) throw new DecodeError('x509: RSA modulus is not a positive number');
  if (exponent <= 0n) throw new DecodeError('x509: RSA public exponent is not a positive number');
  return rsaPublicKey(modulus, exponent);
}

function checkDsa(parameters: Buffer, bytes: Buffer): void {
  const key = new DerReader(bytes).integer('x509: invalid DSA public key');
  const malformed = 'x509: invalid DSA parameters';
  const domain = new DerReader(parameters).enter(tag.sequence, malformed);
  const numbers = [key, domain.integer(malformed), domain.integer(malformed), domain.integer(malformed)];
  if (numbers.some((number) => number <= 0n)) throw new DecodeError('x509: zero or negative DSA parameter');
}

function readEc(parameters: Buffer, bytes: Buffer): PublicKey {
  const curve = curves.get(new DerReader(parameters).oid('x509: invalid ECDSA parameters'));
  if (curve === undefined) throw new DecodeError('x509: unsupported elliptic curve');
  // Go takes the uncompressed form only, and checks that the point is on the curve.
  if (bytes[0] !== 4) throw new DecodeError('ecdsa: invalid uncompressed public key');
  try {
    ECDH.convertKey(bytes, curve.node);
  } catch {
    throw new DecodeError(`${curve.name.replace('-', '')} point not on curve`);
  }
  return ecPublicKey(curve, bytes);
}
