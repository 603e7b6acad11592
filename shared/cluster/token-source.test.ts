import { describe, expect, test } from '@jest/globals';
import { claimsIn, renewing } from './token-source.js';

function tokens(life: number): { make: () => Promise<string>; made: () => number } {
  let made = 0;
  return {
    make: async () => {
      made += 1;
      const claims = { jti: String(made), iat: 5_000_000, exp: 5_000_000 + life };
      return `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.`;
    },
    made: () => made,
  };
}

describe('renewing', () => {
  test('a token is kept for the first part of its life, and made anew long before its end', async () => {
    let now = 0;
    const { make, made } = tokens(300);
    const source = renewing(make, () => now);
    const first = await source.current();
    now = 170_000;
    expect(await source.current()).toBe(first);
    now = 190_000;
    expect(await source.current()).not.toBe(first);
    expect(made()).toBe(2);
  });

  test('a clock of the runner that is wrong by years changes nothing', async () => {
    const { make } = tokens(300);
    const source = renewing(make, () => 0);
    expect(await source.current()).toBe(await source.current());
  });

  test('who asks while a token is being made waits for that one', async () => {
    const { make, made } = tokens(300);
    const source = renewing(make, () => 0);
    await Promise.all([source.current(), source.current(), source.current()]);
    expect(made()).toBe(1);
  });

  test('a failure is not kept: the next one who asks tries again', async () => {
    const { make } = tokens(300);
    let fails = true;
    const source = renewing(() => (fails ? Promise.reject(new Error('away')) : make()));
    await expect(source.current()).rejects.toThrow('away');
    fails = false;
    expect(claimsIn(await source.current()).jti).toBe('1');
  });

  test('while none is to be had, the one before is used until its end, and each call asks again', async () => {
    let now = 0;
    const { make, made } = tokens(300);
    let fails = false;
    const source = renewing(
      () => (fails ? Promise.reject(new Error('away')) : make()),
      () => now,
    );
    const first = await source.current();
    fails = true;
    now = 200_000;
    expect(await source.current()).toBe(first);
    now = 294_999;
    expect(await source.current()).toBe(first);
    now = 295_000;
    await expect(source.current()).rejects.toThrow('away');
    fails = false;
    now = 200_000;
    expect(await source.current()).not.toBe(first);
    expect(made()).toBe(2);
  });

  test('a refused token is made anew once it is old enough that its age may be why', async () => {
    let now = 0;
    const { make } = tokens(300);
    const source = renewing(make, () => now);
    const first = await source.current();
    expect(source.refused(first)).toBe(false);
    now = 6_000;
    expect(source.refused(first)).toBe(true);
    expect(await source.current()).not.toBe(first);
  });

  test('one that somebody else has replaced already is simply asked for again', async () => {
    const { make } = tokens(300);
    const source = renewing(make, () => 0);
    await source.current();
    expect(source.refused('an older one')).toBe(true);
  });

  test('a text that is no JWT has no claims, and is never kept', async () => {
    expect(claimsIn('abc')).toEqual({});
    expect(claimsIn('a.W10.c')).toEqual({});
    let made = 0;
    const source = renewing(
      async () => {
        made += 1;
        return String(made);
      },
      () => 0,
    );
    await source.current();
    await source.current();
    expect(made).toBe(2);
  });
});
