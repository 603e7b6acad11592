import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { micromark } from 'micromark';
import { gfm, gfmHtml } from 'micromark-extension-gfm';
import { holds, seed } from '../testing/law.js';
import { code, escaped, Markdown, withCode } from './markdown.js';

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({ unit: fc.constantFrom(...'`|\\<>&[]()*_~#!$@:=-+. \n\r\ta1'), maxLength: 40 }),
);
const rendered = (markdown: string): string =>
  micromark(markdown, { allowDangerousHtml: true, extensions: [gfm()], htmlExtensions: [gfmHtml()] });
const count = (html: string, tag: string): number => html.split(`<${tag}>`).length - 1;

describe(`any text (seed ${seed})`, () => {
  it('is one code span', () => {
    holds(
      fc.property(text, (own) => {
        const html = rendered(`x ${code(own)} y`);
        expect(html).toMatch(/^<p>x <code>[^<]*<\/code> y<\/p>$/);
      }),
      300,
    );
  });

  it('is one cell of one row', () => {
    holds(
      fc.property(text, text, text, (one, two, three) => {
        const cells = [code(one), escaped(two), withCode(three)];
        const html = rendered(new Markdown().table(['a', 'b', 'c'], [cells, ['END', '', '']]).text());
        expect(['table', 'tr', 'th', 'td'].map((tag) => count(html, tag))).toEqual([1, 3, 3, 6]);
        expect(html).toContain('<td>END</td>');
      }),
      300,
    );
  });

  it('is one item of a list', () => {
    holds(
      fc.property(text, (own) => {
        const html = rendered(`${new Markdown().list([own, 'END']).text()}\n\nafter`);
        expect([count(html, 'ul'), count(html, 'li')]).toEqual([1, 2]);
        expect(html).toContain('<li>END</li>');
      }),
      300,
    );
  });
});
