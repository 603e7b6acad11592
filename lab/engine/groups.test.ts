import { describe, expect, it } from '@jest/globals';
import { type Concurrency, concurrencyOf, Groups } from './groups.js';

const group = (parts: Partial<Concurrency> = {}): Concurrency => ({
  group: 'production',
  cancelInProgress: false,
  queue: 'single',
  ...parts,
});

describe('a group', () => {
  it('is had by one, and by the next when that one is over', async () => {
    const groups = new Groups();
    expect(await groups.take(group(), 'a')).toBe('');
    const second = groups.take(group({ group: 'Production' }), 'b');
    expect(await Promise.race([second, Promise.resolve('waits')])).toBe('waits');
    groups.release('a');
    expect(await second).toBe('');
    groups.release('b');
    expect(await groups.take(group(), 'c')).toBe('');
  });

  it('has one that waits, whose place the next takes', async () => {
    const groups = new Groups();
    await groups.take(group(), 'a');
    const [second, third] = [groups.take(group(), 'b'), groups.take(group(), 'c')];
    expect(await second).toContain('higher priority waiting request');
    groups.release('a');
    expect(await third).toBe('');
  });

  it('lets all wait with `queue: max`, in the order in which they came', async () => {
    const groups = new Groups();
    const order: string[] = [];
    await groups.take(group({ queue: 'max' }), 'a');
    const all = ['b', 'c', 'd'].map(async (one) => {
      expect(await groups.take(group({ queue: 'max' }), one)).toBe('');
      order.push(one);
      groups.release(one);
    });
    groups.release('a');
    await Promise.all(all);
    expect(order).toEqual(['b', 'c', 'd']);
  });

  it('is not waited for by a job whose own run has it', async () => {
    const groups = new Groups();
    await groups.take(group(), 'run 7');
    expect(await groups.take(group(), 'run 7: restore')).toContain('deadlock');
  });

  it('forgets one that waits and goes', async () => {
    const groups = new Groups();
    await groups.take(group({ queue: 'max' }), 'a');
    void groups.take(group({ queue: 'max' }), 'b');
    const third = groups.take(group({ queue: 'max' }), 'c');
    groups.release('b');
    groups.release('a');
    expect(await third).toBe('');
  });

  it('does not take both keys that GitHub does not take', async () => {
    expect(await new Groups().take(group({ queue: 'max', cancelInProgress: true }), 'a')).toContain('not allowed');
  });
});

describe('concurrencyOf', () => {
  it.each([
    [undefined, undefined],
    [null, undefined],
    ['', undefined],
    ['a', group({ group: 'a' })],
    [{ group: 'a' }, group({ group: 'a' })],
    [{ group: 'a', queue: 'max' }, group({ group: 'a', queue: 'max' })],
    [{ group: 'a', 'cancel-in-progress': true }, group({ group: 'a', cancelInProgress: true })],
  ])('%j', (value, expected) => {
    expect(concurrencyOf(value)).toEqual(expected);
  });
});
