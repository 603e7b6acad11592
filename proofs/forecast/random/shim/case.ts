import type { ShimOptions } from '../../../../shared/certificates/ingress-shim.js';
import type { Ingress } from '../../../../shared/certificates/model.js';
import type { CertManagerVersion } from '../../../../shared/certificates/version.js';
import type { Random } from '../../../random.js';
import { type Dice, diceOf } from '../dice.js';
import { annotationValues } from './annotations.js';

/** One case: an Ingress or a Gateway, and what the controller was told. */
export interface ShimQuestion {
  readonly ingress: Ingress;
  /** Where there are any, it is a Gateway with these and the metadata of `ingress`. */
  readonly listeners?: readonly object[];
  readonly settings: Omit<ShimOptions, 'certManagerVersion'>;
}

/** Makes Ingresses and Gateways that mostly ask for Certificates, with something odd about some. */
export function ingressMaker(random: Random, version: CertManagerVersion): () => ShimQuestion {
  const dice = diceOf(random);
  return () => {
    const settings = randomSettings(dice, version);
    const metadata = randomMetadata(dice, settings);
    const ingress = { metadata, spec: randomSpec(dice) };
    if (!dice.chance(30)) return { ingress, settings };
    return { ingress, settings, listeners: randomListeners(dice, metadata.namespace ?? '') };
  };
}

function randomSettings(dice: Dice, version: CertManagerVersion): ShimQuestion['settings'] {
  const extra = [
    'example.org/team',
    'acme.cert-manager.io/http01-override-ingress-name',
    'cert-manager.io/issuer',
    'none',
  ];
  return {
    ...(dice.chance(40) ? { defaultIssuerName: dice.pick(['default', 'letsencrypt']) } : {}),
    ...(dice.chance(20) ? { defaultIssuerKind: dice.pick(['Issuer', 'ClusterIssuer', 'Other']) } : {}),
    ...(dice.chance(20) ? { defaultIssuerGroup: dice.pick(['cert-manager.io', 'example.org']) } : {}),
    ...(dice.chance(20)
      ? { autoCertificateAnnotations: dice.some(['example.org/tls', 'kubernetes.io/tls-acme', 'a'], 3) }
      : {}),
    // No controller before 1.18 would start with this flag.
    ...(dice.chance(20) && version.atLeast(1, 18) ? { extraCertificateAnnotations: dice.some(extra, 4) } : {}),
  };
}

function randomMetadata(dice: Dice, settings: ShimQuestion['settings']): Ingress['metadata'] {
  const optional = (percent: number, fields: object): object => (dice.chance(percent) ? fields : {});
  const finalizers = dice.some(['foregroundDeletion', 'orphan', 'example.org/mine'], 2);
  const labels = { app: 'ui', 'app.kubernetes.io/part-of': 'x', 'applyset.kubernetes.io/part-of': 'set', empty: '' };
  return {
    name: dice.pick(['platform-ui', 'a']),
    namespace: dice.pick(['mcp-sentinel', 'default']),
    uid: 'uid-9',
    ...optional(97, { annotations: randomAnnotations(dice, settings) }),
    ...optional(40, { labels: Object.fromEntries(dice.some(Object.entries(labels), 4)) }),
    ...optional(3, { deletionTimestamp: '2026-06-01T00:00:00Z' }),
    ...optional(6, { finalizers }),
  };
}

function randomAnnotations(dice: Dice, settings: ShimQuestion['settings']): Record<string, string> {
  const annotations: Record<string, string> = { ...issuerAnnotations(dice, settings) };
  const often = dice.pick([0, 10, 30, 60]);
  for (const { name, usual } of annotationValues) if (dice.chance(often)) annotations[name] = dice.pick(usual);
  // One at most, in most of them: the first that cannot be used hides what is wrong with the others.
  for (let odd = dice.pick([0, 0, 1, 1, 1, 2]); odd > 0; odd -= 1) {
    const { name, usual, odd: values } = dice.pick(annotationValues);
    annotations[name] = dice.chance(60) ? dice.pick(values) : altered(dice, dice.pick([...usual, ...values]));
  }
  return annotations;
}

/** Mostly clear about the issuer; at times none, two, or one with what only goes with another. */
function issuerAnnotations(dice: Dice, settings: ShimQuestion['settings']): Record<string, string> {
  const name = (): string => dice.pick(['letsencrypt', 'ca', 'x.y', dice.chance(10) ? '' : 'a']);
  const issuer = { 'cert-manager.io/issuer': name() };
  const cluster = { 'cert-manager.io/cluster-issuer': name() };
  const kind = { 'cert-manager.io/issuer-kind': dice.pick(['Issuer', 'ClusterIssuer', 'Other', '']) };
  const group = { 'cert-manager.io/issuer-group': dice.pick(['cert-manager.io', 'example.org', '']) };
  const [automatic = 'kubernetes.io/tls-acme'] = settings.autoCertificateAnnotations ?? [];
  const truth = ['true', 'true', '1', 't', 'T', 'TRUE', 'True', 'false', 'yes', 'tRue', '', ' true', 'on'];
  return dice.weighted<() => Record<string, string>>([
    [48, () => cluster],
    [25, () => ({ ...issuer, ...(dice.chance(30) ? kind : {}), ...(dice.chance(30) ? group : {}) })],
    [
      20,
      () => ({ [automatic]: dice.pick(truth), ...(dice.chance(20) ? kind : {}), ...(dice.chance(20) ? group : {}) }),
    ],
    [2, () => ({ ...issuer, ...cluster })],
    [2, () => ({ ...cluster, ...kind })],
    [2, () => ({ ...cluster, ...group })],
    [1, () => ({ ...issuer, ...cluster, ...kind, ...group })],
    [2, () => ({})],
  ])();
}

const hosts = ['a.example.org', 'b.example.org', 'mcp.example.org', '*.example.org', 'A.example.org'];
/** An API server lets few of them in. */
const oddHosts = [
  '10.0.0.1',
  '::1',
  '2001:DB8::1',
  '::ffff:10.0.0.1',
  'fe80::1%eth0',
  '10.0.0.01',
  '10.0.0',
  '',
  '1.2.3.4.',
  '::1.2.3.4',
  '0x7f.0.0.1',
  '1:2:3:4:5:6:7:8:9',
  ' 10.0.0.1',
];

function randomSpec(dice: Dice): Ingress['spec'] {
  if (dice.chance(3)) return {};
  const names = dice.chance(92) ? ['a-tls', 'b-tls', 'c-tls', 'd-tls'] : ['a-tls', 'b-tls', 'a-tls', ''];
  const block = (secretName: string): object => ({
    ...(dice.chance(96) ? { hosts: randomHosts(dice) } : {}),
    ...(dice.chance(97) ? { secretName } : {}),
  });
  return { tls: names.slice(0, dice.pick([1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3, 3, 3, 4, 4, 0])).map(block) };
}

/** As an API server lets them in, with what it fills in. */
function randomListeners(dice: Dice, namespace: string): object[] {
  const ref = (): object => ({
    group: dice.chance(97) ? '' : dice.pick(['core', 'example.org']),
    kind: dice.chance(97) ? 'Secret' : 'Vault',
    name: dice.pick(['a-tls', 'b-tls', 'c-tls']),
    ...(dice.chance(15) ? { namespace: dice.chance(70) ? namespace : 'other' } : {}),
  });
  const names = ['a', 'b', 'c', 'd'];
  return names.slice(0, dice.pick([1, 1, 2, 2, 3, 4])).map((name) => {
    const certificateRefs = Array.from({ length: dice.pick([0, 1, 1, 1, 1, 1, 2, 3]) }, ref);
    return {
      name,
      port: 443,
      protocol: dice.chance(85)
        ? dice.pick(['HTTPS', 'HTTPS', 'TLS'])
        : dice.pick(['HTTP', 'TCP', 'example.org/https']),
      ...(dice.chance(93) ? { hostname: dice.chance(97) ? dice.pick(hosts) : '' } : {}),
      ...(dice.chance(95) ? { tls: { mode: dice.chance(93) ? 'Terminate' : 'Passthrough', certificateRefs } } : {}),
    };
  });
}

function randomHosts(dice: Dice): string[] {
  const count = dice.chance(97) ? dice.between(1, 4) : 0;
  return Array.from({ length: count }, () => {
    if (dice.chance(88)) return dice.pick(hosts);
    const host = dice.pick(oddHosts);
    return dice.chance(50) ? host : altered(dice, host);
  });
}

const letters = [
  ...' ",.-+:;%\\{}[]0123456789abfhmnsuxA\n\r\t\0',
  'ms',
  'null',
  '::',
  '""',
  'µ',
  'ä',
  '\u00a0',
  '\u2028',
];

/** A text with a letter more, less, or another in its place. */
function altered(dice: Dice, text: string): string {
  const letter = dice.chance(75) ? dice.pick(letters) : '';
  const at = dice.below(text.length + 1);
  return text.slice(0, at) + letter + text.slice(at + dice.below(2));
}
