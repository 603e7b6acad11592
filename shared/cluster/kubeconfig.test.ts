import { describe, expect, it } from '@jest/globals';
import { chooseContext, type KubeconfigPart } from './kubeconfig.js';

const part = (name: string, more: object = {}, folder?: string): KubeconfigPart => ({
  fields: {
    'current-context': name,
    clusters: [{ name, cluster: { server: `https://${name}` } }],
    users: [{ name, user: { token: `token-of-${name}` } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    ...more,
  },
  ...(folder !== undefined && { folder }),
});
const user = (fields: object): KubeconfigPart => part('a', { users: [{ name: 'a', user: fields }] });
const cluster = (fields: object): KubeconfigPart =>
  part('a', { clusters: [{ name: 'a', cluster: { server: 'https://a', ...fields } }] });
const why = (parts: readonly KubeconfigPart[], wanted = ''): string => {
  try {
    chooseContext(parts, wanted);
    return '';
  } catch (error) {
    return (error as { why: string }).why;
  }
};

describe('the context of a kubeconfig', () => {
  it('is the current one, or the one that is wanted', () => {
    const two = [part('a'), part('b')];
    expect(chooseContext(two, '')).toMatchObject({ context: 'a', cluster: { server: 'https://a' } });
    expect(chooseContext(two, 'b')).toMatchObject({ context: 'b', user: { token: 'token-of-b' } });
    expect(why(two, 'c')).toBe('it has no context "c"; it has "a", "b"');
    expect(why([part('a', { 'current-context': '' })])).toBe('it names no current context');
  });

  it('is named as long as names are; what is longer or of several lines is not shown, and no piece of it', () => {
    const arn = `arn:aws:eks:us-gov-west-1:123456789012:cluster/${'n'.repeat(100)}`;
    expect(why([part('a')], arn)).toBe(`it has no context ${JSON.stringify(arn)}; it has "a"`);
    for (const none of ['MIIEvQIBADANBgkq\nhkiG9w0BAQEF', 'x'.repeat(254)])
      expect(why([part('a')], none)).toBe(`it has no context of ${none.length} characters; it has "a"`);
  });

  it('of several files is that of the first that has one, with each entry whole from the first that has it', () => {
    const first = part('a', { 'current-context': '', users: [{ name: 'a', user: { token: 'first' } }] });
    const second = part('a', { users: [{ name: 'a', user: { token: 'second', as: 'somebody' } }] }, '/second');
    expect(chooseContext([first, second], '')).toMatchObject({ context: 'a', user: { token: 'first', as: '' } });
  });

  it('may be without a user, and elsewhere anything may be wrong', () => {
    const anonymous = part('a', {
      contexts: [{ name: 'a', context: { cluster: 'a' } }, 'no record', { name: 'b', context: { cluster: 3 } }],
      users: [{ name: 'other', user: { token: 3 } }],
    });
    expect(chooseContext([anonymous], '')).toMatchObject({ userName: '', user: { token: '' } });
  });

  it('has paths that begin where its file is', () => {
    const fields = { 'certificate-authority': 'ca.crt' };
    const beside = { fields: cluster(fields).fields, folder: '/etc/k' };
    expect(chooseContext([beside], '').cluster['certificate-authority']).toBe('/etc/k/ca.crt');
    expect(chooseContext([cluster(fields)], '').cluster['certificate-authority']).toBe('ca.crt');
    const absolute = { ...cluster({ 'certificate-authority': '/ca.crt' }), folder: '/etc/k' };
    expect(chooseContext([absolute], '').cluster['certificate-authority']).toBe('/ca.crt');
  });

  it.each([
    ['both', user({ token: 't', password: 'p' }), 'a token and a username or password'],
    ['a certificate alone', user({ 'client-certificate-data': 'YQ==' }), 'without the key of it'],
    ['a CA twice', cluster({ 'certificate-authority': 'a', 'certificate-authority-data': 'YQ==' }), 'has both'],
    [
      'a key twice',
      user({ 'client-certificate': 'c', 'client-key': 'k', 'client-key-data': 'YQ==' }),
      'both client-key and client-key-data',
    ],
    [
      'a CA that is not looked at',
      cluster({ 'certificate-authority': 'a', 'insecure-skip-tls-verify': true }),
      'turns off',
    ],
    ['groups of nobody', user({ 'as-groups': ['g'] }), 'without saying which'],
    ['an UID of nobody', user({ 'as-uid': 'u' }), 'without saying which'],
    ['more of nobody', user({ 'as-user-extra': { k: ['v'] } }), 'without saying which'],
    ['two ways', user({ exec: { command: 'c' }, 'auth-provider': { name: 'gcp' } }), 'a plugin and an auth provider'],
    ['no server', cluster({ server: '' }), 'no server'],
    ['a token that is a number', user({ token: 12345 }), 'field token of its user "a"'],
    ['a name twice', part('a', { users: [{ name: 'a' }, { name: 'a' }] }), 'twice'],
    ['no such cluster', part('a', { clusters: [] }), 'a cluster that it has not'],
    ['no such user', part('a', { users: null }), 'a user that it has not'],
  ])('is refused with %s', (_, given, words) => {
    expect(why([given])).toContain(words);
  });

  it.each([
    ['a key without a certificate', user({ 'client-key': 'k', 'client-key-data': 'YQ==' })],
    ['groups of somebody', user({ as: 'u', 'as-groups': ['g'] })],
    ['fields that are null', user({ token: null, 'as-groups': null, 'as-user-extra': null })],
    ['a flag that is null', cluster({ 'insecure-skip-tls-verify': null })],
  ])('is taken with %s', (_, given) => {
    expect(why([given])).toBe('');
  });
});

describe('a kubeconfig that was printed without its values', () => {
  it.each([
    ['its CA', cluster({ 'certificate-authority-data': 'DATA+OMITTED' }), 'certificate-authority-data'],
    ['its token', user({ token: 'REDACTED' }), 'token'],
    ['its password', user({ username: 'u', password: 'REDACTED' }), 'password'],
    [
      'its client certificate and key',
      user({ 'client-certificate-data': 'DATA+OMITTED', 'client-key-data': 'REDACTED' }),
      'client-certificate-data, client-key-data',
    ],
  ])('is told as that: %s', (_, given, fields) => {
    expect(() => chooseContext([given], '')).toThrow(
      expect.objectContaining({
        code: 'kubeconfig-redacted',
        why: expect.stringContaining(`${fields}: `),
        next: expect.stringContaining('--raw'),
      }),
    );
  });

  it('is not one where a value only has such a word in it', () => {
    expect(chooseContext([user({ token: 'REDACTED-no' })], '').user.token).toBe('REDACTED-no');
  });
});
