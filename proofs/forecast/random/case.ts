import type { Certificate, CertificateRequest, CertificateSpec, Secret } from '../../../shared/certificates/model.js';
import { renewalTime } from '../../../shared/certificates/renewal.js';
import { pem } from '../../../shared/certificates/testing/fixtures.js';
import type { CertManagerVersion } from '../../../shared/certificates/version.js';
import type { Random } from '../../random.js';
import { type Dice, diceOf } from './dice.js';
import { type KeyPool, type PoolKey, usualKey } from './keys.js';
import { randomRenewal } from './renewal.js';
import { randomRequest } from './request.js';
import { spoiledDer, spoiledInside, spoiledPem } from './spoil.js';
import { alternativeNames, randomWanted, subjectAttributes, type Wanted } from './wanted.js';
import { certificateDer, extensionDer, nameDer, type Validity } from './x509.js';

/** One case, as both sides are asked: lab/policies/main.go has the same fields. */
export interface Question {
  readonly now: string;
  readonly renewalInfo: boolean;
  readonly certificate: Certificate;
  readonly secret: Secret | null;
  readonly current: CertificateRequest | null;
  readonly next: CertificateRequest | null;
}

const day = 24 * 3_600_000;
const start = Date.parse('2026-06-01T00:00:00Z');
/** In percent: how often each of the nine checks is aimed at; what is left is to be kept. */
const aims = [
  [3, 1],
  [4, 2],
  [26, 3],
  [9, 4],
  [5, 5],
  [9, 6],
  [9, 7],
  [22, 8],
  [20, 9],
  [13, 0],
] as const;
type Aim = (typeof aims)[number][1];

/** Makes cases that are consistent but for what one or a few of cert-manager's checks look at. */
export function caseMaker(random: Random, keys: KeyPool, version: CertManagerVersion): () => Question {
  const dice = diceOf(random);
  return () => {
    const aim = new Set<Aim>([dice.weighted(aims), ...(dice.chance(15) ? [dice.weighted(aims)] : [])]);
    return randomCase(dice, keys, version, aim);
  };
}

function randomCase(dice: Dice, keys: KeyPool, version: CertManagerVersion, aim: ReadonlySet<Aim>): Question {
  const key = usualKey(dice, keys);
  const wanted = randomWanted(dice);
  const validity = randomValidity(dice);
  const renewal = randomRenewal(dice, validity, aim.has(9));
  const spec: CertificateSpec = {
    secretName: 'tls',
    issuerRef: randomIssuer(dice),
    ...wanted,
    ...privateKeySpec(dice, key, aim.has(6)),
    ...renewal.spec,
    ...(dice.chance(15) ? { isCA: dice.chance(50) } : {}),
    ...(dice.chance(30) ? { usages: dice.some(usages, 3) } : {}),
    ...(dice.chance(30) ? { duration: dice.pick(durations) } : {}),
    ...(dice.chance(8) ? { literalSubject: literalSubject(dice) } : {}),
  };
  const request = (percent: number): CertificateRequest | null =>
    dice.chance(percent) || aim.has(7) ? randomRequest(dice, { spec, wanted, key, keys, aims: aim }) : null;
  // A certificate's names count only where there is no request.
  const current = request(aim.has(8) ? 60 : 40);
  const certificate: Certificate = {
    metadata: { name: 'certificate', namespace: 'default', uid: 'uid' },
    spec,
    status: renewal.status,
  };
  return {
    now: clockFor(dice, { spec, validity, version, due: aim.has(9) }).toISOString(),
    renewalInfo: renewal.renewalInfo,
    certificate,
    secret: aim.has(1) ? null : randomSecret(dice, { key, keys, spec, wanted, validity, aim }),
    current,
    next: dice.chance(10) ? randomRequest(dice, { spec, wanted, key, keys, aims: aim }) : null,
  };
}

const usages = ['digital signature', 'key encipherment', 'server auth', 'client auth', 'signing', 'any', 's/mime'];
const durations = ['2160h', '2160h0m0s', '129600m', '1h', '0s', '1.5h', '2562047h47m16.854775807s', '7776000s', '-1h'];

function literalSubject(dice: Dice): string {
  const usual = ['CN=a', 'CN=a,O=b', 'CN=a+O=b,C=DE', 'O=Exämple\\, Inc.,CN=a_b', 'CN=a,DC=example,DC=org'];
  const odd = [
    '',
    ' ',
    'CN',
    'CN=',
    'CN=a,',
    'X=1',
    '1.2.3=x',
    '2.5.4.3=x',
    'CN=#0c0161',
    'CN=#zz',
    'CN=#130161',
    'CN=#0c02c3',
    'CN=#0401ff',
    'CN=#160180',
    'CN=#0c0561',
    'CN=#',
    'CN=a\\',
    'CN=a\\ ',
    'CN= a ',
    'cn=a',
    'CN=a;O=b',
    'CN="a,b"',
    'CN=\\41',
    'CN=\\zz',
    'CN=a=b',
    'STREET=x,SERIALNUMBER=1,UID=u',
    'CN=a*b',
    'CN=a@b',
    ',',
    'CN=ä\\C3\\A4',
    'CN=\\C3',
  ];
  return dice.pick(dice.chance(50) ? usual : odd);
}

function randomIssuer(dice: Dice): CertificateSpec['issuerRef'] {
  return {
    name: dice.pick(['letsencrypt', 'ca']),
    ...(dice.chance(70) ? { kind: dice.pick(['Issuer', 'ClusterIssuer', '', 'Other']) } : {}),
    ...(dice.chance(40) ? { group: dice.pick(['cert-manager.io', '', 'other.io']) } : {}),
  };
}

/** What the key is, or something else, or nothing where that means the same. */
function privateKeySpec(dice: Dice, key: PoolKey, isOther: boolean): Pick<CertificateSpec, 'privateKey'> {
  const own = key.spec ?? { algorithm: 'RSA', size: 2048 };
  const byDefault = { RSA: 2048, ECDSA: 256, Ed25519: 0 }[own.algorithm];
  const others = {
    algorithm: dice.pick(['RSA', 'ECDSA', 'Ed25519'] as const),
    size: dice.pick([0, 256, 384, 2048, 4096, -1]),
  };
  const { algorithm, size } = isOther ? others : own;
  const isDefault = !isOther && size === byDefault;
  return {
    ...(isDefault && algorithm === 'RSA' && dice.chance(50)
      ? {}
      : {
          privateKey: {
            ...(algorithm === 'RSA' && dice.chance(30) ? {} : { algorithm }),
            ...(isDefault && dice.chance(50) ? {} : { size }),
            ...(dice.chance(20) ? { encoding: dice.pick(['PKCS1', 'PKCS8'] as const) } : {}),
          },
        }),
  };
}

function randomValidity(dice: Dice): Validity {
  const notBefore = start - dice.between(0, 400 * day) + 1000 * dice.below(3);
  const days = dice.pick([6, 45, 90, 90, 90, 365, 397, 3650, 36_500, 1, 0]);
  const notAfter = notBefore + days * day + dice.pick([0, -1000, 1000, 3_600_000, -7000]);
  const whole = (time: number): Date => new Date(Math.floor(time / 1000) * 1000);
  return { notBefore: whole(notBefore), notAfter: whole(notAfter) };
}

interface Clock {
  readonly spec: CertificateSpec;
  readonly validity: Validity;
  readonly version: CertManagerVersion;
  readonly due: boolean;
}

/** A time before the renewal; or one about it, or after. */
function clockFor(dice: Dice, { spec, validity, version, due }: Clock): Date {
  const [from, to] = [validity.notBefore.getTime(), validity.notAfter.getTime()];
  const at = renewalTime(validity, spec, version)?.at.getTime() ?? from + ((to - from) * 2) / 3;
  const between = (least: number, most: number): number =>
    least + Math.floor((dice.below(1000) / 1000) * (most - least));
  const clock = due
    ? dice.pick([at - 1000, at, at, at + 1000, at - 1, at + 1, between(from, to), between(to, to + day), from])
    : between(Math.min(from, at), at);
  return new Date(Number.isFinite(clock) ? clock : from);
}

interface SecretParts {
  readonly key: PoolKey;
  readonly keys: KeyPool;
  readonly spec: CertificateSpec;
  readonly wanted: Wanted;
  readonly validity: Validity;
  readonly aim: ReadonlySet<Aim>;
}

function randomSecret(dice: Dice, parts: SecretParts): Secret {
  const { key, keys, spec, aim } = parts;
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const annotations = {
    ...(aim.has(4) ? foreignIssuer(dice, spec) : issuerAnnotations(dice, spec)),
    ...(aim.has(5)
      ? { [name('certificate-name')]: dice.pick(['other', '', 'Certificate', 'a"b']) }
      : dice.chance(80)
        ? { [name('certificate-name')]: 'certificate' }
        : {}),
    ...(dice.chance(30) ? { [name('alt-names')]: 'x', note: 'y' } : {}),
  };
  let privateKey: string = dice.chance(80)
    ? key.pems[0]
    : dice.pick(key.pems.filter((text) => !text.includes('ENCRYPTED')));
  let chain = leafPem(dice, parts);
  if (dice.chance(25)) chain += leafPem(dice, parts).repeat(dice.between(1, 3));
  if (aim.has(3)) [privateKey, chain] = spoiledPair(dice, privateKey, chain, keys);
  const data = {
    'tls.key': base64(privateKey),
    'tls.crt': base64(chain),
    ...(dice.chance(30) ? { 'ca.crt': base64(dice.pick(['', 'x', chain])) } : {}),
    ...(dice.chance(10) ? { 'keystore.p12': base64('x'), 'key.der': '', 'tls-combined.pem': base64('x') } : {}),
  };
  return {
    metadata: {
      name: 'tls',
      namespace: 'default',
      ...(dice.chance(95) ? { annotations } : {}),
      ...(dice.chance(70) ? { labels: { 'controller.cert-manager.io/fao': 'true' } } : {}),
    },
    type: dice.pick(['kubernetes.io/tls', 'kubernetes.io/tls', 'Opaque', '']),
    ...(aim.has(2) ? missing(dice, data) : { data }),
  };
}

function name(suffix: string): string {
  return `cert-manager.io/${suffix}`;
}

/** A Secret's data with something missing, or that only looks so. */
function missing(dice: Dice, data: Record<string, string>): Pick<Secret, 'data'> {
  const without = (key: string): Record<string, string> =>
    Object.fromEntries(Object.entries(data).filter(([one]) => one !== key));
  const field = dice.pick(['tls.key', 'tls.crt', 'ca.crt']);
  return dice.pick<Pick<Secret, 'data'>>([
    {},
    { data: {} },
    { data: without(field) },
    { data: { ...data, [field]: '' } },
  ]);
}

function issuerAnnotations(dice: Dice, { issuerRef }: CertificateSpec): Record<string, string> {
  const isDefault = (value: string | undefined, usual: string): boolean => !value || value === usual;
  const left = (percent: number, suffix: string, value: string): object =>
    dice.chance(percent) ? {} : { [name(suffix)]: value };
  return {
    [name('issuer-name')]: issuerRef.name,
    ...left(isDefault(issuerRef.kind, 'Issuer') ? 40 : 0, 'issuer-kind', issuerRef.kind || dice.pick(['Issuer', ''])),
    ...left(
      isDefault(issuerRef.group, 'cert-manager.io') ? 40 : 0,
      'issuer-group',
      issuerRef.group || dice.pick(['cert-manager.io', '']),
    ),
  };
}

function foreignIssuer(dice: Dice, spec: CertificateSpec): Record<string, string> {
  const all = { ...issuerAnnotations(dice, spec) };
  const field = dice.pick(['issuer-name', 'issuer-kind', 'issuer-group'].map(name));
  if (dice.chance(25)) return {};
  if (dice.chance(30)) return Object.fromEntries(Object.entries(all).filter(([one]) => one !== field));
  return {
    ...all,
    [field]: dice.pick([
      '',
      'Issuer',
      'ClusterIssuer',
      'letsencrypt',
      'x"y',
      'cert-manager.io',
      'acme.cert-manager.io',
      'ü',
    ]),
  };
}

/** The certificate of the spec, at times with a name more or less, which only counts where there is no request. */
function leafPem(dice: Dice, { key, keys, wanted, validity, aim }: SecretParts): string {
  const { spki } = aim.has(3) && dice.chance(8) ? dice.pick(keys.odd) : key;
  const said = aim.has(8) && dice.chance(70) ? { ...wanted, ...randomPart(dice) } : moved(dice, wanted);
  const der = certificateDer({
    ...validity,
    spki: aim.has(3) && dice.chance(4) ? spoiledDer(dice, spki) : spki,
    issuer: nameDer([]),
    subject: nameDer(subjectAttributes(dice, said)),
    names: alternativeNames(said),
    extensions: dice.chance(20) ? [extension(dice)] : [],
  });
  return pem('CERTIFICATE', der);
}

function randomPart(dice: Dice): Wanted {
  const other = randomWanted(dice);
  const fields = Object.entries(other);
  return fields.length === 0 ? { dnsNames: [] } : Object.fromEntries([dice.pick(fields)]);
}

/** CAs move names between the common name and the others, which cert-manager allows. */
function moved(dice: Dice, wanted: Wanted): Wanted {
  const { commonName, dnsNames = [] } = wanted;
  if (commonName === undefined || !dice.chance(30)) return wanted;
  const { commonName: _, ...others } = wanted;
  return { ...others, dnsNames: [...new Set([...dnsNames, commonName])] };
}

/** An extension that Go's parser looks into, well made or not. */
function extension(dice: Dice): Buffer {
  const hex = (text: string): Buffer => Buffer.from(text, 'hex');
  const [id, value] = dice.pick<readonly [string, Buffer]>([
    ['2.5.29.15', hex('030205a0')],
    ['2.5.29.19', hex('3000')],
    ['2.5.29.19', hex('30030101ff')],
    ['2.5.29.19', hex('30060101ff020100')],
    ['2.5.29.37', hex('300a06082b06010505070301')],
    ['2.5.29.14', hex('04020102')],
    ['2.5.29.35', hex('300480020102')],
    ['1.2.3.4', hex('0500')],
    ['2.5.29.32', hex('3000')],
    ['2.5.29.30', hex('3000')],
    ['2.5.29.31', hex('3000')],
    ['1.3.6.1.5.5.7.1.1', hex('3000')],
    ['2.5.29.54', hex('020100')],
    ['2.5.29.36', hex('3000')],
  ]);
  const bytes = dice.chance(85) ? value : Buffer.from(value.map((byte) => (dice.chance(20) ? dice.below(256) : byte)));
  return extensionDer(id, bytes, dice.chance(30));
}

/** A pair with something about it: keys that differ, texts and bytes that are spoiled, or too much of them. */
function spoiledPair(dice: Dice, key: string, chain: string, keys: KeyPool): [key: string, chain: string] {
  const odd = (): PoolKey => dice.pick(dice.chance(50) ? keys.odd : keys.usual);
  const change = dice.weighted<() => [string, string]>([
    [6, () => [spoiledPem(dice, key), chain]],
    [6, () => [key, spoiledPem(dice, chain)]],
    [5, () => [spoiledInside(dice, key), chain]],
    [6, () => [key, spoiledInside(dice, chain)]],
    [3, () => [dice.pick(odd().pems), chain]],
    [1, () => [chain, key]],
    [1, () => [key + chain, chain]],
    [1, () => [key, chain + key]],
    [1, () => [key, key + chain]],
    [1, () => [key, spoiledPem(dice, chain) + chain]],
    [1, () => [spoiledPem(dice, key) + key, chain]],
    [1, () => [padded(dice, key, [13_000]), chain]],
    [1, () => [key, padded(dice, chain, [65_000, 65_000, 330_000])]],
  ]);
  return change();
}

/** As long as the cap on its size, or a byte longer. */
function padded(dice: Dice, text: string, sizes: readonly number[]): string {
  const size = dice.pick(sizes) + dice.below(2);
  return text + 'x'.repeat(Math.max(0, size - Buffer.byteLength(text)));
}
