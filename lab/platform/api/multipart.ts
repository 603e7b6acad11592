/** One part of a form. Its bytes are read before the next part is asked for; what is left of them is skipped. */
export interface Part {
  name: string;
  isFile: boolean;
  bytes: AsyncIterable<Buffer>;
}

/** A body that is no form, or ends too early. */
export class FormError extends Error {}

const lineEnd = Buffer.from('\r\n');
const headEnd = Buffer.from('\r\n\r\n');
const longestHead = 16 * 1024;

/** Where a form's parts begin and end, from the header `content-type`; undefined when it is no form's. */
export function boundaryOf(contentType: string): string | undefined {
  const [, quoted, plain] = /^multipart\/form-data\s*;.*boundary=(?:"([^"]+)"|([^\s;]+))/i.exec(contentType) ?? [];
  return quoted ?? plain;
}

/** The parts of a form as they come in; nothing is kept of a part that is read. @throws FormError */
export async function* partsOf(source: AsyncIterable<Buffer>, boundary: string): AsyncGenerator<Part> {
  const reader = new Reader(source);
  const delimiter = Buffer.from(`\r\n--${boundary}`);
  reader.unread(lineEnd);
  for await (const _ of reader.until(delimiter));
  for (;;) {
    const end = await reader.take(2);
    if (end.toString() === '--') return;
    if (!end.equals(lineEnd)) throw new FormError('no line end after the boundary');
    const head: Buffer[] = [];
    let size = 0;
    // A part without any header begins with the empty line.
    reader.unread(lineEnd);
    for await (const piece of reader.until(headEnd)) {
      size += piece.length;
      if (size > longestHead) throw new FormError('the head of a part is too long');
      head.push(piece);
    }
    const disposition = /^content-disposition:(.*)$/im.exec(Buffer.concat(head).toString('utf8'))?.[1] ?? '';
    const bytes = reader.until(delimiter);
    yield { name: /\bname="([^"]*)"/.exec(disposition)?.[1] ?? '', isFile: /\bfilename="/.test(disposition), bytes };
    for await (const _ of bytes);
  }
}

/** Bytes of a stream, with what was read too far. */
class Reader {
  readonly #source: AsyncIterator<Buffer>;
  #kept = Buffer.alloc(0);

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  unread(bytes: Buffer): void {
    this.#kept = Buffer.concat([bytes, this.#kept]);
  }

  async take(count: number): Promise<Buffer> {
    while (this.#kept.length < count) await this.#more();
    const taken = this.#kept.subarray(0, count);
    this.#kept = this.#kept.subarray(count);
    return taken;
  }

  /** Everything before a mark; the mark itself is read as well. */
  async *until(mark: Buffer): AsyncGenerator<Buffer> {
    for (;;) {
      const at = this.#kept.indexOf(mark);
      if (at >= 0) {
        const found = this.#kept.subarray(0, at);
        this.#kept = this.#kept.subarray(at + mark.length);
        if (found.length > 0) yield found;
        return;
      }
      // The mark may have begun in the last bytes.
      const safe = this.#kept.length - mark.length + 1;
      if (safe > 0) {
        const found = this.#kept.subarray(0, safe);
        this.#kept = this.#kept.subarray(safe);
        yield found;
      }
      await this.#more();
    }
  }

  async #more(): Promise<void> {
    const { done, value } = await this.#source.next();
    if (done) throw new FormError('the form ends too early');
    this.#kept = Buffer.concat([this.#kept, value]);
  }
}
