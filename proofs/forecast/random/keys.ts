import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { KeyAlgorithm } from '../../../shared/certificates/model.js';
import { keyPem, newKey } from '../../../shared/certificates/testing/fixtures.js';
import type { Dice } from './dice.js';

/** A key with all that cases need of it, made once: to make RSA keys takes longer than to judge thousands of cases. */
export interface PoolKey {
  readonly kind: string;
  /** What a spec calls it; undefined for keys that no spec can ask for. */
  readonly spec: { readonly algorithm: KeyAlgorithm; readonly size: number } | undefined;
  readonly spki: Buffer;
  /** As PEM: cert-manager's own spelling first. */
  readonly pems: readonly [string, ...string[]];
}

type Kind = Parameters<typeof newKey>[0];

const common: readonly (readonly [kind: Kind, algorithm: KeyAlgorithm, size: number, count: number])[] = [
  ['RSA-2048', 'RSA', 2048, 2],
  ['P-256', 'ECDSA', 256, 3],
  ['P-384', 'ECDSA', 384, 1],
  ['P-521', 'ECDSA', 521, 1],
  ['P-224', 'ECDSA', 224, 1],
  ['Ed25519', 'Ed25519', 0, 2],
  ['RSA-1024', 'RSA', 1024, 1],
];
const odd: readonly Kind[] = ['secp256k1', 'DSA', 'RSA-PSS', 'X25519'];

/** The keys of a run. They are not of the seed: no case depends on which key it is, only on its kind. */
export interface KeyPool {
  readonly usual: readonly PoolKey[];
  readonly odd: readonly PoolKey[];
}

/** Makes the keys. */
export function makeKeys(): KeyPool {
  const usual = common.flatMap(([kind, algorithm, size, count]) =>
    Array.from({ length: count }, () => poolKey(kind, newKey(kind), { algorithm, size })),
  );
  const big = generateKeyPairSync('rsa', { modulusLength: 3072 }).privateKey;
  return {
    usual: [...usual, poolKey('RSA-3072', big, { algorithm: 'RSA', size: 3072 })],
    odd: odd.map((kind) => poolKey(kind, newKey(kind), undefined)),
  };
}

/** A key that a certificate usually has. RSA is decoded slowly on both sides, so there is less of it. */
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

function poolKey(kind: string, key: KeyObject, spec: PoolKey['spec']): PoolKey {
  const all = [own(key), keyPem(key, 'pkcs8'), legacy(key)].filter((text) => text !== undefined);
  const [first = '', ...others] = [...new Set(all)];
  return { kind, spec, spki: createPublicKey(key).export({ type: 'spki', format: 'der' }), pems: [first, ...others] };
}

/** PKCS #8 where the kind has no spelling of its own. */
function own(key: KeyObject): string {
  return key.asymmetricKeyType === 'rsa-pss' ? keyPem(key, 'pkcs8') : keyPem(key);
}

/** An encrypted key, which cert-manager cannot read. */
function legacy(key: KeyObject): string | undefined {
  if (key.asymmetricKeyType !== 'rsa') return undefined;
  return key.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' }).toString();
}
