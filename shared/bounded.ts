/**
 * Reads a stream to its end, and no further than a limit: what stands on the other side may send for ever.
 *
 * @param most in bytes
 * @param tooMuch the error for a stream that has more
 * @throws what `tooMuch` gives, and what the stream throws
 */
export async function readAtMost(
  stream: AsyncIterable<Uint8Array>,
  most: number,
  tooMuch: () => Error,
): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  // Leaving the loop ends the stream.
  for await (const chunk of stream) {
    size += chunk.length;
    if (size > most) throw tooMuch();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

/**
 * The lines of a stream, without their ends, and the last one also where it has none. Linear in what comes.
 *
 * @param most of one line, in characters
 * @param tooMuch the error for a line that is longer
 */
export async function* linesOfStream(
  stream: AsyncIterable<string>,
  most: number,
  tooMuch: () => Error,
): AsyncGenerator<string> {
  let parts: string[] = [];
  let length = 0;
  for await (const chunk of stream) {
    const pieces = chunk.split('\n');
    const last = pieces.pop() ?? '';
    for (const piece of pieces) {
      yield parts.join('') + piece;
      parts = [];
      length = 0;
    }
    parts.push(last);
    length += last.length;
    if (length > most) throw tooMuch();
  }
  if (length > 0) yield parts.join('');
}
