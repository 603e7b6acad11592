import { describe, expect, it } from '@jest/globals';
import { backoffUntil } from './backoff.js';
import { encodeElement, tag } from './der.js';
import { shimCertificates } from './ingress-shim.js';
import type { Certificate, Secret } from './model.js';
import { nameOid, nameText, nameValue, nameValues, readName } from './names.js';
import { ownerOfSecret } from './ownership.js';
import { renewalTime } from './renewal.js';
import { readUri } from './uri.js';
import { certManagerVersion } from './version.js';

const hour = 3_600_000;
const newest = certManagerVersion('v1.21.2');

describe('a distinguished name', () => {
  const oid = (text: string): Buffer => {
    const [first = 0, second = 0, ...rest] = text.split('.').map(Number);
    return encodeElement(tag.oid, Buffer.from([first * 40 + second, ...rest]));
  };
  const attribute = (type: string, value: Buffer, of: number): Buffer =>
    encodeElement(tag.sequence, Buffer.concat([oid(type), encodeElement(of, value)]));
  const name = (...sets: Buffer[][]): Buffer =>
    encodeElement(tag.sequence, Buffer.concat(sets.map((set) => encodeElement(tag.set, Buffer.concat(set)))));
  const one = (of: number, value: Buffer | string): string =>
    nameValue(readName(name([attribute(nameOid.commonName, Buffer.from(value), of)])), nameOid.commonName);

  it.each<[string, number, Buffer | string, string]>([
    ['UTF-8', tag.utf8String, 'Zürich\ufeff', 'Zürich\ufeff'],
    ['printable text', tag.printableString, "aZ09'()+,-./:=?*& ", "aZ09'()+,-./:=?*& "],
    ['ASCII', tag.ia5String, 'a@b\x7f', 'a@b\x7f'],
    ['digits', tag.numericString, '12 3', '12 3'],
    ['T.61', tag.t61String, Buffer.from([0xe9]), 'é'],
    ['two bytes each, without the zero at the end', tag.bmpString, Buffer.from('a\0', 'utf16le').swap16(), 'a'],
    ['two bytes each', tag.bmpString, Buffer.from([0x6f, 0x22]), '漢'],
  ])('holds %s', (_, of, value, wanted) => {
    expect(one(of, value)).toBe(wanted);
  });

  it.each<[string, number, Buffer | string]>([
    ['printable text with another character', tag.printableString, 'a@b'],
    ['UTF-8 that is none', tag.utf8String, Buffer.from([0xff])],
    ['ASCII beyond it', tag.ia5String, Buffer.from([0x80])],
    ['digits with a letter', tag.numericString, '1a'],
    ['two bytes each, of an odd length', tag.bmpString, Buffer.from([0, 1, 2])],
    ['half of a pair', tag.bmpString, Buffer.from([0xd8, 0])],
    ['no character', tag.bmpString, Buffer.from([0xff, 0xff])],
    ['a number', tag.integer, Buffer.from([1])],
  ])('is refused with %s', (_, of, value) => {
    expect(() => one(of, value)).toThrow(/^x509: invalid RDNSequence: invalid attribute value/);
  });

  it('of a request passes over values that are no text', () => {
    const der = name(
      [attribute(nameOid.commonName, Buffer.from([1]), tag.integer)],
      [attribute(nameOid.country, Buffer.from('CH'), tag.utf8String)],
    );
    const read = readName(der, 'skip other types');
    expect([nameValue(read, nameOid.commonName), nameValue(read, nameOid.country)]).toEqual(['', 'CH']);
  });

  it('is told the other way round, with what is special in it escaped', () => {
    const text = (type: string, value: string): Buffer => attribute(type, Buffer.from(value), tag.utf8String);
    const all: [string, string][] = [
      [nameOid.country, 'C'],
      [nameOid.organization, 'O'],
      [nameOid.organizationalUnit, 'OU'],
      [nameOid.serialNumber, 'SERIALNUMBER'],
      [nameOid.locality, 'L'],
      [nameOid.province, 'ST'],
      [nameOid.streetAddress, 'STREET'],
      [nameOid.postalCode, 'POSTALCODE'],
    ];
    for (const [type, short] of all) expect(nameText(readName(name([text(type, 'x')])))).toBe(`${short}=x`);
    const read = readName(
      name(
        [text(nameOid.country, 'CH')],
        [text(nameOid.commonName, ' a,b"c '), text(nameOid.commonName, '#d')],
        [text('2.5.4.4', 'x')],
      ),
    );
    expect(nameText(read)).toBe('2.5.4.4=#0c0178,CN=\\ a\\,b\\"c\\ +CN=\\#d,C=CH');
    expect([
      nameValues(read, nameOid.commonName),
      nameValue(read, nameOid.commonName),
      nameValue(read, '2.5.4.99'),
    ]).toEqual([[' a,b"c ', '#d'], '#d', '']);
  });
});

describe('a URI of a certificate', () => {
  it.each([
    ['SPIFFE://a/b', 'spiffe://a/b'],
    ['mailto:x', 'mailto:x'],
    ['urn:a:b', 'urn:a:b'],
    ['/path', '/path'],
    ['//host/path', '//host/path'],
    ['https://u:p@host:8443/a%2fb?c#d', 'https://u:p@host:8443/a%2fb?c#d'],
    ['https://host:/x', 'https://host:/x'],
    ['a/b:c', 'a/b:c'],
    ['https:///x', 'https:///x'],
    ['x:a?b=%zz', 'x:a?b=%zz'],
  ])('%s is %s', (text, wanted) => {
    expect(readUri(text, newest)).toBe(wanted);
  });

  it.each([
    ['a\u0001', 'invalid control character'],
    ['a\u007f', 'invalid control character'],
    [':a', 'missing protocol scheme'],
    ['1a:b', 'first path segment'],
    ['https://a#%zz', 'invalid URL escape \\"%zz\\"'],
    ['https://a/%z', 'invalid URL escape \\"%z\\"'],
    ['https://u^@a/', 'invalid userinfo'],
    ['https://a:b/', 'invalid port'],
    ['https://a%41/', 'invalid URL escape'],
    ['https://a%c3/', 'invalid domain'],
    ['https://a^b/', 'invalid character'],
    ['https://a..b/', 'invalid domain'],
    ['https://.a/', 'invalid domain'],
  ])('%j is refused', (text, why) => {
    expect(() => readUri(text, newest)).toThrow(why.replaceAll('\\"', '"'));
  });
});

describe('who owns a Secret', () => {
  const of = (name: string, created?: string, secretName = 's'): Certificate => ({
    metadata: { name, namespace: 'a', ...(created === undefined ? {} : { creationTimestamp: created }) },
    spec: { secretName, issuerRef: { name: 'i' } },
  });
  const secret = (certificateName?: string): Secret => ({
    metadata: {
      name: 's',
      ...(certificateName === undefined
        ? {}
        : { annotations: { 'cert-manager.io/certificate-name': certificateName } }),
    },
  });
  const [old, young, unborn] = [of('old', '2020-01-01T00:00:00Z'), of('young', '2021-01-01T00:00:00Z'), of('unborn')];

  it.each<[string, string, Certificate, Secret | undefined, Certificate[]]>([
    ['the only one', 'old', old, undefined, []],
    ['the oldest', 'old', young, undefined, [old, young]],
    ['one that is there before one that is not', 'young', unborn, undefined, [young]],
    [
      'the first by name among the same age',
      'a',
      of('b', '2020-01-01T00:00:00Z'),
      undefined,
      [of('a', '2020-01-01T00:00:00Z')],
    ],
    ['the first by name where no age is known', 'a', of('b'), undefined, [of('a')]],
    ['itself where it is the first by name', 'a', of('a'), undefined, [of('b')]],
    ['whom the Secret names', 'young', old, secret('young'), [old, young]],
    ['not whom the Secret names and nobody is', 'old', young, secret('gone'), [old, young]],
    ['not who names another Secret', 'young', young, undefined, [of('older', '2010-01-01T00:00:00Z', 'other')]],
    [
      'not whom the Secret names, of another Secret',
      'young',
      young,
      secret('other'),
      [of('other', '2010-01-01T00:00:00Z', 'other')],
    ],
    [
      'not a stale copy of itself',
      'young',
      young,
      undefined,
      [of('young', '2000-01-01T00:00:00Z'), of('w', '2020-06-01T00:00:00Z', 'x')],
    ],
  ])('is %s', (_, wanted, certificate, held, siblings) => {
    expect(ownerOfSecret(certificate, held, siblings)).toBe(wanted);
  });
});

describe('the pause after a failure', () => {
  const failed = (attempts: number | undefined, at = '2026-01-01T00:00:00Z'): Certificate => ({
    metadata: { name: 'c', namespace: 'a' },
    spec: { secretName: 's', issuerRef: { name: 'i' } },
    status: { lastFailureTime: at, ...(attempts === undefined ? {} : { failedIssuanceAttempts: attempts }) },
  });
  const version = certManagerVersion('v1.21.2');
  const start = Date.parse('2026-01-01T00:00:00Z');

  it.each([
    [undefined, 1],
    [0, 1],
    [1, 1],
    [2, 2],
    [3, 4],
    [6, 32],
    [7, 32],
    [40, 32],
  ])('after %p failures is of %i hours', (attempts, hours) => {
    const end = new Date(start + hours * hour);
    const until = (now: number) => backoffUntil(failed(attempts), undefined, new Date(now), version);
    expect([until(start), until(end.getTime() - 1), until(end.getTime())]).toEqual([end, end, undefined]);
  });

  it('is none without one', () => {
    const { status: _, ...never } = failed(1);
    expect(backoffUntil(never, undefined, new Date(start), version)).toBeUndefined();
  });
});

describe('the time of a renewal', () => {
  const validity = { notBefore: new Date('2026-01-01T00:00:00Z'), notAfter: new Date('2026-04-01T00:00:00Z') };
  const due = (spec: object, version = 'v1.21.2'): string | undefined =>
    renewalTime(
      validity,
      { secretName: 's', issuerRef: { name: 'i' }, ...spec },
      certManagerVersion(version),
    )?.at.toISOString();

  it.each([
    ['two thirds of its life', {}, '2026-03-02T00:00:00.000Z'],
    ['as long before its end as is said', { renewBefore: '720h' }, '2026-03-02T00:00:00.000Z'],
    ['that share before its end', { renewBeforePercentage: 50 }, '2026-02-15T00:00:00.000Z'],
    ['of both the time that is said', { renewBefore: '24h', renewBeforePercentage: 50 }, '2026-03-31T00:00:00.000Z'],
    ['the usual for a time that is its whole life', { renewBefore: '2160h' }, '2026-03-02T00:00:00.000Z'],
    ['the usual for no time', { renewBefore: '0s' }, '2026-03-02T00:00:00.000Z'],
    ['the usual for no share', { renewBeforePercentage: 0 }, '2026-03-02T00:00:00.000Z'],
    ['the usual for all of it', { renewBeforePercentage: 100 }, '2026-03-02T00:00:00.000Z'],
    [
      'a share that was taken the wrong way round until 1.16',
      { renewBeforePercentage: 10 },
      '2026-03-23T00:00:00.000Z',
    ],
  ])('is %s', (_, spec, wanted) => {
    expect(due(spec)).toBe(wanted);
  });

  it('was told otherwise by earlier versions', () => {
    expect(due({ renewBeforePercentage: 10 }, 'v1.16.2')).toBe('2026-01-10T00:00:00.000Z');
    expect(due({ renewBeforePercentage: 10 }, 'v1.16.3')).toBe('2026-03-23T00:00:00.000Z');
    expect(due({ renewBeforePercentage: 10 }, 'v1.17.0')).toBe('2026-03-23T00:00:00.000Z');
    expect(due({ renewal: { policy: 'Disabled' } })).toBeUndefined();
    expect(due({ renewal: { policy: 'Disabled' } }, 'v1.20.0')).toBe('2026-03-02T00:00:00.000Z');
  });
});

describe('annotations of an Ingress', () => {
  const asked = (annotations: Record<string, string>) =>
    shimCertificates(
      {
        metadata: {
          name: 'web',
          namespace: 'a',
          uid: 'u',
          annotations: { 'cert-manager.io/cluster-issuer': 'le', ...annotations },
        },
        spec: { tls: [{ hosts: ['a.example.com'], secretName: 's' }] },
      } as unknown as Parameters<typeof shimCertificates>[0],
      { certManagerVersion: 'v1.21.2' } as unknown as Parameters<typeof shimCertificates>[1],
    );
  const key = (algorithm: string | undefined, size: string): number =>
    asked({
      ...(algorithm === undefined ? {} : { 'cert-manager.io/private-key-algorithm': algorithm }),
      'cert-manager.io/private-key-size': size,
    }).certificates.length;

  it.each([
    ['RSA', '2048', 1],
    ['RSA', '8192', 1],
    ['RSA', '2047', 0],
    ['RSA', '8193', 0],
    [undefined, '2048', 1],
    [undefined, '256', 0],
    ['ECDSA', '256', 1],
    ['ECDSA', '384', 1],
    ['ECDSA', '521', 1],
    ['ECDSA', '257', 0],
    ['Ed25519', '1', 1],
  ])('of a key of %s with %s bits make %i Certificates', (algorithm, size, wanted) => {
    expect(key(algorithm, size)).toBe(wanted);
  });

  it.each([
    ['nothing', 'null', undefined],
    ['empty ones', '{"annotations":{},"labels":null}', undefined],
    ['labels', '{"labels":{"a":"b","c":null}}', { labels: { a: 'b', c: '' } }],
    ['annotations', '{"annotations":{"a":"b"}}', { annotations: { a: 'b' } }],
  ])('of a template of %s are taken', (_, text, wanted) => {
    const [made] = asked({ 'cert-manager.io/secret-template': text }).certificates;
    expect(made?.spec.secretTemplate).toEqual(wanted);
  });

  it.each([
    '{',
    '[]',
    '3',
    '{"other":{}}',
    '{"labels":[]}',
    '{"labels":{"a":1}}',
    '{"annotations":{"cert-manager.io/x":"y"}}',
  ])('of a template %s make none', (text) => {
    expect(asked({ 'cert-manager.io/secret-template': text }).certificates).toEqual([]);
  });

  it('of usages take the names that cert-manager knows, with blanks around them', () => {
    const names = [
      'signing',
      'digital signature',
      'content commitment',
      'key encipherment',
      'key agreement',
      'data encipherment',
      'cert sign',
      'crl sign',
      'encipher only',
      'decipher only',
      'any',
      'server auth',
      'client auth',
      'code signing',
      'email protection',
      's/mime',
      'ipsec end system',
      'ipsec tunnel',
      'ipsec user',
      'timestamping',
      'ocsp signing',
      'microsoft sgc',
      'netscape sgc',
    ];
    for (const name of names) {
      const [made] = asked({ 'cert-manager.io/usages': ` ${name} ,any` }).certificates;
      expect(made?.spec.usages).toEqual([name, 'any']);
    }
    expect(asked({ 'cert-manager.io/usages': 'anything' }).certificates).toEqual([]);
  });
});
