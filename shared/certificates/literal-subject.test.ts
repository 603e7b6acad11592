import { describe, expect, it } from '@jest/globals';
import { literalSubjectDer } from './literal-subject.js';
import { nameText, readName } from './names.js';

const textOf = (literal: string) => nameText(readName(literalSubjectDer(literal)));

describe('literalSubjectDer', () => {
  it('puts the last attribute first, in the narrowest string type', () => {
    const organization = '310b3009060355040a0c02c3a9';
    const commonName = '310a30080603550403130161';
    expect(literalSubjectDer('CN=a,O=é').toString('hex')).toBe(`3019${organization}${commonName}`);
  });

  it.each([
    ['C', '2.5.4.6'],
    ['O', '2.5.4.10'],
    ['OU', '2.5.4.11'],
    ['CN', '2.5.4.3'],
    ['SERIALNUMBER', '2.5.4.5'],
    ['L', '2.5.4.7'],
    ['ST', '2.5.4.8'],
    ['STREET', '2.5.4.9'],
    ['DC', '0.9.2342.19200300.100.1.25'],
    ['UID', '0.9.2342.19200300.100.1.1'],
  ])('knows %s as %s', (name, dotted) => {
    expect(literalSubjectDer(`${name}=a`)).toEqual(literalSubjectDer(`${dotted}=a`));
  });

  it.each([
    ['CN=a.org,OU=Ops,O=Example\\, Inc.,C=DE', 'CN=a.org,OU=Ops,O=Example\\, Inc.,C=DE'],
    [' CN = a ; O = b ', 'CN=a,O=b'],
    ['CN=a\\ ', 'CN=a\\ '],
    ['CN=\\c3\\a4', 'CN=ä'],
    ['2.5.4.3=a', 'CN=a'],
    ['STREET=s,L=l,ST=p,SERIALNUMBER=7', 'STREET=s,L=l,ST=p,SERIALNUMBER=7'],
    ['CN=a+OU=b', 'CN=a+OU=b'],
    ['OU=b+CN=a', 'CN=a+OU=b'],
    ['CN=a=b', 'CN=a=b'],
    ['CN=#0c0161', 'CN=a'],
    ['CN=#130161,O=b', 'CN=a,O=b'],
    ['CN=#0c0161ff', 'CN=a'],
    ['CN=#16017e', 'CN=~'],
    ['', ''],
  ])('reads %p', (literal, text) => {
    expect(textOf(literal)).toBe(text);
  });

  it.each([
    'CN',
    'CN=a,O',
    'CN=a,,O=b',
    'CN=\\',
    'CN=a\\x',
    'unknown=a',
    'CN=#0500',
    'CN=#16017f',
    'CN=#',
    'CN=#zz',
    'CN=#0c02c3',
    'CN=#13012a',
    'CN=#160180',
    'CN=#0c05616263',
    'CN=\\C3',
  ])('refuses %p', (literal) => {
    expect(() => literalSubjectDer(literal)).toThrow();
  });
});
