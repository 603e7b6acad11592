import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { root } from '../lab/driver/folders.js';
import { layOut } from './site/layout.js';
import { deadLinks } from './site/links.js';
import { addressOf, menu, readSources, wayToRoot } from './site/pages.js';
import { renderPage, titleOf } from './site/render.js';
import { makeSearch } from './site/search.js';

const git = async (...words: string[]): Promise<string[]> =>
  (await promisify(execFile)('git', words, { cwd: root })).stdout.split('\n').filter((line) => line !== '');

const sources = await readSources();
const site = { sources: new Set(sources), repository: 'https://github.com/org/mcprt' };
const texts = new Map<string, string>();
for (const source of sources) texts.set(source, await readFile(join(root, source), 'utf8'));
const titles = new Map([...texts].map(([source, text]) => [source, titleOf(text)]));
const rendered = new Map([...texts].map(([source, text]) => [source, renderPage(source, text, site)]));

describe('the site', () => {
  it('has every page of the repository, each with a title', async () => {
    const all = await git('ls-files', '--cached', '--others', '--exclude-standard', '*.md');
    expect([...sources].sort()).toEqual(all.filter((file) => !file.startsWith('.github/')).sort());
    expect([...titles].filter(([, title]) => title === '')).toEqual([]);
  });

  it('has no link that leads to nothing', async () => {
    const pages = [...rendered].map(([source, page]) => ({
      address: addressOf(source),
      html: layOut(source, page, menu, titles).replace(/^.*\/assets\/.*$|^.*"assets\/.*$/gm, ''),
    }));
    const pictures = await git('ls-files', '--cached', '--others', '--exclude-standard', 'docs/*.png', 'docs/*.svg');
    expect(deadLinks(pages, new Set(pictures))).toEqual([]);
  });

  it('shows every picture that is kept', async () => {
    const pictures = await git('ls-files', '--cached', '--others', '--exclude-standard', 'docs/*.png', 'docs/*.svg');
    const shown = [...texts.values()].join('\n');
    expect(pictures.filter((file) => existsSync(join(root, file)) && !shown.includes(basename(file)))).toEqual([]);
  });

  it('says which links lead to nothing', () => {
    const html = '<h1 id="top">x</h1><a href="other.html#gone">1</a><a href="#top">2</a><a href="none.html">3</a>';
    const pages = [
      { address: 'docs/a.html', html: `${html}<img src="../b.png"><a href="https://example.com/x">4</a>` },
      { address: 'docs/other.html', html: '<a href="a.html#top">5</a><a href="../docs/a.html#bottom">6</a>' },
    ];
    expect(deadLinks(pages, new Set(['b.png']))).toEqual([
      'docs/a.html: other.html#gone',
      'docs/a.html: none.html',
      'docs/other.html: ../docs/a.html#bottom',
    ]);
  });
});

describe('what the product tells people to read', () => {
  const anchorsOf = (source: string): string[] =>
    [...(rendered.get(source)?.html ?? '').matchAll(/\sid="([^"]+)"/g)].map(([, id = '']) => id);
  const isThere = (file: string, anchor: string): boolean =>
    existsSync(join(root, file)) && (anchor === '' || anchorsOf(file).includes(anchor));
  const pagesIn = (text: string): [file: string, anchor: string][] =>
    [...text.matchAll(/(?<![\w./-])((?:docs|examples)\/[\w/.-]+\.(?:md|json|yml|yaml))(?:#([\w-]+))?/g)].map(
      ([, file = '', anchor = '']) => [file, anchor],
    );

  it('is there, anchors included', async () => {
    const own = ['action-*/*', 'cli', 'init', 'shared', 'lab/drill', '.github', 'examples'];
    const files = (await git('ls-files', ...own)).filter((file) => /\.(?:ts|ya?ml|md)$/.test(file));
    const told: string[] = [];
    const dead: string[] = [];
    for (const file of files.filter((name) => !/\.test\.ts$|\/testing\//.test(name))) {
      for (const [page, anchor] of pagesIn(await readFile(join(root, file), 'utf8'))) {
        told.push(page);
        if (!isThere(page, anchor)) dead.push(`${file}: ${page}${anchor && `#${anchor}`}`);
      }
    }
    expect(told.length).toBeGreaterThan(15);
    expect(dead).toEqual([]);
  });

  it.each([
    ['docs/gone.md', false],
    ['docs/keys.md', true],
    ['docs/keys.md#gone', false],
    ['docs/troubleshooting.md#pod-crash-loop', true],
  ])('is looked up: %s', (text, wanted) => {
    expect(pagesIn(`next: see ${text}.`).map(([file, anchor]) => isThere(file, anchor))).toEqual([wanted]);
  });
});

describe('a page', () => {
  const page = (markdown: string, source = 'docs/faq.md') => renderPage(source, markdown, site);

  it('has GitHub’s anchors, and one for each of two equal headings', () => {
    const { html } = page('# A\n\n## `image-pull`\n\n## What now?\n\n## What now?\n');
    expect([...html.matchAll(/<h\d id="([^"]*)"/g)].map(([, id]) => id)).toEqual([
      'a',
      'image-pull',
      'what-now',
      'what-now-1',
    ]);
  });

  it.each([
    ['another page', 'keys.md#a-key-was-leaked-or-lost-what-now', 'keys.html#a-key-was-leaked-or-lost-what-now'],
    ['a page elsewhere', '../action-backup/README.md', '../action-backup/index.html'],
    ['the page of a folder', 'decisions', 'decisions/index.html'],
    ['a file', '../examples/backup.yml', 'https://github.com/org/mcprt/blob/main/examples/backup.yml'],
    ['a folder', '../examples', 'https://github.com/org/mcprt/tree/main/examples'],
    ['itself', '#there', '#there'],
    ['the web', 'https://example.com', 'https://example.com'],
  ])('leads to %s', (_, from, to) => {
    expect(page(`[x](${from})`).html).toContain(`<a href="${to}">`);
  });

  it.each(['gone.md', '../../etc/passwd'])('is not made with a link to %s', (href) => {
    expect(() => page(`[x](${href})`)).toThrow('docs/faq.md leads to');
  });

  it('keeps what is code to GitHub as it is', () => {
    const code = `\${{ secrets.KEY }}`;
    expect(page(`\`${code}\``).html).toContain(code);
  });

  it('is found heading by heading, by its words', () => {
    const { sections } = page('# Title\n\nFirst `code`.\n\n## Two\n\n| a | b |\n| --- | --- |\n| c | [d](keys.md) |\n');
    expect(sections).toEqual([
      { id: 'docs/faq.html', page: 'Title', heading: '', text: 'First code.' },
      { id: 'docs/faq.html#two', page: 'Title', heading: 'Two', text: 'a b c d' },
    ]);
  });
});

it.each([
  ['index.html', ''],
  ['docs/faq.html', '../'],
  ['docs/decisions/index.html', '../../'],
])('%s is %s below the root', (address, way) => {
  expect(wayToRoot(address)).toBe(way);
});

describe('the search', () => {
  const find = makeSearch([
    { id: 'a.html', page: 'Keys', heading: '', text: 'Where they are.' },
    { id: 'a.html#change', page: 'Keys', heading: 'Change them', text: 'Rotate a restored key.' },
    { id: 'b.html', page: 'Other', heading: '', text: 'What a key is, and how.' },
  ]);
  const pages = (query: string): string[] => find(query).map(({ page }) => page);

  it('gives each page once, the title before the text', () => {
    expect(pages('keys')).toEqual(['Keys', 'Other']);
    expect(find('change')[0]?.sections.map(({ id }) => id)).toEqual(['a.html#change']);
  });

  it.each(['rotating', 'restore', 'rot', 'rotaet'])('finds other forms, beginnings and slips: %s', (query) => {
    expect(pages(query)).toEqual(query === 'rot' ? [] : ['Keys']);
  });

  it('asks for no word that every question has', () => {
    expect(pages('what is how')).toEqual([]);
  });
});
