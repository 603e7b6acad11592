import { describe, expect, it } from '@jest/globals';
import { micromark } from 'micromark';
import { gfm, gfmHtml } from 'micromark-extension-gfm';
import { seeded, seedOf } from '../../proofs/random.js';
import { code, escaped, Markdown, narrowCode, withCode } from './markdown.js';

/** What text from outside is made of, when somebody means it ill. */
const pieces = [
  ...'\\`*_{}[]<>|#~!()^$&@:;="\'+-./ ',
  ...['\n', '\r', '\r\n', '\u0085', '\u2028', '\u2029', '\v', '\f', '\t', '\0', '\u001b[31m', '\u202e', '\ud800'],
  ...[
    '@alice',
    '@acme/team',
    'a@b.example',
    'https://evil.example/x',
    'www.evil.example',
    'HTTP://EVIL.EXAMPLE',
    '#12',
  ],
  ...[
    'acme/x#1',
    'GH-3',
    ':tada:',
    '[x](https://evil.example)',
    '![x](https://evil.example/p.png)',
    '<img src=x>',
    '&commat;bob',
  ],
  ...[
    '&#64;carol',
    '&lt;b&gt;',
    '<https://evil.example>',
    '```',
    '~~~',
    '``',
    '---',
    '===',
    '- ',
    '1. ',
    '2) ',
    '> ',
    '    ',
    '| - |',
  ],
  ...[
    '<!-- ',
    '-->',
    '</summary>',
    '</details>',
    '<script>',
    '[^1]',
    '[^1]: x',
    '[a]: https://evil.example',
    '- [ ] ',
    '<br>',
  ],
  ...['word', 'mcp_user', 'name-1', 'a.b', '5', '漢字', '🎉', '\\', '\\|'],
];
const random = seeded(seedOf(process.env));
const foreign = (): string =>
  Array.from({ length: 1 + random.below(12) }, () => pieces[random.below(pieces.length)]).join('');

function rendered(markdown: string): string {
  return micromark(markdown, { allowDangerousHtml: true, extensions: [gfm()], htmlExtensions: [gfmHtml()] });
}

/** What GitHub makes mentions, references, formulas and emoji of: text that is not in code. */
function outsideOfCode(html: string): string {
  return html
    .replace(/<code>[^<]*<\/code>/g, '\u2022')
    .replace(/<[^>]*>/g, '\u2022')
    .replace(/&#(\d+);/g, (_, point: string) => String.fromCodePoint(Number(point)));
}

/** A document with a foreign text in each place that one may have. */
function documentOf(text: string): string {
  return new Markdown()
    .heading(text)
    .line(escaped(text))
    .line(`**${escaped(text)}** ${code(text)}`)
    .list([text, 'item'])
    .table(
      ['a', 'b'],
      [
        [escaped(text), code(text)],
        [withCode(text), `${code(text)}${code('')}`],
      ],
    )
    .details(text, new Markdown().line(withCode(text)))
    .line('END')
    .text();
}

const tagsOf = (html: string): string[] => [...html.matchAll(/<\/?[a-z][a-z0-9]*/g)].map(([tag]) => tag);
const live = /(?:^|[^\p{L}\p{N}_])@[a-z0-9]|:\/\/|www\.|#\d|gh-\d|\$|:(?!\d\d:)[+\w-]+:/iu;

describe('foreign text in Markdown', () => {
  it(`renders nothing of it, wherever it stands (seed ${random.seed})`, () => {
    const usual = new Set([...tagsOf(rendered(documentOf('x'))), '<code', '</code', '<br', '<p', '</p']);
    const shape = (html: string): number[] =>
      ['<td', '<tr', '<li', '<h2', '<details', '<summary', '<strong'].map((tag) => html.split(tag).length - 1);
    for (let count = 0; count < 1_500; count += 1) {
      const text = foreign();
      // Of nothing there is nothing to emphasise.
      if (escaped(text) === '') continue;
      const html = rendered(documentOf(text));
      const told = `${JSON.stringify(text)}\n${html}`;
      expect({ told, odd: tagsOf(html).filter((tag) => !usual.has(tag)) }).toEqual({ told, odd: [] });
      expect({ told, shape: shape(html) }).toEqual({ told, shape: shape(rendered(documentOf('x'))) });
      expect({ told, live: live.exec(outsideOfCode(html))?.[0] }).toEqual({ told, live: undefined });
      expect(html.trimEnd().endsWith('<p>END</p>')).toBe(true);
    }
  });

  it('takes a time for no emoji', () => {
    expect(escaped('wait until 2026-12-02 07:03:44 UTC')).toBe('wait until 2026-12-02 07:03:44 UTC');
    expect(escaped('all :100: or:12:+1:')).toBe('all `:100:` `or:12:+1:`');
  });

  it('shows it as it is', () => {
    for (const text of ['a_b *c* [d](e) <f> #g', '1. x', '- x', '--- y', 'a & b', '50 % (x)', 'C:\\x', '~~x~~']) {
      const html = rendered(escaped(text)).replace(/<\/?(?:p|code)>/g, '');
      expect(
        html
          .replace(/&lt;/g, '<')
          .replace(/&gt;/g, '>')
          .replace(/&amp;/g, '&')
          .replace(/&quot;/g, '"'),
      ).toBe(text);
    }
    expect(escaped('ask @alice at https://a.example')).toBe('ask `@alice` at `https://a.example`');
    expect(code('')).toBe('` `');
  });

  it('has digests and endless words short where it stands beside something', () => {
    const digest = `sha256:${'0'.repeat(64)}`;
    expect(narrowCode('answers 500: {"a":"b","c":[1,2],"d":{"e":3}}, 1,234 times')).toBe(
      '`answers 500: {"a": "b", "c": [1,2], "d": {"e": 3}}, 1,234 times`',
    );
    expect(narrowCode(`pull "images.example.org/a@${digest}" not found`)).toBe(
      '`pull "images.example.org/a@sha256:000000000000…" not found`',
    );
    expect(narrowCode(`${'a'.repeat(60)} ${'b'.repeat(50)}${'c'.repeat(20)}`)).toBe(
      `\`${'a'.repeat(60)} ${'b'.repeat(38)}…${'c'.repeat(20)}\``,
    );
  });

  it('has a limit in each place', () => {
    const long = 'x'.repeat(1_000_000);
    expect(documentOf(long).length).toBeLessThan(30_000);
    expect(new Markdown().list(Array.from({ length: 10_000 }, () => long.slice(0, 100))).text().length).toBeLessThan(
      30_000,
    );
  });
});
