import { changeTable } from '../../support/page-table.js';
import type { Comparison } from './compare.js';

const columns = ['Cases', 'Disagreements', 'It crashes', 'Decided by', 'Messages equal', 'Planted faults found'];

/**
 * Puts what came of some versions into docs/versions.md, in the place of what was there of them.
 *
 * @param of the head of the first column, which tells the page's tables apart
 */
export async function writeTable(of: string, comparisons: readonly Comparison[]): Promise<void> {
  const run = new Set(comparisons.map(({ version }) => version));
  await changeTable([of, ...columns], (rows) => [
    ...rows.filter(([version = '']) => !run.has(version)),
    ...comparisons.map(rowOf),
  ]);
}

function rowOf(one: Comparison): string[] {
  const decided = Object.entries(one.decided)
    .filter(([name]) => name !== 'crash')
    .map(([name, count]) => `${name} ${count.toLocaleString('en')}`);
  return [
    one.version,
    one.cases.toLocaleString('en'),
    String(one.disagreements),
    one.crashes.toLocaleString('en'),
    decided.join(', '),
    one.messagesEqual,
    one.plantsFound,
  ];
}
