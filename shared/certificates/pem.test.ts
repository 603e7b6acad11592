import { describe, expect, it } from '@jest/globals';
import { firstPemBlock, pemLimits } from './pem.js';
import { pem } from './testing/fixtures.js';
import { certManagerVersion } from './version.js';

const one = pem('ONE', Buffer.from('first block'));
const two = pem('TWO', Buffer.from('second block'));
const scan = (text: string, limit = 10_000) => firstPemBlock(Buffer.from(text), limit);

describe('the first block', () => {
  it('has label, content and rest', () => {
    expect(scan(one + two)).toEqual({ label: 'ONE', der: Buffer.from('first block'), rest: Buffer.from(two) });
  });

  it.each([
    ['text before', `hello\n${one}`],
    ['CRLF', one.replaceAll('\n', '\r\n')],
    ['no last newline', one.trimEnd()],
    ['a BEGIN without END before', `-----BEGIN ONE-----\nabcd\n${one}`],
    ['an END at the very beginning', `\n-----END ONE-----\n${one}`],
    ['a BEGIN without a label before', `-----BEGIN \nabcd\n-----END ZERO-----\n${one}`],
    ['headers', one.replace('-----\n', '-----\nProc-Type: 4\nDEK: x\n\n')],
    ['blanks', one.replaceAll('\n', '\t \n')],
  ])('is found with %s', (_, text) => {
    expect(scan(text)).toMatchObject({ label: 'ONE', der: Buffer.from('first block') });
  });

  it.each([
    ['a byte order mark', `\ufeff${one}`],
    ['something before BEGIN on its line', ` ${one}`],
    ['something behind END on its line', one.replace(/-----\n$/, '-----x\n')],
    ['another label at its END', one.replace('END ONE', 'END TWO')],
    ['base64 without padding', '-----BEGIN ONE-----\nYQ\n-----END ONE-----\n'],
    ['base64 with other characters', '-----BEGIN ONE-----\nYQ-_\n-----END ONE-----\n'],
    ['no END', one.replace(/-----END[\s\S]*/, '')],
    ['four dashes', one.replace('ONE-----\n', 'ONE----\n')],
    ['headers up to the END', '-----BEGIN ONE-----\na: b\n-----END ONE-----'],
    ['headers up to the end of the text', '-----BEGIN ONE-----\n-----END ONE-----:\n'],
  ])('is passed over with %s', (_, text) => {
    expect(scan(text + two)?.label ?? 'none').not.toBe('ONE');
  });

  it.each([
    ['', ''],
    [', behind headers', 'a: b\n\n'],
  ])('may be empty%s', (_, headers) => {
    expect(scan(`-----BEGIN ONE-----\n${headers}-----END ONE-----\n${two}`)).toEqual({
      label: 'ONE',
      der: Buffer.alloc(0),
      rest: Buffer.from(two),
    });
  });

  it('is not looked for in a larger input', () => {
    expect(() => scan(one, one.length - 1)).toThrow(`provided PEM data was larger than the maximum ${one.length - 1}B`);
    expect(scan(one, one.length)?.label).toBe('ONE');
    expect(scan('')).toBeUndefined();
  });
});

it('caps differ by version', () => {
  const of = (version: string) => pemLimits(certManagerVersion(version));
  expect(of('1.16.2')).toEqual({ privateKey: 13_000, certificates: 65_000, request: 6_500 });
  expect(of('1.18.2')).toEqual({ privateKey: 13_000, certificates: 330_000, request: 6_500 });
  expect(of('1.21.2')).toEqual({ privateKey: 13_000, certificates: 330_000, request: 36_500 });
});
