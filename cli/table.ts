import stringWidth from 'string-width';
import wrapAnsi from 'wrap-ansi';

/** Between two columns. */
const gap = '  ';
/** No column is made narrower. */
const narrowest = 10;

/**
 * Rows of text in columns; a text that is too long for its column goes over several lines.
 *
 * @param width what there is room for, in columns of the terminal
 */
export function columns(rows: readonly (readonly string[])[], width: number): string[][] {
  const natural: number[] = [];
  for (const [at, cell] of rows.flatMap((row) => [...row.entries()])) {
    for (const line of cell.split('\n')) natural[at] = Math.max(natural[at] ?? 0, stringWidth(line));
  }
  const widths = fitted(natural, width - gap.length * (natural.length - 1));
  return rows.map((row) => {
    const cells = widths.map((room, at) =>
      wrapAnsi(row[at] ?? '', Math.max(1, room), { hard: true, trim: false })
        .split('\n')
        .map((line, at) => (at === 0 ? line.trimEnd() : line.trim())),
    );
    const height = Math.max(...cells.map((lines) => lines.length));
    return Array.from({ length: height }, (_, line) =>
      cells
        .map((lines, at) => padded(lines[line] ?? '', widths[at] ?? 0))
        .join(gap)
        .trimEnd(),
    );
  });
}

/** Widths that fit: the widest columns give way first. */
function fitted(natural: readonly number[], width: number): number[] {
  const sorted = [...natural].sort((a, b) => a - b);
  let left = width;
  for (const [at, one] of sorted.entries()) {
    const share = Math.floor(left / (sorted.length - at));
    if (one > share) return natural.map((wanted) => Math.min(wanted, Math.max(share, narrowest)));
    left -= one;
  }
  return [...natural];
}

function padded(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - stringWidth(text)));
}
