import { describe, expect, it } from '@jest/globals';
import { requireTogether } from './options.js';

describe('options of init', () => {
  it.each([
    [{}],
    [{ accounts: true, tokens: true, server: 'https://a' }],
    [{ accounts: true, audience: 'a', issuer: 'b', 'issuer-ca': 'c', 'repository-id': '1' }],
    [{ renew: true, tokens: true, server: 'https://a', 'skip-server-check': true }],
    [{ remove: true }],
    [{ server: '', tokens: false }],
  ])('%j go together', (values) => {
    expect(() => requireTogether(values)).not.toThrow();
  });

  it.each<[Record<string, unknown>, RegExp]>([
    [{ tokens: true }, /--tokens does nothing by itself/],
    [{ server: 'https://a' }, /--server does nothing/],
    [{ 'skip-server-check': true }, /--skip-server-check does nothing/],
    [{ renew: true, audience: 'a' }, /--audience does nothing/],
    [{ remove: true, tokens: true }, /--tokens does nothing/],
    [{ accounts: true, remove: true }, /--accounts and --remove are runs of their own/],
    [{ accounts: true, renew: true }, /--accounts and --renew are/],
  ])('%j do not', (values, said) => {
    expect(() => requireTogether(values)).toThrow(said);
  });
});
