import { describe, expect, it } from '@jest/globals';
import { attempt, contextTag, DerReader, encodeElement, encodeOid, tag } from './der.js';

const reader = (hex: string) => new DerReader(Buffer.from(hex, 'hex'));

describe('headers', () => {
  it.each([
    ['indefinite length', '30800000'],
    ['length that fits the short form', '3081020500'],
    ['leading zero in the length', '3082000205000000'],
    ['longer than the input', '300305'],
    ['tag of several bytes', '1f8101'],
    ['tag of several bytes that looks like one of one', '1f01ff'],
    ['nothing', ''],
    ['five bytes of length', '30850000000001ff'],
    ['a tag and nothing more', '30'],
    ['a length that is cut off', '308201'],
    ['three bytes of length where two would do', `308300ffff${'00'.repeat(0xffff)}`],
    ['content that is one byte short', '3002ff'],
    ['a length that is not said, with as much as its byte could mean', `3080${'00'.repeat(128)}`],
  ])('refuses: %s', (_, hex) => {
    expect(() => reader(hex).any('bad')).toThrow('bad');
  });

  it('reads consecutive elements of long and short form', () => {
    const long = Buffer.alloc(300, 7);
    const input = new DerReader(Buffer.concat([encodeElement(tag.octetString, long), Buffer.from('0500', 'hex')]));
    expect(input.read(tag.octetString, 'bad')).toEqual(long);
    expect(input.optional(tag.integer, 'bad')).toBeUndefined();
    expect(input.any('bad').tag).toBe(tag.null);
    expect(input.empty).toBe(true);
  });

  it.each([0, 1, 0x7f, 0x80, 0xff, 0x100, 0xffff, 0x10000])('writes and reads a length of %d', (length) => {
    const content = Buffer.alloc(length, 5);
    const written = encodeElement(tag.octetString, content);
    const digits = length < 0x80 ? 0 : Math.ceil(Math.log2(length + 1) / 8);
    expect(written).toHaveLength(2 + digits + length);
    const input = new DerReader(written);
    expect(input.read(tag.octetString, 'bad')).toEqual(content);
    expect(input.empty).toBe(true);
  });

  it('an element of another tag is malformed', () => {
    expect(attempt(() => reader('0500').read(tag.integer, 'no integer'))).toEqual({ ok: false, error: 'no integer' });
  });

  it('an explicit tag is as long as what is behind it, whatever it says', () => {
    for (const hex of ['a003020105', 'a009020105', 'a001020105']) {
      const input = reader(`${hex}0500`);
      expect(input.explicit(0, tag.integer, 'bad')).toEqual(Buffer.from([5]));
      expect(input.any('bad').tag).toBe(tag.null);
    }
  });

  it.each([
    ['nothing is there', ''],
    ['another field is there', '020105'],
    ['it is of another number', 'a103020105'],
    ['it is of another number, and empty', '8100'],
    ['it is primitive', '8003020105'],
    ['a field of another type is in it', 'a0020500'],
  ])('an explicit field is absent, and nothing is read, where %s', (_, hex) => {
    const input = reader(`${hex}`);
    expect(input.explicit(0, tag.integer, 'bad')).toBeUndefined();
    expect(input.empty ? '' : input.any('bad').whole.toString('hex')).toBe(hex);
  });

  it.each(['a000', '8000', 'a0', 'a003', 'a00302', 'a0030209'])('an explicit field is malformed: %s', (hex) => {
    expect(() => reader(hex).explicit(0, tag.integer, 'bad')).toThrow('bad');
  });

  it('a defect is not taken for malformed input', () => {
    expect(() =>
      attempt(() => {
        throw new TypeError('defect');
      }),
    ).toThrow(TypeError);
  });
});

describe('what stands where an optional field could be', () => {
  const header = (hex: string) => () => new DerReader(Buffer.from(hex, 'hex')).header('malformed');

  it.each(['0500', '0201', '058180', '0583ffffff', '05847fffffff', '1f1f00', '1f8f7f00', 'bf87ffffff7f00'])(
    'has a tag and a length: %s',
    (hex) => {
      expect(header(hex)).not.toThrow();
    },
  );

  it.each([
    ['05', 'no length'],
    ['0580', 'a length that is not known'],
    ['05817f', 'a length that is longer than it must be'],
    ['05820080', 'a length with a zero before it'],
    ['058201', 'a length that ends too early'],
    ['058480000000', 'a length that is too large'],
    ['1f1e00', 'a tag that is longer than it must be'],
    ['1f801f00', 'a tag with a zero before it'],
    ['1f88808080', 'a tag that does not end'],
    ['1f888080800000', 'a tag that is too large'],
    ['1f1f', 'no length after a long tag'],
  ])('is malformed: %s, %s', (hex) => {
    expect(header(hex)).toThrow('malformed');
  });
});

describe('values', () => {
  it.each([
    ['020100', 0n],
    ['0201ff', -1n],
    ['02020080', 128n],
    ['0202ff7f', -129n],
  ])('integer %s', (hex, value) => {
    expect(reader(hex).integer('bad')).toBe(value);
  });

  it.each(['0200', '02020001', '0202ff80'])('integer %s is not minimal', (hex) => {
    expect(() => reader(hex).integer('bad')).toThrow('bad');
  });

  it.each(['1.2.840.113549.1.1.1', '2.5.4.3', '0.9.2342.19200300.100.1.25', '2.999.3'])('identifier %s', (dotted) => {
    expect(new DerReader(encodeOid(dotted) ?? Buffer.alloc(0)).oid('bad')).toBe(dotted);
  });

  it.each([
    ['060127', '0.39'],
    ['060128', '1.0'],
    ['06014f', '1.39'],
    ['060150', '2.0'],
  ])('identifier %s is %s', (hex, dotted) => {
    expect(reader(hex).oid('bad')).toBe(dotted);
  });

  it.each(['0600', '060180', '06028001', '06022a80', '06062a9080808000'])('identifier %s is malformed', (hex) => {
    expect(() => reader(hex).oid('bad')).toThrow('bad');
  });

  it.each(['1', '3.1', '1.40', 'x.y', '1.2.-3'])('no identifier: %s', (dotted) => {
    expect(encodeOid(dotted)).toBeUndefined();
  });

  it('an arc may have a byte of nothing in its middle', () => {
    expect(reader('06042a818000').oid('bad')).toBe('1.2.16384');
    expect(encodeOid('1.2.16384')?.toString('hex')).toBe('06042a818000');
  });

  it('a boolean is 00 or ff', () => {
    expect([reader('0101ff').boolean('bad'), reader('010100').boolean('bad')]).toEqual([true, false]);
    expect(() => reader('010101').boolean('bad')).toThrow('bad');
  });

  it('a bit string is moved to its last bit', () => {
    expect(reader('030204f0').bitString('bad')).toEqual(Buffer.from([0x0f]));
    expect(reader('030204f0').bits('bad')).toEqual(Buffer.from([0xf0]));
    expect(reader('03030401f0').bitString('bad')).toEqual(Buffer.from([0x00, 0x1f]));
  });

  it.each(['0300', '030108', '030101', '030204f1'])('bit string %s is malformed', (hex) => {
    expect(() => reader(hex).bitString('bad')).toThrow('bad');
  });

  it('context tags', () => {
    expect([contextTag(0), contextTag(3, 'constructed')]).toEqual([0x80, 0xa3]);
  });
});
