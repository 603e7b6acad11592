import { describe, expect, it } from '@jest/globals';
import { exactSetBudget, type Issuance, identifierKey } from './budget.js';

const now = new Date('2026-11-20T12:00:00Z');
const interval = 33.6 * 3_600_000;
const week = 7 * 24 * 3_600_000;
const names = ['a.org', 'b.org'];
const ago = (milliseconds: number) => new Date(now.getTime() - milliseconds);
const issued = (serial: string, at: Date, identifiers: readonly string[] = names): Issuance => ({
  identifiers,
  serial,
  at,
});
const burst = (count: number, at: Date) => Array.from({ length: count }, (_, index) => issued(`0${index}`, at));

it('an empty ledger leaves all five', () => {
  expect(exactSetBudget(names, [], now)).toEqual({ used: 0, left: 5, nextRefill: undefined });
});

describe('a burst', () => {
  it.each([1, 2, 3, 4, 5])('of %d just now', (count) => {
    expect(exactSetBudget(names, burst(count, now), now)).toEqual({
      used: count,
      left: 5 - count,
      nextRefill: new Date(now.getTime() + interval),
    });
  });

  it('of five refills by one each 33.6 hours, to the millisecond', () => {
    const left = (after: number) => exactSetBudget(names, burst(5, ago(after)), now).left;
    expect([left(interval - 1), left(interval), left(2 * interval - 1), left(2 * interval)]).toEqual([0, 1, 1, 2]);
    expect([left(5 * interval - 1), left(5 * interval)]).toEqual([4, 5]);
  });

  it('of more than five, which an override allows, leaves nothing for longer', () => {
    expect(exactSetBudget(names, burst(7, now), now)).toMatchObject({
      used: 7,
      left: 0,
      nextRefill: new Date(now.getTime() + 3 * interval),
    });
  });
});

it('an issuance at the refill is due to be counted with the next one', () => {
  const ledger = [...burst(5, ago(interval)), issued('99', now)];
  expect(exactSetBudget(names, ledger, now)).toEqual({
    used: 6,
    left: 0,
    nextRefill: new Date(now.getTime() + interval),
  });
});

it('an old issuance neither counts nor helps', () => {
  expect(exactSetBudget(names, [issued('01', ago(week)), issued('02', ago(week - 1))], now)).toMatchObject({ used: 1 });
  expect(exactSetBudget(names, [issued('01', ago(10 * week)), ...burst(5, now)], now).left).toBe(0);
});

it('a serial counts once, however it is written', () => {
  const ledger = [issued('0A:1B', now), issued('a1b', now), issued('00a1b', now)];
  expect(exactSetBudget(names, ledger, now).used).toBe(1);
});

it('Certificates with the same set share it; any other set is apart', () => {
  const ledger = [
    issued('1', now, ['B.org', 'a.org', 'b.org']),
    issued('2', now, ['a.org']),
    issued('3', now, ['a.org', 'b.org', 'c.org']),
  ];
  expect(exactSetBudget(['b.org', 'A.org'], ledger, now)).toMatchObject({ used: 1, left: 4 });
  expect(identifierKey(['b.org', 'A.org'])).toBe('a.org,b.org');
});
