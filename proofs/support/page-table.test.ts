import { describe, expect, it } from '@jest/globals';
import { type ClusterRun, withRun } from './cluster-table.js';
import { withTable } from './page-table.js';
import type { Proof } from './proof.js';

const page = 'Text.\n\n| A | B |\n| --- | --- |\n| 1.10 | x |\n| 1.9 | y |\n\n| A | C |\n| --- | --- |\n';

describe('a table of a page', () => {
  it('has its rows changed and sorted as versions are; nothing else is touched', () => {
    expect(withTable(page, ['A', 'B'], (rows) => [...rows, ['1.9.1', 'z']])).toBe(
      page.replace('| 1.10 | x |\n| 1.9 | y |', '| 1.9 | y |\n| 1.9.1 | z |\n| 1.10 | x |'),
    );
  });

  it('may be empty', () => {
    expect(withTable(page, ['A', 'C'], () => [['1', '2']])).toBe(`${page}| 1 | 2 |\n`);
  });

  it('must be there', () => {
    expect(() => withTable(page, ['A'], (rows) => rows)).toThrow('there is no table');
  });
});

describe('a run on a cluster', () => {
  const proof: Proof = {
    name: 'kill',
    claim: '',
    run: async () => ({}),
    inTable: ({ kills }) => `${kills} kills`,
  };
  const run: ClusterRun = {
    certManager: '1.16.2',
    kubernetes: '1.30.1',
    proof,
    figures: { kills: 3 },
    isSmall: false,
    isOk: true,
  };
  const columns = ['drill', 'kill'];

  it('is a row of its own, or the cell of one that is there', () => {
    expect(withRun([], columns, run)).toEqual([['1.16.2', '1.30.1', '–', '3 kills']]);
    const rows = [
      ['1.16.2', '1.29.1', '1', '1 kills'],
      ['1.16.2', '1.30.1', '2', '2 kills'],
    ];
    expect(withRun(rows, columns, run)).toEqual([rows[0], ['1.16.2', '1.30.1', '2', '3 kills']]);
  });

  it('says what is less than the claim', () => {
    expect(withRun([], columns, { ...run, isSmall: true, isOk: false })[0]?.[3]).toBe('FAILED: 3 kills (small)');
  });
});
