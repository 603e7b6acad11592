/** What GitHub takes of one step's summary, in bytes; of a longer one it shows nothing at all. */
export const summaryLimit = 1024 * 1024;

const fence = /^(?:`{3,}|~{3,})/;

/** What ends a fold or a block of code that is open where the text is cut. */
interface Open {
  end: string;
  isCode: boolean;
}

/**
 * A text in Markdown, cut to a length at the end of one of its lines, with a word about what is missing. Rows of tables and
 * characters stay whole, a table keeps its head only with a row of it, and what was open is closed. Linear in the text.
 *
 * @param most in bytes
 * @returns the text itself where it fits; nothing where not even the word does
 */
export function fitMarkdown(text: string, most: number): string {
  if (Buffer.byteLength(text) <= most) return text;
  const lines = text.split('\n');
  // The number in the word is never longer than that of all lines.
  const room = most - Buffer.byteLength(missing(lines.length));
  let open: readonly Open[] = [];
  let size = 0;
  let kept = { count: 0, ends: '' };
  for (const [index, line] of lines.entries()) {
    size += Buffer.byteLength(line) + 1;
    if (size > room) break;
    open = openAfter(line, open);
    const ends = endsOf(open);
    if (!isHead(lines, index, open) && size + ends.length <= room) kept = { count: index + 1, ends };
  }
  if (room < 0) return '';
  return `${lines.slice(0, kept.count).join('\n')}${kept.ends}${missing(lines.length - kept.count)}`;
}

function missing(count: number): string {
  return `\n\n…shortened: GitHub shows at most 1 MiB for a step, and ${count} more lines were left out here. The output \`result\` and the log of this step tell more.\n`;
}

/** Foreign text has no line of its own with such a beginning: it is escaped, or in code between single backquotes. */
function openAfter(line: string, open: readonly Open[]): readonly Open[] {
  const last = open.at(-1);
  if (last?.isCode) return line.trim() === last.end ? open.slice(0, -1) : open;
  const [mark] = fence.exec(line) ?? [];
  if (mark !== undefined) return [...open, { end: mark, isCode: true }];
  if (line.startsWith('<details>')) return [...open, { end: '</details>', isCode: false }];
  return line === '</details>' && last !== undefined ? open.slice(0, -1) : open;
}

function endsOf(open: readonly Open[]): string {
  return open
    .toReversed()
    .map(({ end, isCode }) => (isCode ? `\n${end}` : `\n\n${end}`))
    .join('');
}

/** Whether a line is of the head of a table, which is none without its two lines, and says nothing without a row. */
function isHead(lines: readonly string[], index: number, open: readonly Open[]): boolean {
  if (open.at(-1)?.isCode) return false;
  const isRule = (line = ''): boolean => /^\|(?: --- \|)+$/.test(line);
  return isRule(lines[index]) || isRule(lines[index + 1]);
}
