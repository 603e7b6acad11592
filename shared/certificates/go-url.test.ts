import { describe, expect, it } from '@jest/globals';
import { parseUrl, UrlError, urlText } from './go-url.js';

const printed = (text: string, oneColon = true): string => urlText(parseUrl(text, { oneColon }));

describe('a URL as Go prints it', () => {
  it.each([
    ['https://c.org/a b', 'https://c.org/a%20b'],
    ['https://c.org/#a b', 'https://c.org/#a%20b'],
    ['https://c.org/?a b', 'https://c.org/?a b'],
    ['https://c.org/<x>', 'https://c.org/%3Cx%3E'],
    ['https://c.org/a%2fb', 'https://c.org/a%2fb'],
    ['https://c.org/[b]', 'https://c.org/[b]'],
    ['https://c.org/%41', 'https://c.org/%41'],
    ['https://c.org/%41 ', 'https://c.org/A%20'],
    ['https://%61@c.org/', 'https://a@c.org/'],
    ['https://@c.org/', 'https://@c.org/'],
    ["https://a'b:c!d@c.org/", 'https://a%27b:c%21d@c.org/'],
    ['https://c.org?', 'https://c.org?'],
    ['https://c.org#', 'https://c.org'],
    ['HTTPS://C.org', 'https://C.org'],
    ['https://', 'https:'],
    ['x:/a', 'x:/a'],
    ['x:', 'x:'],
    ['*', '*'],
    ['', ''],
    ['#', ''],
    ['a%3Ab', 'a%3Ab'],
    ['a%3A b', './a:%20b'],
    ['http://[fe80::1%25en0]:80/', 'http://[fe80::1%25en0]:80/'],
    ['http://[fe80::1%25en_0]/', 'http://[fe80::1%25en_0]/'],
  ])('%s', (text, wanted) => {
    expect(printed(text)).toBe(wanted);
  });

  it.each([
    'http://::1/',
    'http://a:1:2/',
    'http://[::1',
    'http://a[::1]/',
    'http://a[b]/',
    'https://a:1:2/',
    'http://[1.2.3.4]/',
    'http://[::1]x/',
    'http://[::1%25]/',
    'http://[::%31]/',
    'http://[fe80::%31%25en0]/',
    'http://[fe80::1%25en%01]/',
    'http://[fe80::1%25e n]/',
  ])('refused: %s', (text) => {
    expect(() => printed(text)).toThrow(UrlError);
  });

  it('takes further colons where they are not looked for, and in hosts that are no web’s', () => {
    expect(printed('http://a:1:2/', false)).toBe('http://a:1:2/');
    expect(printed('db://a:1,b:2/')).toBe('db://a:1,b:2/');
    expect(() => printed('db://a:1:x/')).toThrow('invalid port ":x" after host');
  });
});
