/** A place in a text; both count from 1, as editors do. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Reads a text from front to back and always knows on which line it stands. */
export class Cursor {
  readonly #text: string;
  #offset = 0;
  #line = 1;
  #lineStart = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get position(): Position {
    return { line: this.#line, column: this.#offset - this.#lineStart + 1 };
  }

  get atEnd(): boolean {
    return this.#offset >= this.#text.length;
  }

  /** The next character, or the one `ahead` of it; empty behind the end. */
  peek(ahead = 0): string {
    return this.#text.charAt(this.#offset + ahead);
  }

  /** Consumes the next `count` characters and gives them. */
  take(count = 1): string {
    const taken = this.#text.slice(this.#offset, this.#offset + count);
    for (const character of taken) {
      this.#offset += character.length;
      if (character === '\n') {
        this.#line += 1;
        this.#lineStart = this.#offset;
      }
    }
    return taken;
  }

  /** What a sticky pattern matches here, not consumed; undefined when it does not match. */
  lookingAt(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#offset;
    return pattern.exec(this.#text)?.[0];
  }

  /** Consumes what a sticky pattern matches here; undefined, and nothing consumed, when it does not match. */
  takeMatch(pattern: RegExp): string | undefined {
    const found = this.lookingAt(pattern);
    return found === undefined ? undefined : this.take(found.length);
  }
}
