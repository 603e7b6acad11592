import { describe, expect, it } from '@jest/globals';
import { Faults } from './faults.js';

describe('Faults', () => {
  it('hit every service until they are cleared', () => {
    const faults = new Faults();
    faults.inject({ kind: 'down' });
    expect([faults.hits('down', 'cache'), faults.hits('down', 'rest'), faults.hits('full', 'cache')]).toEqual([
      true,
      true,
      false,
    ]);
    faults.clear();
    expect(faults.hits('down', 'cache')).toBe(false);
  });

  it('hit one service, as often as told', () => {
    const faults = new Faults();
    faults.inject({ kind: 'down', on: 'cache', times: 2 });
    expect(faults.hits('down', 'artifacts')).toBe(false);
    expect([1, 2, 3].map(() => faults.hits('down', 'cache'))).toEqual([true, true, false]);
    expect(faults.active).toEqual([]);
  });
});
