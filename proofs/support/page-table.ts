import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from '../../lab/driver/folders.js';

type Row = readonly string[];

/**
 * Changes the rows of one table of docs/versions.md, and sorts them by what they begin with.
 *
 * @param heading its columns, which tell the page's tables apart
 */
export async function changeTable(heading: Row, change: (rows: readonly Row[]) => readonly Row[]): Promise<void> {
  const page = join(root, 'docs', 'versions.md');
  await writeFile(page, withTable(await readFile(page, 'utf8'), heading, change));
}

/** @throws where the page has no such table */
export function withTable(text: string, heading: Row, change: (rows: readonly Row[]) => readonly Row[]): string {
  const head = `${lineOf(heading)}\n`;
  const [before = '', behind] = text.split(head);
  if (behind === undefined) throw new Error(`there is no table with ${head}`);
  const lines = behind.split('\n');
  const end = lines.findIndex((line) => !line.startsWith('|'));
  const [rule = '', ...old] = lines.slice(0, end);
  const rows = change(
    old.map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    ),
  );
  const sorted = rows.map(lineOf).sort((first, second) => first.localeCompare(second, 'en', { numeric: true }));
  return [`${before}${head}${rule}`, ...sorted, ...lines.slice(end)].join('\n');
}

function lineOf(row: Row): string {
  return `| ${row.join(' | ')} |`;
}
