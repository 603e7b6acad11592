import * as core from '@actions/core';

/** GitHub cuts a step's summary at 1 MiB; what does not fit is said to be missing. */
const limit = 1024 * 1024 - 4096;

/** A job summary in the making. Every cell and line is text: what it holds of markup is escaped. */
export class Markdown {
  readonly #parts: string[] = [];

  heading(text: string, level: 2 | 3 = 2): this {
    this.#parts.push(`${'#'.repeat(level)} ${text}`);
    return this;
  }

  /** A line of Markdown; text from outside goes through `escaped` or `code`. */
  line(markdown: string): this {
    this.#parts.push(markdown);
    return this;
  }

  list(items: readonly string[]): this {
    this.#parts.push(items.map((item) => `- ${escaped(item)}`).join('\n'));
    return this;
  }

  /** A table; with no rows, nothing. Cells are Markdown. */
  table(header: readonly string[], rows: readonly (readonly string[])[]): this {
    if (rows.length > 0) {
      const row = (cells: readonly string[]): string =>
        `| ${cells.map((cell) => cell.replace(/\n/g, '<br>')).join(' | ')} |`;
      this.#parts.push([row(header), row(header.map(() => '---')), ...rows.map(row)].join('\n'));
    }
    return this;
  }

  /** Details that are folded away. */
  details(summary: string, inner: Markdown): this {
    this.#parts.push(`<details><summary>${escaped(summary)}</summary>\n\n${inner.text()}\n\n</details>`);
    return this;
  }

  text(): string {
    return this.#parts.join('\n\n');
  }

  /** Appends it to the step's summary, where there is one. */
  async write(): Promise<void> {
    if (!process.env.GITHUB_STEP_SUMMARY) return;
    const whole = `${this.text()}\n`;
    const cut =
      whole.length > limit
        ? `${whole.slice(0, Math.max(whole.lastIndexOf('\n', limit), 0) || limit)}\n\n…shortened: the output \`result\` has all of it.\n`
        : whole;
    await core.summary.addRaw(cut).write();
  }
}

/** Text that shows as it is in a table cell or line. */
export function escaped(text: string): string {
  return text.replace(/[\\`*_{}[\]<>|#]/g, '\\$&').replace(/\n/g, ' ');
}

/** Text as code; a name of a thing. */
export function code(text: string): string {
  return `\`${text.replace(/[`\n|]/g, ' ')}\``;
}
