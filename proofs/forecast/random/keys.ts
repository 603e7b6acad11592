import { createPublicKey, type KeyObject } from 'node:crypto';
import type { KeyAlgorithm } from '../../../shared/certificates/model.js';
import { keyPem, pem } from '../../../shared/certificates/testing/fixtures.js';
import type { Random } from '../../random.js';
import type { Dice } from './dice.js';
import { type SeededKeys, seededKeys } from './seeded-keys.js';

/** A key with all that cases need of it, made once: to make RSA keys takes longer than to judge thousands of cases. */
export interface PoolKey {
  readonly kind: string;
  /** What a spec calls it; undefined for keys that no spec can ask for. */
  readonly spec: { readonly algorithm: KeyAlgorithm; readonly size: number } | undefined;
  readonly spki: Buffer;
  /** As PEM: cert-manager's own spelling first. */
  readonly pems: readonly [string, ...string[]];
}

/** The keys of a run. */
export interface KeyPool {
  readonly usual: readonly PoolKey[];
  readonly odd: readonly PoolKey[];
}

const curves = [
  ['P-256', 256, 3],
  ['P-384', 384, 1],
  ['P-521', 521, 1],
  ['P-224', 224, 1],
] as const;
const sizes = [
  [2048, 2],
  [1024, 1],
  [3072, 1],
] as const;

/** Makes the keys; the same from the same generator. */
export function makeKeys(random: Random): KeyPool {
  const keys = seededKeys(random);
  const several = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make);
  const usual = [
    ...sizes.flatMap(([size, count]) =>
      several(count, () => poolKey(`RSA-${size}`, keys.rsa(size), { algorithm: 'RSA', size }, random)),
    ),
    ...curves.flatMap(([curve, size, count]) =>
      several(count, () => poolKey(curve, keys.ec(curve), { algorithm: 'ECDSA', size }, random)),
    ),
    ...several(2, () => poolKey('Ed25519', keys.plain('Ed25519'), { algorithm: 'Ed25519', size: 0 }, random)),
  ];
  const odd = [
    poolKey('secp256k1', keys.ec('secp256k1'), undefined, random),
    poolKey('X25519', keys.plain('X25519'), undefined, random),
    foreign('DSA', keys),
    foreign('RSA-PSS', keys),
  ];
  return { usual, odd };
}

/** A key that a certificate usually has. What is decoded slowly there is less of. */
export function usualKey(dice: Dice, { usual }: KeyPool): PoolKey {
  const kind = dice.weighted([
    [54, 'P-256'],
    [20, 'RSA-2048'],
    [14, 'Ed25519'],
    [4, 'P-384'],
    [2, 'P-521'],
    [2, 'P-224'],
    [2, 'RSA-1024'],
    [2, 'RSA-3072'],
  ]);
  return dice.pick(usual.filter((one) => one.kind === kind));
}

function poolKey(kind: string, key: KeyObject, spec: PoolKey['spec'], random: Random): PoolKey {
  // An encrypted key cannot be read, so nothing need be in it.
  const encrypted = key.asymmetricKeyType === 'rsa' ? [pem('ENCRYPTED PRIVATE KEY', random.bytes(300))] : [];
  const [first, second] = [keyPem(key), keyPem(key, 'pkcs8')];
  const spki = createPublicKey(key).export({ type: 'spki', format: 'der' });
  return { kind, spec, spki, pems: [first, ...(first === second ? [] : [second]), ...encrypted] };
}

function foreign(kind: 'DSA' | 'RSA-PSS', keys: SeededKeys): PoolKey {
  const { spki, pkcs8 } = keys.foreign(kind);
  return { kind, spec: undefined, spki, pems: [pem('PRIVATE KEY', pkcs8)] };
}
