import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { micromark } from 'micromark';
import { gfm, gfmHtml } from 'micromark-extension-gfm';
import { holds, seed } from '../testing/law.js';
import { linearIn } from '../testing/linear.js';
import { fitMarkdown, summaryLimit } from './fit-markdown.js';
import { code, escaped, Markdown } from './markdown.js';

const rendered = (markdown: string): string =>
  micromark(markdown, { allowDangerousHtml: true, extensions: [gfm()], htmlExtensions: [gfmHtml()] });
const count = (html: string, part: string): number => html.split(part).length - 1;
const bytes = (text: string): number => Buffer.byteLength(text);

const rows = (number: number): string[][] =>
  Array.from({ length: number }, (_, index) => [code(`row ${index}`), escaped('é漢🎉 <b>')]);

describe('a summary', () => {
  it('that fits stays as it is', () => {
    const text = new Markdown().heading('é').table(['a', 'b'], rows(3)).text();
    expect(fitMarkdown(text, bytes(text))).toBe(text);
  });

  it('of megabytes is shown in part, with a word about the rest', () => {
    const text = new Markdown().heading('Plan').table(['a', 'b'], rows(70_000)).line('END').text();
    expect(bytes(text)).toBeGreaterThan(2_000_000);
    const cut = fitMarkdown(text, summaryLimit);
    expect(bytes(cut)).toBeLessThanOrEqual(summaryLimit);
    expect(bytes(cut)).toBeGreaterThan(summaryLimit - 200);
    const [, left = ''] = /and (\d+) more lines were left out/.exec(cut) ?? [];
    expect(Number(left) + count(cut, 'row ')).toBe(70_000 + 2);
    expect(cut).toContain('output `result`');
  });

  it.each([
    ['a fold', new Markdown().details('all', new Markdown().table(['a', 'b'], rows(500))), '</details>'],
    [
      'a fold in a fold',
      new Markdown().details('all', new Markdown().details('some', new Markdown().list(['x'.repeat(1_500), 'y']))),
      '</details>\n\n</details>',
    ],
    ['a block of code', new Markdown().line(`~~~text\n${'| --- |\n'.repeat(500)}~~~`), '~~~'],
  ])('is closed where it is cut within %s', (_, markdown, end) => {
    const cut = fitMarkdown(markdown.text(), 1_000);
    expect(bytes(cut)).toBeLessThanOrEqual(1_000);
    expect(cut.split('\n\n…shortened')[0]?.endsWith(end)).toBe(true);
  });

  it('has no head of a table without a row', () => {
    const text = new Markdown()
      .line('first')
      .table(['a', 'b'], [['x'.repeat(600), 'y']])
      .text();
    expect(fitMarkdown(text, 400).split('\n')[2]).toMatch(/^…shortened|^$/);
    expect(fitMarkdown(text, 400)).not.toContain('---');
  });

  it('is nothing where not even the word fits', () => {
    expect(fitMarkdown('x'.repeat(2_000), 100)).toBe('');
    expect(fitMarkdown('x', 0)).toBe('');
    expect(fitMarkdown('x', -5)).toBe('');
  });

  it('takes time in proportion to its length', async () => {
    expect(await linearIn((n) => fitMarkdown('<details>x\n</details>\n'.repeat(n), 12 * n), 1_000)).toBe(true);
    expect(await linearIn((n) => fitMarkdown('| a |\n'.repeat(n), 5 * n), 4_000)).toBe(true);
  });
});

describe(`any summary (seed ${seed})`, () => {
  const text = fc.string({ unit: fc.constantFrom(...'`|\\<>&[]*_~# \n-ab1é漢🎉'), maxLength: 30 });
  const table = fc.array(fc.tuple(text, text), { minLength: 1, maxLength: 12 });
  type Part = (markdown: Markdown) => Markdown;
  const flat: fc.Arbitrary<Part> = fc.oneof(
    text.map(
      (one): Part =>
        (to) =>
          to.line(escaped(`x${one}`)),
    ),
    text.map(
      (one): Part =>
        (to) =>
          to.heading(`x${one}`),
    ),
    fc.array(text, { minLength: 1, maxLength: 8 }).map(
      (items): Part =>
        (to) =>
          to.list(items),
    ),
    table.map(
      (all): Part =>
        (to) =>
          to.table(
            ['one', 'two'],
            all.map(([a, b]) => [code(a), escaped(b)]),
          ),
    ),
  );
  const built = (parts: readonly Part[]): Markdown => {
    const markdown = new Markdown();
    for (const part of parts) part(markdown);
    return markdown;
  };
  const part = fc.oneof(
    { arbitrary: flat, weight: 3 },
    fc.tuple(text, fc.array(flat, { maxLength: 4 })).map(
      ([title, inner]): Part =>
        (to) =>
          to.details(title, built(inner)),
    ),
  );

  it('is never above the limit, and always well-formed', () => {
    holds(
      fc.property(fc.array(part, { maxLength: 8 }), fc.integer({ min: 0, max: 2_500 }), (parts, most) => {
        const whole = built(parts).text();
        const cut = fitMarkdown(whole, most);
        expect(bytes(cut)).toBeLessThanOrEqual(most);
        expect(cut.isWellFormed()).toBe(true);
        if (cut === whole || cut === '') return;
        expect(cut).toContain('…shortened: ');
        const html = rendered(cut);
        expect(count(html, '<details>')).toBe(count(html, '</details>'));
        expect(count(html, '<summary>')).toBe(count(html, '<details>'));
        expect(count(html, '<td>')).toBe(2 * (count(html, '<tr>') - count(html, '<table>')));
        expect(count(html, '<th>')).toBe(2 * count(html, '<table>'));
        expect(html).toMatch(/<p>…shortened: [^<]*<code>result<\/code>[^<]*<\/p>\s*$/);
        const kept = (cut.split('\n\n…shortened')[0] ?? '').replace(/(?:\n\n<\/details>)+$/, '');
        expect(whole.startsWith(kept)).toBe(true);
      }),
      300,
    );
  });
});
