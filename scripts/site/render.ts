import { existsSync, statSync } from 'node:fs';
import { join, posix } from 'node:path';
import GithubSlugger from 'github-slugger';
import { Marked, type Token, type Tokens } from 'marked';
import { root } from '../../lab/driver/folders.js';
import { addressOf } from './pages.js';
import type { Section } from './search.js';

/** A page as it was made of its source. */
export interface Rendered {
  title: string;
  html: string;
  /** What is found of it, heading by heading. */
  sections: Section[];
}

/** What a page may need to know of where it will stand. */
export interface Site {
  /** Every page, by its source from the root. */
  sources: ReadonlySet<string>;
  /** Where files are shown that are no pages, as `https://github.com/org/mcprt`. */
  repository: string;
}

/**
 * A page of Markdown as GitHub shows it: the same flavour, the same anchors. Links to other sources lead to their pages, and those to
 * files and folders of the repository to GitHub.
 *
 * @throws where a link leads to nothing
 */
export function renderPage(source: string, markdown: string, site: Site): Rendered {
  const slugger = new GithubSlugger();
  const address = addressOf(source);
  let title = '';
  const sections: Section[] = [];
  const begin = (heading: string, anchor: string): void => {
    sections.push({ id: anchor === '' ? address : `${address}#${anchor}`, page: title, heading, text: '' });
  };
  const marked = new Marked({ gfm: true });
  const tokens = marked.lexer(markdown);
  const anchors = new Map<Token, string>();
  for (const token of tokens) {
    if (token.type !== 'heading') {
      const section = sections.at(-1);
      if (section !== undefined) section.text += `${plainText([token])}\n`;
      continue;
    }
    const heading = plainText(token.tokens ?? []).trim();
    const anchor = slugger.slug(heading);
    anchors.set(token, anchor);
    if (token.depth === 1 && title === '') title = heading;
    begin(token.depth === 1 ? '' : heading, token.depth === 1 ? '' : anchor);
  }
  marked.use({
    renderer: {
      heading(token: Tokens.Heading): string {
        const [anchor, level] = [anchors.get(token) ?? '', `h${token.depth}`];
        const link = ` <a class="anchor" href="#${anchor}" aria-label="Link to this section">#</a>`;
        return `<${level} id="${anchor}">${this.parser.parseInline(token.tokens)}${link}</${level}>\n`;
      },
    },
  });
  void marked.walkTokens(tokens, (token) => {
    if (token.type === 'link') token.href = linkFrom(source, token.href, site);
  });
  // A table that is too wide for a telephone is moved by itself.
  const html = marked
    .parser(tokens)
    .replaceAll('<table>', '<div class="table"><table>')
    .replaceAll('</table>', '</table></div>');
  return { title, html, sections: sections.map((one) => ({ ...one, text: one.text.replace(/\s+/g, ' ').trim() })) };
}

/** The title of a page's source. */
export function titleOf(markdown: string): string {
  return plainText(new Marked().lexer(/^# .*$/m.exec(markdown)?.[0] ?? ''));
}

/** Where a link of a source leads on the site. */
function linkFrom(source: string, href: string, { sources, repository }: Site): string {
  if (/^(?:[a-z]+:|#)/.test(href)) return href;
  const [path = '', anchor] = href.split('#');
  const target = posix.join(posix.dirname(source), path).replace(/\/$/, '');
  const end = anchor === undefined ? '' : `#${anchor}`;
  const page = sources.has(target) ? target : posix.join(target, 'README.md');
  if (sources.has(page)) return `${posix.relative(posix.dirname(addressOf(source)), addressOf(page))}${end}`;
  if (target.startsWith('..') || !existsSync(join(root, target)))
    throw new Error(`${source} leads to ${href}, which is not there`);
  const kind = statSync(join(root, target)).isDirectory() ? 'tree' : 'blob';
  return `${repository}/${kind}/main/${target}${end}`;
}

/** The words of tokens, without marks of any kind. */
function plainText(tokens: readonly Token[]): string {
  return tokens.map(wordsOf).join('');
}

function wordsOf(token: Token): string {
  switch (token.type) {
    case 'table':
      return [token.header, ...token.rows]
        .map((row: Tokens.TableCell[]) => row.map((cell) => plainText(cell.tokens)).join(' '))
        .join('\n');
    case 'list':
      return token.items.map((item: Tokens.ListItem) => `${plainText(item.tokens)}\n`).join('');
    case 'html':
      return '';
    case 'image':
      return token.text;
    case 'space':
    case 'br':
      return '\n';
    default:
      if ('tokens' in token && token.tokens !== undefined) return plainText(token.tokens);
      return 'text' in token ? token.text : '';
  }
}
