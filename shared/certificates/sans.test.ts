import { describe, expect, it } from '@jest/globals';
import { contextTag, encodeElement, encodeOid, tag } from './der.js';
import { sameAddresses, sameItems } from './multisets.js';
import { alternativeNameMismatches } from './requests.js';
import { addressKey, identifierSet, noNames, readOtherNames } from './sans.js';
import { readUri } from './uri.js';
import { certManagerVersion, newestCertManager } from './version.js';

const newest = certManagerVersion(newestCertManager);

describe('addresses', () => {
  it.each([
    ['10.0.0.1', '::ffff:10.0.0.1'],
    ['2001:db8::1', '2001:0DB8:0:0:0:0:0:1'],
    ['::', '0:0:0:0:0:0:0:0'],
    ['1::', '1:0:0:0:0:0:0:0'],
    ['::1.2.3.4', '::102:304'],
  ])('%s is %s', (first, second) => {
    expect(addressKey(first)).toHaveLength(32);
    expect(addressKey(first)).toBe(addressKey(second));
  });

  it.each(['', 'example.org', '10.0.0.01', '10.0.0', 'fe80::1%eth0', '1:2'])('%p is none', (text) => {
    expect(addressKey(text)).toBeUndefined();
  });

  it('are compared without order, but each as often', () => {
    expect(sameAddresses(['10.0.0.1', '::1'], ['::1', '::ffff:10.0.0.1'])).toBe(true);
    expect(sameAddresses(['::1'], ['::1', '::1'])).toBe(false);
    expect(sameItems(undefined, [])).toBe(true);
    expect(sameItems(['a', 'b'], ['b', 'a'])).toBe(true);
    expect(sameItems(['a'], ['A'])).toBe(false);
  });
});

it('the identifier set has one spelling', () => {
  expect(
    identifierSet(['B.org', 'a.org', 'b.org', '', '2001:DB8:0:0:0:0:0:1', '1:0:0:2:0:0:0:3', '0:0:0:0:0:0:0:0']),
  ).toEqual(['1:0:0:2::3', '2001:db8::1', '::', 'a.org', 'b.org']);
});

describe('URIs', () => {
  it.each([
    ['HTTPS://Example.org/A', 'https://Example.org/A'],
    ['spiffe://trust.domain/ns/x%20y?q#f', 'spiffe://trust.domain/ns/x%20y?q#f'],
    ['urn:Example:1', 'urn:Example:1'],
    ['http://[::1]:80/', 'http://[::1]:80/'],
    ['http://user:pw@host:80', 'http://user:pw@host:80'],
    ['/path', '/path'],
    ['///path', '///path'],
  ])('%s', (text, printed) => {
    expect(readUri(text, newest)).toBe(printed);
  });

  it.each([
    'http://host./',
    'http://a..b/',
    'http://ho%20st/',
    'http://h%c3%a4/',
    'http://host/%zz',
    'http://host/#%zz',
    'http://ho^st/',
    'http://host:port/',
    'http://us er@host/',
    ':scheme',
    '1a:b',
    'http://host/\n',
  ])('refused: %p', (text) => {
    expect(() => readUri(text, newest)).toThrow(/^x509: cannot parse URI/);
  });
});

describe('otherNames', () => {
  const other = (oid: string, kind: number, value: string): Buffer =>
    encodeElement(
      contextTag(0, 'constructed'),
      Buffer.concat([
        encodeOid(oid) ?? Buffer.alloc(0),
        encodeElement(contextTag(0, 'constructed'), encodeElement(kind, Buffer.from(value))),
      ]),
    );
  const read = (...names: Buffer[]) => readOtherNames(encodeElement(tag.sequence, Buffer.concat(names)));

  it('are those among other names, in their order', () => {
    const dns = encodeElement(contextTag(2), Buffer.from('a.example.org'));
    expect(read(other('1.2.3', tag.utf8String, 'ö'), dns, other('1.2.4', tag.utf8String, 'b'))).toEqual([
      { oid: '1.2.3', value: 'ö' },
      { oid: '1.2.4', value: 'b' },
    ]);
  });

  it('are text in UTF-8 only', () => {
    expect(() => read(other('1.2.3', tag.ia5String, 'a'))).toThrow('otherName is not an utf8 value');
  });

  const inSequence = (hex: string): Buffer =>
    Buffer.from(`30${(hex.length / 2).toString(16).padStart(2, '0')}${hex}`, 'hex');
  const user = 'a00906022a03a0030c0161';

  it('are found among names of other kinds', () => {
    const others = ['820161', '81016'.padEnd(6, '1'), '8704aabbccdd', 'a3020500', 'a400', 'a503810161', '88022a03'];
    expect(readOtherNames(inSequence(others.join('') + user))).toEqual([{ oid: '1.2.3', value: 'a' }]);
  });

  it.each([
    ['one that is not constructed', '800906022a03a0030c0161'],
    ['one of another string type', 'a00906022a03a003130161'],
    ['one that is no UTF-8', 'a00906022a03a0030c01ff'],
    ['a name that is no ASCII, of any class', '6201ff'],
    ['an address of three bytes', '8703aabbcc'],
    ['a directory name as it should be', 'a4023000'],
    ['a registered identifier that is constructed', 'a8022a03'],
    ['a party without a name', 'a503800161'],
    ['no name at all', '0500'],
  ])('cannot be read with %s', (_, hex) => {
    expect(() => readOtherNames(inSequence(hex))).toThrow();
  });

  it('end with their sequence', () => {
    expect(() => readOtherNames(Buffer.concat([inSequence(user), Buffer.from([5, 0])]))).toThrow('trailing data');
  });
});

describe('names that are not those of the Certificate', () => {
  const spec = {
    secretName: 'x',
    issuerRef: { name: 'x' },
    ipAddresses: ['10.0.0.1'],
    uris: ['spiffe://x/y'],
    emailAddresses: ['a@example.com'],
  };
  const names = { ...noNames, ip: spec.ipAddresses, uri: spec.uris, email: spec.emailAddresses };

  it.each([
    ['none', names, []],
    ['an address', { ...names, ip: ['10.0.0.2'] }, ['spec.ipAddresses']],
    ['a URI', { ...names, uri: [] }, ['spec.uris']],
    ['an e-mail address', { ...names, email: ['b@example.com'] }, ['spec.emailAddresses']],
  ])('%s', (_, found, fields) => {
    expect(alternativeNameMismatches(found, spec)).toEqual(fields);
  });
});
