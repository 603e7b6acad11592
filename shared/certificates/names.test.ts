import { describe, expect, it } from '@jest/globals';
import { encodeElement, encodeOid, tag } from './der.js';
import { nameOid, readName } from './names.js';

const name = (type: number, hex: string): Buffer => {
  const oid = encodeOid(nameOid.commonName) ?? Buffer.alloc(0);
  const value = encodeElement(type, Buffer.from(hex, 'hex'));
  const attribute = encodeElement(tag.sequence, Buffer.concat([oid, value]));
  return encodeElement(tag.sequence, encodeElement(tag.set, attribute));
};
const text = (value: string): string => Buffer.from(value).toString('hex');

describe('a value of a request’s subject that is no text', () => {
  it.each<[string, number, string]>([
    ['a boolean', tag.boolean, 'ff'],
    ['an integer of 64 bits', tag.integer, '7fffffffffffffff'],
    ['a bit string', tag.bitString, '0640'],
    ['an identifier', tag.oid, '550403'],
    ['a time', tag.utcTime, text('260101000000Z')],
    ['a time without seconds', tag.utcTime, text('2601010000Z')],
    ['a later time', tag.generalizedTime, text('20600101000000Z')],
    ['bytes', tag.octetString, '00ff'],
    ['something else', tag.null, ''],
  ])('is passed over: %s', (_, type, hex) => {
    expect(readName(name(type, hex), 'skip other types').groups).toEqual([[]]);
    expect(() => readName(name(type, hex))).toThrow('unsupported string type');
  });

  it.each<[string, number, string]>([
    ['a boolean that is neither', tag.boolean, '01'],
    ['an integer of more than 64 bits', tag.integer, '00ffffffffffffffff'],
    ['an integer with a zero too much', tag.integer, '0001'],
    ['a bit string whose padding is not zero', tag.bitString, '0641'],
    ['a bit string of text', tag.bitString, text('A.example.org')],
    ['an identifier that does not end', tag.oid, '5584'],
    ['a time of text', tag.utcTime, text('a')],
    ['a later time of text', tag.generalizedTime, text('a')],
  ])('must be what it says it is: %s', (_, type, hex) => {
    expect(() => readName(name(type, hex), 'skip other types')).toThrow('malformed value');
  });
});
