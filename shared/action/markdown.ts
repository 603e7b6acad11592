import { stat } from 'node:fs/promises';
import * as core from '@actions/core';
import { fitMarkdown, summaryLimit } from './fit-markdown.js';
import { lineOf } from './log.js';
import { hide } from './mask.js';

/** Of one foreign text no more is shown, in characters, and of one list no more items. */
const longestText = 2_000;
const longestCode = 600;
const longestList = 200;

/** A job summary in the making. Every cell and line is text: what it holds of markup is escaped. */
export class Markdown {
  readonly #parts: string[] = [];

  heading(text: string, level: 2 | 3 = 2): this {
    this.#parts.push(`${'#'.repeat(level)} ${escaped(text)}`);
    return this;
  }

  /** A line of Markdown; text from outside goes through `escaped` or `code`. */
  line(markdown: string): this {
    this.#parts.push(markdown);
    return this;
  }

  /** Items of text, in which commands stand between backquotes. */
  list(items: readonly string[]): this {
    const more = items.length > longestList ? [`- …and ${items.length - longestList} more`] : [];
    this.#parts.push([...items.slice(0, longestList).map((item) => `- ${withCode(item)}`), ...more].join('\n'));
    return this;
  }

  /** A table; with no rows, nothing. Cells are Markdown. */
  table(header: readonly string[], rows: readonly (readonly string[])[]): this {
    if (rows.length > 0) {
      const row = (cells: readonly string[]): string =>
        `| ${cells.map((cell) => cell.replace(/\r\n?|\n/g, '<br>')).join(' | ')} |`;
      this.#parts.push([row(header), row(header.map(() => '---')), ...rows.map(row)].join('\n'));
    }
    return this;
  }

  /** Details that are folded away. */
  details(summary: string, inner: Markdown): this {
    this.#parts.push(`<details><summary>${inHtml(summary)}</summary>\n\n${inner.text()}\n\n</details>`);
    return this;
  }

  text(): string {
    return this.#parts.join('\n\n');
  }

  /** Appends it to the step's summary, where there is one, as far as GitHub takes it. */
  async write(): Promise<void> {
    const path = process.env.GITHUB_STEP_SUMMARY;
    if (!path) return;
    // What this step has written before shares the limit.
    const used = await stat(path).then(
      ({ size }) => size,
      () => 0,
    );
    await core.summary.addRaw(fitMarkdown(`${hide(this.text())}\n`, summaryLimit - used)).write();
  }
}

/**
 * What GitHub makes something of wherever it stands in text: mentions and addresses of mail, links, references to issues,
 * formulas and emoji, of which none has two digits for a name, as a time has. In code it is nothing but characters, and can be copied.
 */
const live = /@|:\/\/|www\.|#\d|gh-\d|\$|:(?!\d\d:)[+\w-]{1,64}:/i;

/** Foreign text that shows as it is in a line, table cell, list or heading: without secrets, on one line, of limited length. */
export function escaped(text: string): string {
  // Blanks at an end would keep emphasis around it from being one.
  return inText(plain(text, longestText).trim());
}

function inText(text: string): string {
  const words = text
    .split(' ')
    .map((word) => (live.test(word) ? span(word) : word.replace(/[!-/:-@[-`{-~]/g, punctuation)));
  // Where a line begins, these would make a list, a rule or a heading.
  return words
    .join(' ')
    .replace(/^(\d{1,9})([.)])/, '$1\\$2')
    .replace(/^[-=]/, '\\$&');
}

/** A foreign name or value as code, on one line and of limited length. */
export function code(text: string): string {
  return span(plain(text, longestCode));
}

/** In characters: a longer word makes a table so wide that its last columns are cut off. */
const widestWord = 60;

/**
 * Code for a cell of a table with several columns: of a digest what tells it from others, JSON with blanks where a line may end, and
 * of other words that are too long to stand beside something their beginning and end.
 */
export function narrowCode(text: string): string {
  const short = plain(text, longestCode)
    .replace(/(sha256:[0-9a-f]{12})[0-9a-f]{52}/g, '$1…')
    .replace(/"[:,](?=["{[\d])|[\]}\d],(?=["{[])/g, '$& ')
    .replace(/[^\s-]+/g, (word) => (word.length > widestWord ? `${word.slice(0, 38)}…${word.slice(-20)}` : word));
  return span(short);
}

/** Text with its commands, which stand between backquotes, kept as code. */
export function withCode(text: string): string {
  return plain(text, longestText)
    .trim()
    .split('`')
    .map((part, index) => (index % 2 === 1 ? span(part) : inText(part)))
    .join('');
}

function plain(text: string, most: number): string {
  // What is cut off may end in half of a secret: it is hidden before.
  return lineOf(hide(text.slice(0, 2 * most)), most).replaceAll('\t', ' ');
}

function span(text: string): string {
  const inner = text.replace(/[`|]/g, ' ');
  // Between backquotes there must be something, or they are no code.
  return `\`${inner === '' ? ' ' : inner}\``;
}

/** Punctuation that is nothing but itself in running text stays: the source of a summary is read as well. */
function punctuation(one: string): string {
  return /[.,;:'"()!?/%=-]/.test(one) ? one : `\\${one}`;
}

/** Text within the tags of HTML, where a backslash escapes nothing. */
function inHtml(text: string): string {
  return plain(text, longestText)
    .split(' ')
    .map((word) => {
      const inner = word.replace(/[^\p{L}\p{N}.,:;–…'-]/gu, (one) => `&#${one.codePointAt(0)};`);
      return live.test(word) ? `<code>${inner}</code>` : inner;
    })
    .join(' ');
}
