import { describe, expect, it } from '@jest/globals';
import { encodeElement, encodeOid, tag } from './der.js';
import { extensionFacts, extensionOid } from './extensions.js';
import { certManagerVersion } from './version.js';

const newest = certManagerVersion('v1.21.2');
const read =
  (name: keyof typeof extensionOid, hex: string, critical = false): (() => unknown) =>
  () =>
    extensionFacts([{ oid: extensionOid[name], critical, value: Buffer.from(hex, 'hex') }], newest);

describe('extensions that only have to be well made', () => {
  it.each<[keyof typeof extensionOid, string, string]>([
    ['revocationLists', 'no lists', '3000'],
    ['revocationLists', 'a point without a name', '30023000'],
    ['revocationLists', 'a point with a URI', '300b3009a007a005860361623a'],
    ['revocationLists', 'a point whose name is no URI', '30093007a005a003820161'],
    ['policies', 'a number with a byte of nothing in its middle', '30083006060455818001'],
    ['policies', 'two', '300a3003060155300306 0156'.replaceAll(' ', '')],
    ['policyMappings', 'one', '300830060601550601 56'.replaceAll(' ', '')],
    ['policyConstraints', 'both', '3006800101810102'],
    ['policyConstraints', 'none', '3000'],
    ['inhibitAnyPolicy', 'zero', '020100'],
    [
      'authorityInfoAccess',
      'one with a URI',
      '3007300506015586 0161'.replaceAll(' ', '').replace('3007300506', '3008300606'),
    ],
    ['basicConstraints', 'a length of zero', '30060101ff020100'],
    ['nameConstraints', 'a domain', '3007a00530038201 61'.replaceAll(' ', '')],
    ['nameConstraints', 'a domain below', '3008a0063004 82022e61'.replaceAll(' ', '')],
    ['nameConstraints', 'a mailbox', '3009a00730058103614062'],
    ['nameConstraints', 'an address', '300ea00c300a87080a000000ff000000'],
    ['nameConstraints', 'another kind of name', '3006a10430028500'],
  ])('%s: %s', (name, _, hex) => {
    expect(read(name, hex)).not.toThrow();
  });

  it.each<[keyof typeof extensionOid, string, string]>([
    ['revocationLists', 'another type', '0500'],
    ['revocationLists', 'a point that is cut short', '300230 01'.replaceAll(' ', '')],
    ['revocationLists', 'a point whose second URI is cut short', '300e300ca00aa008860361623a860561'],
    ['policies', 'an empty identifier', '300430020600'],
    ['policies', 'a number that begins with nothing', '3007300506035580 01'.replaceAll(' ', '')],
    ['basicConstraints', 'a length of nine bytes', '300e0101ff0209010000000000000000'],
    ['policies', 'one twice', '300a30030601553003060155'],
    ['policies', 'an identifier that does not end', '30053003060181'],
    ['policyMappings', 'half of one', '30053003060155'],
    ['policyConstraints', 'no number', '30028000'],
    ['policyConstraints', 'a number of nine bytes', '300b8009010203040506070809'],
    ['inhibitAnyPolicy', 'no number', '0500'],
    ['authorityInfoAccess', 'no method', '30023000'],
    ['basicConstraints', 'a negative length', '30060101ff0201ff'],
    ['nameConstraints', 'nothing', '3000'],
    ['nameConstraints', 'something behind it', '3007a00530038201610500'],
    ['nameConstraints', 'a domain that ends in a dot', '3008a00630048202612e'],
    ['nameConstraints', 'an address of three bytes', '3009a007300587030a0000'],
    ['nameConstraints', 'a mask with a hole', '300ea00c300a87080a000000ff00ff00'],
    [
      'nameConstraints',
      'an address for URIs',
      '300da00b300986073132372e302e30'.replace('3132372e302e30', '312e312e312e31'),
    ],
    ['nameConstraints', 'no ASCII', '3007a0053003 8201e4'.replaceAll(' ', '')],
    ['nameConstraints', 'no mailbox', '3008a006300481024062'],
  ])('%s, refused: %s', (name, _, hex) => {
    expect(read(name, hex)).toThrow(/^x509: /);
  });

  it.each([
    ['2.5.29.37.0', 'any'],
    ['1.3.6.1.5.5.7.3.1', 'server auth'],
    ['1.3.6.1.5.5.7.3.2', 'client auth'],
    ['1.3.6.1.5.5.7.3.3', 'code signing'],
    ['1.3.6.1.5.5.7.3.4', 'email protection'],
    ['1.3.6.1.5.5.7.3.5', 'ipsec end system'],
    ['1.3.6.1.5.5.7.3.6', 'ipsec tunnel'],
    ['1.3.6.1.5.5.7.3.7', 'ipsec user'],
    ['1.3.6.1.5.5.7.3.8', 'timestamping'],
    ['1.3.6.1.5.5.7.3.9', 'ocsp signing'],
    ['1.3.6.1.4.1.311.10.3.3', 'microsoft sgc'],
    ['2.16.840.1.113730.4.1', 'netscape sgc'],
  ])('the extended usage %s is called %s', (dotted, name) => {
    const list = encodeElement(tag.sequence, encodeOid(dotted) ?? Buffer.alloc(0));
    expect(read('extendedKeyUsage', list.toString('hex'))()).toMatchObject({ usages: [name] });
  });

  it('authority info access must not be critical', () => {
    expect(read('authorityInfoAccess', '3000', true)).toThrow('incorrectly marked critical');
  });
});
