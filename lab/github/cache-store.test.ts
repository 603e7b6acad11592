import { describe, expect, it } from '@jest/globals';
import { Blobs } from './blobs.js';
import { type CacheEntry, entriesToEvict, findEntry } from './cache-store.js';

const NOW = new Date('2026-11-24T00:00:00Z');
const blobs = new Blobs(() => NOW);

function entry(id: number, key: string, facts: Partial<CacheEntry> & { size?: number; unusedHours?: number } = {}) {
  const { size = 10, unusedHours = 0, ...rest } = facts;
  const blob = blobs.create('cache');
  blobs.replace(blob, Buffer.alloc(size));
  const lastAccessedAt = new Date(NOW.getTime() - unusedHours * 3_600_000);
  const common = { version: 'v', scope: 'main', createdAt: NOW, isComplete: true };
  return { id, key, blob, lastAccessedAt, ...common, ...rest };
}

describe('findEntry', () => {
  const entries = [
    entry(1, 'a-1'),
    entry(2, 'a-2'),
    entry(3, 'a-3', { version: 'other' }),
    entry(4, 'a-4', { isComplete: false }),
    entry(5, 'b-1', { scope: 'branch' }),
    entry(6, 'a-0', { scope: 'branch' }),
  ];

  it.each<[string, string[], string[], number | undefined]>([
    ['a-1', [], ['main'], 1],
    ['a-', [], ['main'], 2],
    ['c', ['x', 'a-'], ['main'], 2],
    ['b-1', ['a-'], ['main'], 2],
    ['a-', [], ['branch', 'main'], 6],
    ['a-1', [], ['branch', 'main'], 1],
    ['a-1', ['a-'], ['branch', 'main'], 6],
    ['b-1', [], ['main'], undefined],
    ['a-4', [], ['main'], undefined],
    ['', [], [], undefined],
  ])('for key %j and restore keys %j in %j gives entry %j', (key, restoreKeys, scopes, id) => {
    expect(findEntry(entries, { key, restoreKeys, version: 'v', scopes })?.id).toBe(id);
  });
});

describe('entriesToEvict', () => {
  const ids = (entries: readonly CacheEntry[], limit: number) =>
    entriesToEvict(entries, limit, NOW).map(({ id }) => id);

  it('leaves what fits', () => {
    expect(ids([entry(1, 'a'), entry(2, 'b')], 20)).toEqual([]);
  });

  it('takes the least recently used first, and no more than needed', () => {
    const entries = [
      entry(1, 'a', { unusedHours: 1 }),
      entry(2, 'b', { unusedHours: 3 }),
      entry(3, 'c', { unusedHours: 2 }),
    ];
    expect(ids(entries, 20)).toEqual([2]);
    expect(ids(entries, 10)).toEqual([2, 3]);
    expect(ids(entries, 9)).toEqual([2, 3, 1]);
  });

  it('takes what was not used for seven days, whatever room there is', () => {
    expect(ids([entry(1, 'a', { unusedHours: 7 * 24 - 1 }), entry(2, 'b', { unusedHours: 7 * 24 })], 1000)).toEqual([
      2,
    ]);
  });
});
