/**
 * Private keys as cert-manager decodes them (pkg/util/pki/parse.go DecodePrivateKeyBytes over Go's crypto/x509). The label of
 * the first block decides the encoding; OpenSSL, and with it node:crypto, tries the others too.
 */
import { createECDH, createPrivateKey, createPublicKey } from 'node:crypto';
import { has } from './backports.js';
import { attempt, bitString, type Decoded, DecodeError, DerReader, oidText, tag } from './der.js';
import { firstPemBlock, noPemData, pemLimits } from './pem.js';
import { curves, ecPublicKey, ed25519PublicKey, keyOid, type PublicKey, rsaPublicKey } from './public-key.js';
import type { CertManagerVersion } from './version.js';

/** How the key is written in PEM: cert-manager's `spec.privateKey.encoding`, and SEC 1 for ECDSA in "PKCS1". */
export type KeyEncoding = 'PKCS1' | 'SEC1' | 'PKCS8';

/** What is public about a private key. The secret numbers never leave this module. */
export interface PrivateKeyFacts {
  readonly encoding: KeyEncoding;
  readonly publicKey: PublicKey;
}

/** Decodes `tls.key`. The error is cert-manager's own text, and never quotes the key. */
export function decodePrivateKey(pem: Buffer, version: CertManagerVersion): Decoded<PrivateKeyFacts> {
  return attempt(() => {
    const found = attempt(() => firstPemBlock(pem, pemLimits(version).privateKey) ?? refuse(noPemData));
    if (!found.ok) throw new DecodeError(`error decoding private key PEM block: ${found.error}`);
    const { label, der } = found.value;
    switch (label) {
      case 'PRIVATE KEY':
        return {
          encoding: 'PKCS8',
          publicKey: named('error parsing pkcs#8 private key', () => fromPkcs8(der, version)),
        };
      case 'EC PRIVATE KEY':
        return { encoding: 'SEC1', publicKey: named('error parsing ecdsa private key', () => fromSec1(der)) };
      case 'RSA PRIVATE KEY':
        return { encoding: 'PKCS1', publicKey: named('error parsing rsa private key', () => fromPkcs1(der, version)) };
      default:
        throw new DecodeError(`unknown private key type: ${label}`);
    }
  });
}

function named<T>(prefix: string, decode: () => T): T {
  const decoded = attempt(decode);
  if (!decoded.ok) throw new DecodeError(`${prefix}: ${decoded.error}`);
  return decoded.value;
}

function refuse(why: string): never {
  throw new DecodeError(why);
}

interface Pkcs8 {
  readonly oid: string;
  readonly parameters: Buffer;
  readonly key: Buffer;
}

interface Sec1 {
  readonly version: bigint;
  readonly secret: Buffer;
  readonly curve: string | undefined;
}

type Pkcs1 = Readonly<Record<'version' | 'n' | 'e' | 'd' | 'p' | 'q', bigint>> & {
  readonly crt: readonly bigint[];
  readonly otherPrimes: readonly bigint[];
};

const syntax = "asn1: structure error: tags don't match";

function readPkcs8(der: Buffer): Pkcs8 {
  const fields = new DerReader(der).enter(tag.sequence, syntax);
  fields.integer(syntax);
  const algorithm = fields.enter(tag.sequence, syntax);
  const oid = algorithm.oid(syntax);
  const parameters = algorithm.empty ? Buffer.alloc(0) : algorithm.any(syntax).whole;
  return { oid, parameters, key: fields.read(tag.octetString, syntax) };
}

function readSec1(der: Buffer): Sec1 {
  const fields = new DerReader(der).enter(tag.sequence, syntax);
  const version = fields.integer(syntax);
  const secret = fields.read(tag.octetString, syntax);
  const curve = fields.explicit(0, tag.oid, syntax);
  const point = fields.explicit(1, tag.bitString, syntax);
  // The public point is not used, but Go refuses the key where it is malformed.
  if (point !== undefined) bitString(point, syntax);
  return { version, secret, curve: curve && oidText(curve, syntax) };
}

function readPkcs1(der: Buffer): Pkcs1 {
  const outer = new DerReader(der);
  const fields = outer.enter(tag.sequence, syntax);
  if (!outer.empty) throw new DecodeError('asn1: syntax error: trailing data');
  const next = () => fields.integer(syntax);
  const numbers = { version: next(), n: next(), e: next(), d: next(), p: next(), q: next() };
  const crt: bigint[] = [];
  while (crt.length < 3 && fields.nextIs(tag.integer)) crt.push(next());
  if (!fields.empty) fields.header(syntax);
  const otherPrimes: bigint[] = [];
  const others = fields.optional(tag.sequence, syntax);
  for (const reader = new DerReader(others ?? Buffer.alloc(0)); !reader.empty; ) {
    otherPrimes.push(reader.enter(tag.sequence, syntax).integer(syntax));
  }
  return { ...numbers, crt, otherPrimes };
}

/** Go names the parser that would have worked, which is the hint an operator needs for a wrong label. */
function orHint(
  read: () => PublicKey,
  der: Buffer,
  others: readonly (readonly [string, (der: Buffer) => unknown])[],
): PublicKey {
  const decoded = attempt(read);
  if (decoded.ok) return decoded.value;
  if (!decoded.error.startsWith(syntax)) throw new DecodeError(decoded.error);
  const fitting = others.find(([, parse]) => attempt(() => parse(der)).ok);
  if (fitting === undefined) throw new DecodeError(decoded.error);
  throw new DecodeError(`x509: failed to parse private key (use ${fitting[0]} instead for this key format)`);
}

const formats = {
  sec1: ['ParseECPrivateKey', readSec1],
  pkcs1: ['ParsePKCS1PrivateKey', readPkcs1],
  pkcs8: ['ParsePKCS8PrivateKey', readPkcs8],
} as const;

function fromPkcs8(der: Buffer, rules: CertManagerVersion): PublicKey {
  return orHint(() => pkcs8Key(readPkcs8(der), rules), der, [formats.sec1, formats.pkcs1]);
}

function pkcs8Key({ oid, parameters, key }: Pkcs8, rules: CertManagerVersion): PublicKey {
  switch (oid) {
    case keyOid.rsa:
      return named('x509: failed to parse RSA private key embedded in PKCS#8', () => fromPkcs1(key, rules));
    case keyOid.ecdsa: {
      const curve = attempt(() => new DerReader(parameters).oid(syntax));
      return named('x509: failed to parse EC private key embedded in PKCS#8', () =>
        fromSec1(key, curve.ok ? curve.value : undefined),
      );
    }
    case keyOid.ed25519: {
      if (parameters.length > 0) throw new DecodeError('x509: invalid Ed25519 private key parameters');
      const seed = named('x509: invalid Ed25519 private key', () => new DerReader(key).read(tag.octetString, syntax));
      if (seed.length !== 32) throw new DecodeError(`x509: invalid Ed25519 private key length: ${seed.length}`);
      return ed25519PublicKey(ed25519PublicOf(seed));
    }
    case keyOid.x25519:
      // Go parses it, and cert-manager then finds that it cannot sign.
      throw new DecodeError('invalid key type');
    default:
      throw new DecodeError(`x509: PKCS#8 wrapping contained private key with unknown algorithm: ${oid}`);
  }
}

function fromSec1(der: Buffer, curveOfContainer?: string): PublicKey {
  return orHint(() => sec1Key(readSec1(der), curveOfContainer), der, [formats.pkcs8, formats.pkcs1]);
}

function sec1Key({ version, secret, curve: ownCurve }: Sec1, curveOfContainer: string | undefined): PublicKey {
  if (version !== 1n) throw new DecodeError(`x509: unknown EC private key version ${version}`);
  const curve = curves.get(curveOfContainer ?? ownCurve ?? '');
  if (curve === undefined) throw new DecodeError('x509: unknown elliptic curve');
  const size = Math.ceil(curve.bits / 8);
  if (secret.subarray(0, Math.max(0, secret.length - size)).some((byte) => byte !== 0)) {
    throw new DecodeError('x509: invalid private key length');
  }
  // The public point is computed: the one in the structure is optional, and Go ignores it.
  const ecdh = createECDH(curve.node);
  try {
    ecdh.setPrivateKey(Buffer.concat([Buffer.alloc(Math.max(0, size - secret.length)), secret.subarray(-size)]));
  } catch {
    throw new DecodeError('ecdsa: private key scalar out of range');
  }
  return ecPublicKey(curve, ecdh.getPublicKey());
}

function fromPkcs1(der: Buffer, rules: CertManagerVersion): PublicKey {
  return orHint(() => pkcs1Key(readPkcs1(der), rules), der, [formats.sec1, formats.pkcs8]);
}

/** Go rejects numbers that do not fit together since 1.24 (crypto/internal/fips140/rsa checkPrivateKey), so a forecast must. */
function pkcs1Key({ version, n, e, d, p, q, crt, otherPrimes }: Pkcs1, rules: CertManagerVersion): PublicKey {
  if (version > 1n) throw new DecodeError('x509: unsupported private key version');
  if ([n, d, p, q, ...crt].some((number) => number <= 0n)) {
    throw new DecodeError('x509: private key contains zero or negative value');
  }
  if (otherPrimes.some((prime) => prime <= 0n))
    throw new DecodeError('x509: private key contains zero or negative prime');
  if (n % 2n === 0n) throw new DecodeError('crypto/rsa: public modulus is even');
  if (e < 2n) throw new DecodeError('crypto/rsa: public exponent too small or negative');
  if (e % 2n === 0n) throw new DecodeError('crypto/rsa: public exponent is even');
  if (e > 0x7fffffffn) throw new DecodeError('crypto/rsa: public exponent too large');
  const product = otherPrimes.reduce((left, prime) => left * prime, p * q);
  if (product !== n) throw new DecodeError('crypto/rsa: p * q != n');
  if (otherPrimes.length > 0) return rsaPublicKey(n, e);
  // Some of them are as good as none.
  const checked = attempt(() => checkCrt({ e, d, p, q, crt: crt.length === 3 ? crt : [] }));
  if (!checked.ok && has(rules, 'keyNumbersCount')) throw new DecodeError(checked.error);
  // Where they do not count, they are computed anew.
  if (!checked.ok) checkCrt({ e, d, p, q, crt: [] });
  return rsaPublicKey(n, e);
}

/** Keys of more than two primes are not checked any further in Go either. */
function checkCrt({ e, d, p, q, crt }: Pick<Pkcs1, 'e' | 'd' | 'p' | 'q' | 'crt'>): void {
  if (p < 3n || q < 3n) throw new DecodeError('crypto/rsa: invalid prime');
  const [dp = d % (p - 1n), dq = d % (q - 1n), qInverse] = crt;
  for (const [exponent, prime] of [
    [dp, p],
    [dq, q],
  ] as const) {
    const order = prime - 1n;
    if (exponent >= order || (exponent * e) % order !== 1n) throw new DecodeError('crypto/rsa: invalid CRT exponent');
  }
  if (qInverse !== undefined && (qInverse >= p || (qInverse * q) % p !== 1n)) {
    throw new DecodeError('crypto/rsa: invalid CRT coefficient');
  }
  if (d % (p - 1n) !== dp) throw new DecodeError('crypto/rsa: d does not match dP');
  if (d % (q - 1n) !== dq) throw new DecodeError('crypto/rsa: d does not match dQ');
}

const ed25519Pkcs8Prefix = Buffer.from('302e020100300506032b657004220420', 'hex');

function ed25519PublicOf(seed: Buffer): Buffer {
  const key = createPrivateKey({ key: Buffer.concat([ed25519Pkcs8Prefix, seed]), format: 'der', type: 'pkcs8' });
  return createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32);
}
