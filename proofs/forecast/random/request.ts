import { attempt } from '../../../shared/certificates/der.js';
import { literalSubjectDer } from '../../../shared/certificates/literal-subject.js';
import type { CertificateRequest, CertificateSpec } from '../../../shared/certificates/model.js';
import { pem } from '../../../shared/certificates/testing/fixtures.js';
import type { Dice } from './dice.js';
import { type KeyPool, type PoolKey, usualKey } from './keys.js';
import { spoiledInside, spoiledPem } from './spoil.js';
import { alternativeNames, randomWanted, subjectAttributes, type Wanted } from './wanted.js';
import { type AlternativeName, extensionDer, nameDer, requestDer } from './x509.js';

/** What a request is made from. `aims` are the checks that it is to fail. */
export interface RequestParts {
  readonly spec: CertificateSpec;
  readonly wanted: Wanted;
  readonly key: PoolKey;
  readonly keys: KeyPool;
  readonly aims: ReadonlySet<number>;
}

/** A request of the spec with the key; of another key, or differing, or unreadable where that is aimed at. */
export function randomRequest(dice: Dice, { spec, wanted, key, keys, aims }: RequestParts): CertificateRequest {
  const own = aims.has(7) && dice.chance(50) ? otherKey(dice, keys) : key;
  const said = aims.has(8) && dice.chance(60) ? { ...wanted, ...randomWanted(dice) } : wanted;
  const literal = spec.literalSubject ? attempt(() => literalSubjectDer(spec.literalSubject ?? '')) : undefined;
  const subject = literal?.ok && dice.chance(80) ? literal.value : nameDer(subjectAttributes(dice, said));
  const der = requestDer({
    spki: own.spki,
    subject,
    names: [
      ...alternativeNames(said),
      ...(said.otherNames !== undefined && dice.chance(25) ? [furtherName(dice)] : []),
    ],
    extensions: dice.chance(10) ? [extensionDer('2.5.29.15', Buffer.from('030205a0', 'hex'), true)] : [],
  });
  const text = pem(dice.chance(95) ? 'CERTIFICATE REQUEST' : 'NEW CERTIFICATE REQUEST', der);
  const differs = aims.has(8) && dice.chance(50);
  return {
    metadata: { name: 'certificate-1', namespace: 'default' },
    spec: {
      request: Buffer.from((aims.has(7) && dice.chance(50)) || dice.chance(2) ? spoiled(dice, text) : text).toString(
        'base64',
      ),
      issuerRef: differs ? otherIssuer(dice, spec.issuerRef) : spec.issuerRef,
      ...pickOf(spec, ['isCA', 'usages', 'duration']),
      ...(differs ? difference(dice) : {}),
    },
  };
}

function pickOf<K extends keyof CertificateSpec>(
  spec: CertificateSpec,
  fields: readonly K[],
): Partial<Pick<CertificateSpec, K>> {
  const found: Partial<Pick<CertificateSpec, K>> = {};
  for (const field of fields) if (spec[field] !== undefined) found[field] = spec[field];
  return found;
}

function otherKey(dice: Dice, keys: KeyPool): PoolKey {
  return dice.chance(70) ? usualKey(dice, keys) : dice.pick(keys.odd);
}

function spoiled(dice: Dice, text: string): string {
  return dice.weighted<() => string>([
    [5, () => spoiledPem(dice, text)],
    [6, () => spoiledInside(dice, text)],
    [1, () => text + 'x'.repeat(dice.pick([6_500, 36_500]) + dice.below(2) - text.length)],
  ])();
}

/** The same but for a default that is said or left out, or another one. */
function otherIssuer(dice: Dice, ref: CertificateSpec['issuerRef']): CertificateSpec['issuerRef'] {
  const { kind, group } = ref;
  return dice.pick([
    ref,
    { name: ref.name },
    { ...ref, kind: kind || 'Issuer' },
    { ...ref, group: group || 'cert-manager.io' },
    { ...ref, kind: 'ClusterIssuer' },
    { ...ref, name: 'other' },
    { ...ref, group: '' },
  ]);
}

function difference(dice: Dice): Partial<CertificateRequest['spec']> {
  return dice.pick<Partial<CertificateRequest['spec']>>([
    {},
    { isCA: dice.chance(50) },
    { usages: dice.some(['digital signature', 'server auth', 'server auth', 'any', 'client auth'], 3) },
    { duration: dice.pick(['2160h0m0s', '7776000s', '1h0m0s', '2160h0m0.000000001s', '90m']) },
  ]);
}

/** A name of a kind that only cert-manager looks into, and only for otherNames. */
function furtherName(dice: Dice): AlternativeName {
  const [kind, hex] = dice.pick([
    [3, '0500'],
    [4, ''],
    [4, '3000'],
    [4, '310d300b06035504030c0461626364'],
    [5, '810161'],
    [5, '800161810162'],
    [5, '800161'],
    [8, '2a03'],
    [8, '80'],
    [0, '06022a03a0030c0161'],
    [0, '06022a03a003130161'],
    [0, '06022a03a0030c01ff'],
    [0, '06022a03'],
  ] as const);
  return { kind, content: Buffer.from(hex, 'hex') };
}
