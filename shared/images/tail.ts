import type { Readable } from 'node:stream';

/** What is kept of the output of a program: enough to tell why it failed. In lines, and characters of a line. */
const most = { lines: 2_000, line: 4_000 } as const;

/** The last lines of what a program prints, which may print for ever, and without line ends. */
export interface Tail {
  /** Takes a stream in, to its end. */
  read(stream: Readable): Promise<void>;
  /** The last lines of all streams, in the order in which they came. */
  lines(): string[];
}

/** @param tell told of each line as it comes, cut where it is too long */
export function tailOfLines(tell: (line: string) => void): Tail {
  let kept: string[] = [];
  const add = (line: string): void => {
    const plain = line.endsWith('\r') ? line.slice(0, -1) : line;
    kept.push(plain);
    if (kept.length > 2 * most.lines) kept = kept.slice(-most.lines);
    tell(plain);
  };
  return {
    async read(stream) {
      let begun = '';
      for await (const chunk of stream.setEncoding('utf8')) {
        const pieces = String(chunk).split('\n');
        const last = pieces.pop() ?? '';
        for (const piece of pieces) {
          add(`${begun}${piece}`.slice(0, most.line));
          begun = '';
        }
        // Of a line that does not end its beginning is kept.
        if (begun.length < most.line) begun = `${begun}${last}`.slice(0, most.line);
      }
      if (begun !== '') add(begun);
    },
    lines: () => kept.slice(-most.lines),
  };
}
