import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';

/** No input is longer, in bytes; and nobody takes longer to write one, in ms. */
const [longest, within] = [1024 * 1024, 300_000];

/**
 * Reads text that somebody gives: all of it, or nothing.
 *
 * @param path `-` for standard input
 */
export async function readText(path: string, stdin: Readable & { isTTY?: boolean }): Promise<string> {
  // What is typed would be seen, and stay on the screen.
  if (path === '-' && stdin.isTTY === true)
    throw new Error('standard input is a terminal, on which a secret would be shown');
  const stream = path === '-' ? stdin : createReadStream(path);
  const late = setTimeout(() => stream.destroy(new Error(`nothing came to an end within ${within / 1000} s`)), within);
  try {
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of stream) {
      const bytes = Buffer.from(chunk);
      size += bytes.length;
      if (size > longest) throw new Error(`it has more than ${longest} bytes`);
      chunks.push(bytes);
    }
    return Buffer.concat(chunks).toString('utf8');
  } finally {
    clearTimeout(late);
  }
}
