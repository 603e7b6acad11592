import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { root } from '../lab/driver/folders.js';
import { costTable, readSchedules, runsAMonth } from './cost-table.js';

describe('what the workflows cost', () => {
  it.each([
    ['23 */4 * * *', 180],
    ['41 3 * * *', 30],
    ['0,30 * * * *', 1440],
    ['53 4 * * 1', 30 / 7],
  ])('by the schedule %s', (cron, runs) => {
    expect(runsAMonth(cron)).toBeCloseTo(runs);
  });

  it.each(['1 2 3 * *', '* * * * * *', '1-5 * * * *'])('is not guessed for %s', (cron) => {
    expect(() => runsAMonth(cron)).toThrow('no schedule of ours');
  });

  it('is each job by the minute that was begun', () => {
    const table = costTable([{ workflow: 'backup', job: 'backup', cron: '0 0 * * *' }]);
    expect(table).toContain('| `backup` | backup | `0 0 * * *` | 30 | 1 | 30 |');
    expect(() => costTable([{ workflow: 'backup', job: 'other', cron: '0 0 * * *' }])).toThrow('backup/other');
  });

  it('is in the docs as it is', async () => {
    expect(await readFile(join(root, 'docs', 'costs.md'), 'utf8')).toContain(costTable(await readSchedules()));
  });
});
