import { describe, expect, test } from '@jest/globals';
import { Accounts } from './accounts.js';
import { sign, verify } from './jwt.js';
import { Lockout } from './lockout.js';
import { principalOf, UserKeys } from './principal.js';

const refusal = (message: string) =>
  expect.objectContaining({ answer: expect.objectContaining({ body: expect.objectContaining({ message }) }) });

describe('accounts', () => {
  test('burn the slug of a team whose namespace could not be made', () => {
    const accounts = new Accounts();
    accounts.burn(accounts.addTeam(' Acme ', ''));
    expect(accounts.team('acme')).toBeUndefined();
    expect(() => accounts.addTeam('acme', '')).toThrow(refusal('create team: status 400'));
  });

  test.each(['', 'a_b', 'a b', '-a', 'a'.repeat(254)])('take no slug %j', (slug) => {
    expect(() => new Accounts().addTeam(slug, '')).toThrow(refusal('create team: status 400'));
  });

  test('take an e-mail once, whatever its case', () => {
    const accounts = new Accounts();
    accounts.addUser('A@b.test', 'long-enough');
    expect(() => accounts.addUser(' a@B.test', 'long-enough')).toThrow(
      refusal('pq: duplicate key value violates unique constraint "users_email_key" (23505)'),
    );
    expect(accounts.userWith('A@B.TEST ', 'long-enough')).toBeDefined();
  });

  test('are frozen in a token', () => {
    const accounts = new Accounts();
    const user = accounts.addUser('a@b.test', 'long-enough');
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      iss: 'mcp-runtime',
      sub: user.id,
      aud: [],
      exp: now + 900,
      iat: now,
      email: user.email,
      role: user.role,
      allowed_namespaces: [],
      auth_type: 'platform_jwt',
    };
    const token = sign(claims, 'secret');
    accounts.putMember(accounts.addTeam('acme', '').slug, user.id, 'owner');
    const credentials = { secret: 'secret', adminKeys: [], serviceKeys: [], accounts, userKeys: new UserKeys() };
    expect(principalOf({ authorization: `Bearer ${token}` }, credentials)?.teams).toEqual([]);
    expect(principalOf({ 'x-api-key': token }, credentials)).toBeUndefined();
    expect(verify(token, 'another')).toBeUndefined();
    expect(verify(token, 'secret', (now + 901) * 1000)).toBeUndefined();
  });
});

test('a lock comes with the third failure, doubles, and ends with a success', () => {
  let now = 0;
  const lockout = new Lockout(15_000, () => now);
  const fail = (count: number) => Array.from({ length: count }, () => lockout.failed('a'));
  fail(2);
  expect(lockout.isLocked('a')).toBe(false);
  fail(1);
  expect([lockout.isLocked('a'), lockout.isLocked('b')]).toEqual([true, false]);
  now = 15_000;
  expect(lockout.isLocked('a')).toBe(false);
  fail(1);
  now = 44_999;
  expect(lockout.isLocked('a')).toBe(true);
  now = 45_000;
  lockout.succeeded('a');
  fail(1);
  expect(lockout.isLocked('a')).toBe(false);
});
