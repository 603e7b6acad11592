import { describe, expect, it } from '@jest/globals';
import { asTag, parseReference } from './reference.js';

const digest = `sha256:${'0123456789abcdef'.repeat(4)}`;

describe('parseReference', () => {
  // From the distribution project's own tests of its grammar, and Docker's rule for what a host is.
  it.each([
    ['test_com', { host: '', path: 'test_com', tag: '', digest: '' }],
    ['test.com:tag', { host: '', path: 'test.com', tag: 'tag', digest: '' }],
    ['test.com:5000', { host: '', path: 'test.com', tag: '5000', digest: '' }],
    ['test.com/repo:tag', { host: 'test.com', path: 'repo', tag: 'tag', digest: '' }],
    ['test:5000/repo', { host: 'test:5000', path: 'repo', tag: '', digest: '' }],
    ['test:5000/repo:tag', { host: 'test:5000', path: 'repo', tag: 'tag', digest: '' }],
    [`test:5000/repo@${digest}`, { host: 'test:5000', path: 'repo', tag: '', digest }],
    [`test:5000/repo:tag@${digest}`, { host: 'test:5000', path: 'repo', tag: 'tag', digest }],
    ['lowercase:Uppercase', { host: '', path: 'lowercase', tag: 'Uppercase', digest: '' }],
    ['localhost/a', { host: 'localhost', path: 'a', tag: '', digest: '' }],
    ['library/a', { host: '', path: 'library/a', tag: '', digest: '' }],
    ['Registry/a', { host: 'Registry', path: 'a', tag: '', digest: '' }],
    [
      'sub-dom1.foo.com/bar/baz/quux:some-long-tag',
      { host: 'sub-dom1.foo.com', path: 'bar/baz/quux', tag: 'some-long-tag', digest: '' },
    ],
    ['xn--n3h.com/myimage:xn--n3h.com', { host: 'xn--n3h.com', path: 'myimage', tag: 'xn--n3h.com', digest: '' }],
    ['foo_bar.com:8080', { host: '', path: 'foo_bar.com', tag: '8080', digest: '' }],
    ['foo/foo_bar.com:8080', { host: '', path: 'foo/foo_bar.com', tag: '8080', digest: '' }],
    ['192.168.1.1:5000/repo', { host: '192.168.1.1:5000', path: 'repo', tag: '', digest: '' }],
    ['[2001:db8::1]:5000/repo:tag', { host: '[2001:db8::1]:5000', path: 'repo', tag: 'tag', digest: '' }],
    ['[2001:db8::1]/repo', { host: '[2001:db8::1]', path: 'repo', tag: '', digest: '' }],
    ['a.b/c__d--e.f_g', { host: 'a.b', path: 'c__d--e.f_g', tag: '', digest: '' }],
  ])('reads %s', (text, parts) => {
    expect(parseReference(text)).toEqual(parts);
  });

  it.each([
    '',
    ':justtag',
    `@${digest}`,
    'repo@sha256:ffff',
    'repo@',
    'repo:',
    'repo:tag:tag',
    `repo@${digest}@${digest}`,
    `repo@sha256:${'A'.repeat(64)}`,
    'validname@invaliddigest:ffff',
    'Uppercase:tag',
    'test:5000/Uppercase/lowercase:tag',
    'aa/asdf$$^/aa',
    '-foo/bar',
    '-foo.com/bar',
    'foo.com-/bar',
    'foo..com/bar',
    'foo_bar.com/baz',
    'host:port/repo',
    'host:/repo',
    'http://test.com/repo',
    'test.com//repo',
    'test.com/repo/',
    '/repo',
    'a___b',
    'a..b/c',
    'repo:-tag',
    `repo:${'t'.repeat(129)}`,
    ' repo',
    'repo\n',
    'repo:tag\n',
    '2001:db8::1/repo',
    '[::g]/repo',
    `${'a/'.repeat(128)}a:tag`,
  ])('refuses %j', (text) => {
    expect(parseReference(text)).toBeUndefined();
  });

  it('takes the longest name, and not one letter more', () => {
    const host = 'host.example';
    const path = 'p'.repeat(254 - host.length);
    expect(parseReference(`${host}/${path}`)?.path).toBe(path);
    expect(parseReference(`${host}/${path}p`)).toBeUndefined();
  });
});

describe('asTag', () => {
  it('gives a tag for any text, or nothing', () => {
    expect(asTag('0123abcd-dirty')).toBe('0123abcd-dirty');
    expect(asTag('feature/new login!')).toBe('feature-new-login-');
    expect(asTag('.hidden')).toBe('hidden');
    expect(asTag('a'.repeat(200))).toHaveLength(128);
    expect(asTag('…')).toBe('');
  });
});
