import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from '../../../lab/driver/folders.js';
import type { Comparison } from './compare.js';

const page = join(root, 'docs', 'versions.md');
const columns = 'Cases | Disagreements | It crashes | Decided by | Messages equal | Planted faults found';

/**
 * Puts what came of some versions into the page, in the place of what was there of them.
 *
 * @param of the head of the first column, which tells the page's tables apart
 */
export async function writeTable(of: string, comparisons: readonly Comparison[]): Promise<void> {
  const heading = `| ${of} | ${columns} |`;
  const text = await readFile(page, 'utf8');
  const [before = '', behind = ''] = text.split(`${heading}\n`);
  const lines = behind.split('\n');
  const end = lines.findIndex((line) => !line.startsWith('|'));
  const [rule = '', ...old] = lines.slice(0, end);
  const after = lines.slice(end).join('\n');
  const rows = new Map([...old.map((line) => [versionOf(line), line] as const), ...comparisons.map(rowOf)]);
  const sorted = [...rows].sort(([first], [second]) => first.localeCompare(second, 'en', { numeric: true }));
  await writeFile(page, `${before}${heading}\n${[rule, ...sorted.map(([, row]) => row)].join('\n')}\n${after}`);
}

function versionOf(row: string): string {
  return row.split('|')[1]?.trim() ?? '';
}

function rowOf(one: Comparison): [version: string, row: string] {
  const decided = Object.entries(one.decided)
    .filter(([name]) => name !== 'crash')
    .map(([name, count]) => `${name} ${count.toLocaleString('en')}`);
  const cells = [
    one.version,
    one.cases.toLocaleString('en'),
    one.disagreements,
    one.crashes.toLocaleString('en'),
    decided.join(', '),
    one.messagesEqual,
    one.plantsFound,
  ];
  return [one.version, `| ${cells.join(' | ')} |`];
}
