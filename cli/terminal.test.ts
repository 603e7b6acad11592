import { describe, expect, it } from '@jest/globals';
import { phasesGantt } from '../shared/action/gantt.js';
import { code, escaped, Markdown } from '../shared/action/markdown.js';
import { columns } from './table.js';
import { type Paint, rendered } from './terminal.js';

const plain: Paint = (_, text) => text;
const same = (text: string): string => text;
const wide = { paint: plain, width: Number.MAX_SAFE_INTEGER, reword: same };

describe('a summary on a terminal', () => {
  it('is text, in which nothing of Markdown is left', () => {
    const inner = new Markdown().list(['one']);
    const summary = new Markdown()
      .heading('Backup of *example*.com')
      .line(`✅ **2 of ${escaped('<3>')}**, see [the page](docs/x.md)`)
      .table(
        ['Name', 'State'],
        [
          ['a', `${code('x|y')}\nlong`],
          ['bcd', escaped('#1 @me | `q`')],
        ],
      )
      .list(['run `kubectl get pods`', 'a_b_c'])
      .details('What it is <bound> to', inner);
    expect(rendered(`${summary.text()}\n`, wide)).toBe(
      [
        'Backup of *example*.com',
        '',
        '✅ 2 of <3>, see the page',
        '',
        'Name  State',
        '',
        'a     x y',
        '      long',
        '',
        'bcd   #1 @me | `q`',
        '',
        '- run kubectl get pods',
        '- a_b_c',
        '',
        'What it is <bound> to',
        '',
        '- one',
        '',
      ].join('\n'),
    );
  });

  it('is told in the words of its reader, wherever it tells something', () => {
    const reword = (text: string): string => text.replaceAll('`source`', '`--source`');
    const summary = new Markdown()
      .line('**Next:** give `source`')
      .list(['or `source`', '`source`'])
      .table(['Name', 'What to do'], [[code('source'), `${code('source')}\nset \`source\``]]);
    expect(rendered(summary.text(), { ...wide, reword })).toBe(
      [
        'Next: give --source',
        '',
        '- or --source',
        '- source',
        '',
        'Name    What to do',
        '',
        'source  source',
        '        set --source',
        '',
      ].join('\n'),
    );
  });

  it('has no drawings, and no heading of a table without one', () => {
    const summary = new Markdown()
      .line(phasesGantt([{ name: 'apply', from: 0, seconds: 3, endedAt: '' }]))
      .line('```json\n{}\n```')
      .table(['', ''], [['a', 'b']]);
    expect(rendered(summary.text(), wide)).toBe('{}\n\na  b\n');
  });

  it('marks what is strong where there are colours', () => {
    const bold: Paint = (style, text) => `<${style}>${text}</>`;
    expect(rendered('## A\n\nb **c**\n', { ...wide, paint: bold })).toBe('<bold>A</>\n\nb <bold>c</>\n');
  });

  it('is nothing where there is none, and keeps within the lines', () => {
    expect(rendered('', wide)).toBe('');
    const long = `- ${'word '.repeat(30)}\n\n${'word '.repeat(30)}\n`;
    const lines = rendered(long, { ...wide, width: 40 }).split('\n');
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(40);
    expect(lines[1]).toMatch(/^ {2}word/);
  });

  it('may be as long as GitHub takes it', () => {
    const rows = Array.from({ length: 40_000 }, (_, at) => [String(at), `${code('name')}\nmore`]);
    const text = rendered(new Markdown().table(['A', 'B'], rows).text(), { ...wide, width: 80 });
    expect(text.split('\n').length).toBeGreaterThan(80_000);
  });

  it('writes no character that moves the terminal', () => {
    expect(rendered('<summary>&#27;[2J&#65;</summary>\n', wide)).toBe('&#27;[2JA\n');
  });
});

describe('columns', () => {
  it('are as wide as what is in them, whatever its characters are', () => {
    expect(
      columns(
        [
          ['✅', 'b'],
          ['ab', '→'],
          ['e\u0301', 'c'],
        ],
        80,
      ),
    ).toEqual([['✅  b'], ['ab  →'], ['\u00e9   c']]);
  });

  it('give way where there is no room, the widest first', () => {
    const [row = []] = columns([['short', 'x'.repeat(50), 'word '.repeat(20)]], 60);
    expect(row.length).toBeGreaterThan(1);
    expect(row[0]?.startsWith('short  ')).toBe(true);
    expect(Math.max(...row.map(({ length }) => length))).toBeLessThanOrEqual(60);
  });

  it('are none of nothing', () => {
    expect(columns([], 80)).toEqual([]);
  });
});
