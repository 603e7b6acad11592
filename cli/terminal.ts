import { Lexer, lexer, type Token, type Tokens } from 'marked';
import wrapAnsi from 'wrap-ansi';
import { columns } from './table.js';

/** How a piece of text is made to stand out. */
export type Paint = (style: 'bold' | 'dim' | 'red' | 'yellow', text: string) => string;

export interface Terminal {
  paint: Paint;
  /** Characters in a line; no limit where nobody looks at one. */
  width: number;
  /** A text of an action in the words of whoever reads it here. */
  reword: (text: string) => string;
}

/** A job summary as plain text: what it has of Markdown becomes lines, columns and emphasis. */
export function rendered(markdown: string, terminal: Terminal): string {
  const blocks = lexer(markdown).flatMap((token) => block(token as Token, terminal));
  return blocks.length === 0 ? '' : `${blocks.join('\n\n')}\n`;
}

function block(token: Token, terminal: Terminal): string[] {
  const { paint, width } = terminal;
  switch (token.type) {
    case 'space':
      return [];
    case 'heading':
      return [paint('bold', inline(token.tokens, terminal))];
    case 'paragraph':
      return [wrapped(textOf(token as Tokens.Paragraph, terminal), width)];
    case 'list': {
      const items = (token as Tokens.List).items.map((item) => {
        const text = item.tokens.flatMap((one) =>
          'tokens' in one && one.tokens ? [textOf(one as Tokens.Text, terminal)] : block(one, terminal),
        );
        return `- ${wrapped(text.join('\n'), width - 2).replaceAll('\n', '\n  ')}`;
      });
      return [items.join('\n')];
    }
    case 'table':
      return [table(token as Tokens.Table, terminal)];
    case 'code':
      // A drawing is nothing without whoever draws it.
      return token.lang === 'mermaid' ? [] : [token.text];
    case 'html': {
      // Of HTML a summary has folds, whose title is a text and whose inside is Markdown.
      const text = plain(token.text).trim();
      return text === '' ? [] : [paint('bold', text)];
    }
    default:
      return [token.raw.trim()];
  }
}

function table({ header, rows }: Tokens.Table, terminal: Terminal): string {
  const cells = [header, ...rows].map((row) => row.map((cell) => textOf(cell, terminal)));
  const [head = [], ...body] = columns(cells, terminal.width);
  // Rows of several lines are told apart by an empty one.
  const isTall = body.some((row) => row.length > 1);
  const title = head.map((line) => terminal.paint('bold', line)).join('\n');
  const hasTitle = header.some(({ text }) => text !== '');
  return [...(hasTitle ? [title] : []), ...body.map((row) => row.join('\n'))].join(isTall ? '\n\n' : '\n');
}

/** Text of a paragraph, an item or a cell, in the words of whoever reads it. */
function textOf({ text, tokens }: { text: string; tokens?: Token[] }, terminal: Terminal): string {
  const told = reworded(text, terminal);
  return inline(told === text ? tokens : Lexer.lexInline(told), terminal);
}

/** Where no word stands beside code, it is a name or a value that was seen, and nothing that is to be done. */
function reworded(text: string, { reword }: Terminal): string {
  const isTold = (line: string): boolean => /\p{L}/u.test(line.replace(/`[^`]*`/g, ''));
  return text
    .split(/(<br>|\n)/)
    .map((line, at) => (at % 2 === 0 && isTold(line) ? reword(line) : line))
    .join('');
}

function inline(tokens: readonly Token[] = [], terminal: Terminal): string {
  return tokens.map((token) => piece(token, terminal)).join('');
}

function piece(token: Token, terminal: Terminal): string {
  const { paint } = terminal;
  switch (token.type) {
    case 'strong':
      return paint('bold', inline(token.tokens, terminal));
    case 'codespan':
      return token.text;
    case 'br':
      return '\n';
    case 'html':
      return /^<br\s*\/?>$/i.test(token.text) ? '\n' : '';
    case 'escape':
      return token.text;
    default:
      return 'tokens' in token && token.tokens
        ? inline(token.tokens, terminal)
        : plain(String('text' in token ? token.text : token.raw));
  }
}

/** Text without tags, and with the characters that HTML has other names for. */
function plain(text: string): string {
  return text.replace(/<\/?[a-z][^<>]*>/gi, '').replace(/&#(\d{1,7});/g, (one, point: string) => {
    const code = Number(point);
    // Nothing that moves a terminal is written so.
    return code >= 0x20 && code <= 0x10ffff && !(code >= 0x7f && code < 0xa0) ? String.fromCodePoint(code) : one;
  });
}

function wrapped(text: string, width: number): string {
  return wrapAnsi(text, Math.max(20, width), { hard: false, trim: true });
}
