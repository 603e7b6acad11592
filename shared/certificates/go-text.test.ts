import { expect, it } from '@jest/globals';
import { splitCsv } from './csv.js';
import { apiTime, durationNanoseconds, listText, timeText } from './go-text.js';

it.each([
  ['2160h0m0s', 7_776_000_000_000_000n],
  ['1.5h', 5_400_000_000_000n],
  ['-1m', -60_000_000_000n],
  ['+.5s', 500_000_000n],
  ['1h2m3s4ms5us6µs7ns', 3_723_004_011_007n],
  ['0', 0n],
  ['1.999999999999s', 1_999_999_999n],
  ['-2562047h47m16.854775808s', -(2n ** 63n)],
  ['0.1234567890123456789012345h', 444_444_440_444n],
])('duration %s', (text, nanoseconds) => {
  expect(durationNanoseconds(text)).toBe(nanoseconds);
});

it.each(['', '1', '1d', 'h', '.s', '1h 2m', '3000000h', '2562047h47m16.854775808s'])('no duration: %p', (text) => {
  expect(durationNanoseconds(text)).toBeUndefined();
});

it('times and lists', () => {
  expect(timeText(apiTime('2026-01-02T03:04:05+01:00'))).toBe('2026-01-02 02:04:05 +0000 UTC');
  expect(timeText(apiTime(undefined))).toBe('<nil>');
  expect(listText(['a', 'b'])).toBe('[a b]');
});

it.each([
  ['a,b', ['a', 'b']],
  ['"10 Downing Street, Westminster",Manchester', ['10 Downing Street, Westminster', 'Manchester']],
  ['"say ""hi"""', ['say "hi"']],
  ['a,', ['a', '']],
  ['\na\n', ['a']],
  ['""', ['']],
  ['a\r\n\r\n\n', ['a']],
  ['"a\r\nb",c\r', ['a\nb', 'c']],
  ['a\rb', ['a\rb']],
])('line of CSV: %p', (text, fields) => {
  expect(splitCsv(text)).toEqual({ ok: true, value: fields });
});

it.each(['', '\n', '\r', 'a\n"', 'a"b', '"a', '"a"b', 'a\nb'])('no line of CSV: %p', (text) => {
  expect(splitCsv(text).ok).toBe(false);
});
