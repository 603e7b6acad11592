import { tag } from '../../../shared/certificates/der.js';
import type { CertificateSpec, SubjectSpec } from '../../../shared/certificates/model.js';
import { nameOid } from '../../../shared/certificates/names.js';
import { addressKey } from '../../../shared/certificates/sans.js';
import type { Dice } from './dice.js';
import { type AlternativeName, type Attribute, otherName } from './x509.js';

/** Everything that a spec can ask a certificate to say. */
export type Wanted = Pick<
  CertificateSpec,
  'commonName' | 'dnsNames' | 'ipAddresses' | 'uris' | 'emailAddresses' | 'otherNames' | 'subject'
>;

const vocabulary = {
  dns: [
    'a.example.org',
    'b.example.org',
    'mcp.example.org',
    '*.example.org',
    'xn--bcher-kva.example',
    'A.example.org',
    'under_score.example.org',
  ],
  oddDns: [
    '',
    'bücher.example',
    '.example.org',
    'example.org.',
    `${'a'.repeat(70)}.org`,
    '10.0.0.1',
    'a b.org',
    '-a.org',
    'a..b',
    '*',
  ],
  ip: ['10.0.0.1', '10.0.0.2', '2001:db8::1', '::1', '0.0.0.0'],
  oddIp: [
    '::ffff:10.0.0.1',
    '2001:DB8:0:0::1',
    '::',
    'fe80::1%eth0',
    '10.0.0.01',
    '10.0.0',
    'nonsense',
    '',
    '::ffff:a00:1',
    '1:2:3:4:5:6:7:8',
    '1:0:0:2:0:0:0:3',
    '::1.2.3.4',
  ],
  uri: ['spiffe://a/b', 'https://c.org/d', 'urn:uuid:1', 'https://c.org:80/x?y=1#f', '/relative'],
  oddUri: [
    'HTTPS://c.org/d',
    'https://C.org/d',
    'https://c.org/a b',
    'https://c.org/%zz',
    'https://user:pw@c.org/',
    'https://c.org/ä',
    '',
    'mailto:a@b',
    'https://[::1]/x',
    'https://c.org/?q=a b',
    'https://c.org/#a b',
    'https://c.org/[b]',
    'https://c.org:port/',
    '//c.org/x',
    'https://c.org/<x>',
    'https://exa mple.org',
    'https://c.org',
    'a:b',
    ':',
    '?x',
    '#',
    'https://',
    'https://c.org/%41',
    'https://c.org/%c3%a4',
    'https://c.org/a%2fb',
    "https://c.org/!$&'()*+,;=:@",
    'https://c.org/"x"',
    'https://c.org/a\\b',
    'https://c.org/^`{|}',
    'x://a//b',
    'https://c.org?',
    'https://c.org#',
    'https://c.org/?#',
    'https://c.org/#%41',
    'https://us er@c.org/',
    'https://%61@c.org/',
    'https://c.org/a?b#c?d#e',
    'urn:a b',
    'urn:%zz',
    'urn:ä#ö',
    'https://c_d.org/',
    'https://c-.org/',
    'https://c.org./',
    'a/b:c',
    './a:b',
    '*',
    'http://[fe80::1%25en0]/',
    'http://[fe80::1%en0]/',
    'http://[::1',
    'http://::1/',
    'http://a:/',
    'http://a:1:2/',
    '1a://b',
    'a+b-c.d://e',
  ],
  email: ['a@example.org', 'b@example.org', 'A@example.org'],
  oddEmail: ['nonsense', '', 'ä@example.org', 'a@b@c', '"q q"@example.org'],
  word: ['Example', 'Example, Inc.', 'DE', 'Ops', '1', 'Straße', 'a*b', 'a@b', ' x ', ''],
};

const subjectFields = {
  organizations: nameOid.organization,
  countries: nameOid.country,
  organizationalUnits: nameOid.organizationalUnit,
  localities: nameOid.locality,
  provinces: nameOid.province,
  streetAddresses: nameOid.streetAddress,
  postalCodes: nameOid.postalCode,
} as const;

/** Random names and a random subject. Most are ordinary, or no certificate could be read. */
export function randomWanted(dice: Dice): Wanted {
  const words = (usual: readonly string[], odd: readonly string[], most: number): string[] => [
    ...dice.some(usual, most),
    ...(dice.chance(4) ? [dice.pick(odd)] : []),
  ];
  const optional = <T>(percent: number, field: string, make: () => T): object =>
    dice.chance(percent) ? { [field]: make() } : {};
  return {
    ...optional(90, 'dnsNames', () => words(vocabulary.dns, vocabulary.oddDns, 4)),
    ...optional(35, 'commonName', () => dice.pick(dice.chance(95) ? vocabulary.dns : vocabulary.oddDns)),
    ...optional(20, 'ipAddresses', () => words(vocabulary.ip, vocabulary.oddIp, 2)),
    ...optional(20, 'uris', () => [
      ...words(vocabulary.uri, vocabulary.oddUri, 2),
      ...(dice.chance(25) ? [oddUri(dice)] : []),
    ]),
    ...optional(15, 'emailAddresses', () => words(vocabulary.email, vocabulary.oddEmail, 2)),
    ...optional(12, 'otherNames', () =>
      dice
        .some(
          [
            ['1.2.840.113556.1.4.221', 'user'],
            ['1.2.3', 'x'],
            ['1.2.3', 'ü'],
          ] as const,
          2,
        )
        .map(([oid, utf8Value]) => ({ oid, utf8Value })),
    ),
    ...optional(20, 'subject', () => randomSubject(dice)),
  };
}

/** One of the odd ones, now and then with a letter of it changed. */
function oddUri(dice: Dice): string {
  const uri = dice.pick(vocabulary.oddUri);
  if (dice.chance(60)) return uri;
  const at = dice.below(uri.length + 1);
  return (
    uri.slice(0, at) +
    dice.pick([' ', '%', ':', '/', '?', '#', '@', '[', ']', '<', '\u007f', 'é', '%20', '"', '\\', '.', '\u0001']) +
    uri.slice(at + dice.below(2))
  );
}

function randomSubject(dice: Dice): SubjectSpec {
  const fields = dice
    .some(Object.keys(subjectFields), 3)
    .map((field) => [field, dice.some(vocabulary.word, 2)] as const);
  return { ...Object.fromEntries(fields), ...(dice.chance(20) ? { serialNumber: dice.pick(vocabulary.word) } : {}) };
}

/** The subject that a request for these has, in cert-manager's order but for what is shuffled. */
export function subjectAttributes(dice: Dice, { commonName, subject = {} }: Wanted): Attribute[] {
  const lists = Object.entries(subjectFields).flatMap(([field, oid]) =>
    (subject[field as keyof typeof subjectFields] ?? []).map((value) => attribute(dice, oid, value)),
  );
  const single = [
    [nameOid.commonName, commonName],
    [nameOid.serialNumber, subject.serialNumber],
  ] as const;
  const more = single.flatMap(([oid, value]) => (value ? [attribute(dice, oid, value)] : []));
  const all = [...lists, ...more];
  return dice.chance(3)
    ? [...all, attribute(dice, dice.pick([nameOid.commonName, '2.5.4.99', nameOid.organization]), 'more')]
    : all;
}

/** Mostly as UTF-8; at times in another type, whether it can hold the text or not. */
export function attribute(dice: Dice, oid: string, value: string): Attribute {
  const type = dice.chance(94)
    ? tag.utf8String
    : dice.pick([
        tag.printableString,
        tag.t61String,
        tag.ia5String,
        tag.numericString,
        tag.bmpString,
        0x1c,
        tag.octetString,
      ]);
  const bytes =
    type === tag.bmpString
      ? Buffer.from(value, 'utf16le').swap16()
      : Buffer.from(value, type === tag.utf8String ? 'utf8' : 'latin1');
  return { oid, value: bytes, tag: type };
}

/** The names as the extension holds them. */
export function alternativeNames({
  dnsNames,
  ipAddresses,
  uris,
  emailAddresses,
  otherNames,
}: Wanted): AlternativeName[] {
  const text =
    (kind: 1 | 2 | 6) =>
    (value: string): AlternativeName => ({ kind, content: Buffer.from(value) });
  return [
    ...(otherNames ?? []).map(({ oid = '', utf8Value = '' }) => otherName(oid, utf8Value)),
    ...(emailAddresses ?? []).map(text(1)),
    ...(dnsNames ?? []).map(text(2)),
    ...(uris ?? []).map(text(6)),
    ...(ipAddresses ?? []).map((value): AlternativeName => ({ kind: 7, content: addressBytes(value) })),
  ];
}

/** Four bytes where four will do; what is no address becomes bytes of no length that one has. */
function addressBytes(text: string): Buffer {
  const key = addressKey(text);
  if (key === undefined) return Buffer.from('0a0000', 'hex');
  const bytes = Buffer.from(key, 'hex');
  return text.includes(':') ? bytes : bytes.subarray(-4);
}
