import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { linearIn } from '../testing/linear.js';
import { hidden, hide, mask } from './mask.js';

const secret = 'p&ss "wörd"/with\\odd%25 <chars>_1';
const lines = ['first line of 123 a secret', 'second, with a "quote"'];

describe('what this process knows to be secret', () => {
  const told: string[] = [];
  let write: jest.SpiedFunction<typeof process.stdout.write>;
  beforeAll(() => {
    write = jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
      told.push(String(text));
      return true;
    });
    mask(secret);
    mask(lines.join('\r\n'));
    mask('short');
    mask('seven77');
  });
  afterAll(() => write.mockRestore());

  it('is told to the runner once, line by line', () => {
    mask(secret);
    const masks = told.filter((line) => line.startsWith('::add-mask::'));
    expect(masks).toHaveLength(4);
    expect(masks.join('')).not.toContain('short');
  });

  it('is hidden in every way of writing', () => {
    const ways: ((text: string) => string)[] = [
      (text) => text,
      (text) => JSON.stringify({ text }),
      (text) => JSON.stringify(JSON.stringify(text)).slice(2, -2),
      encodeURIComponent,
      (text) => encodeURIComponent(text).toLowerCase(),
      (text) => `%${Buffer.from(text).toString('hex').match(/../g)?.join('%')}`,
      (text) => text.replace(/[!-/:-@[-`{-~]/g, '\\$&'),
      (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;'),
      (text) => text.replace(/[^a-z]/gu, (one) => `&#${one.codePointAt(0)};`),
      (text) => [...text].map((one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`).join(''),
      ...['', 'x', 'xy'].flatMap((before) =>
        (['base64', 'base64url', 'hex'] as const).map(
          (form) => (text: string) => Buffer.from(before + text).toString(form),
        ),
      ),
    ];
    for (const way of ways) {
      for (const one of [secret, 'seven77', ...lines, lines.join('\n')]) {
        const text = `before ${way(one)} after`;
        expect(hide(text)).not.toBe(text);
        expect(hide(text)).toMatch(/^before .{0,20}\*\*\*[\s\S]*after$/);
      }
    }
    expect(hide('an ordinary text, base64 b3JkaW5hcnk= and %20')).toBe('an ordinary text, base64 b3JkaW5hcnk= and %20');
  });

  it.each(['mcprt-restore-key-1.', 'mcprt-backup-key-1.', 'AGE-SECRET-KEY-1', 'AGE-SECRET-KEY-PQ-1'])(
    'is what follows %s, with which all such keys begin',
    (start) => {
      const key = `${start}Q0JBUVRZ-of-${start.length}-characters`;
      mask(start);
      mask(key);
      expect(hide(`it is not one line that starts with ${start}, as ${key} does; or ${key.slice(0, -3)}`)).toBe(
        `it is not one line that starts with ${start}, as ${start}*** does; or ${start}***`,
      );
    },
  );

  it('is hidden where a message was cut in it', () => {
    expect(hide(`it says: ${secret.slice(0, 20)}`)).toBe('it says: ***');
  });

  it('is hidden in untyped data, wherever a text is', () => {
    expect(hidden({ a: [secret, 1, null], b: { c: `x ${secret}` } })).toEqual({
      a: ['***', 1, null],
      b: { c: 'x ***' },
    });
  });

  it('takes time in proportion to the text, whatever that is made of', async () => {
    for (const piece of ['first ', '\\', '%41', '&amp;', 'AAAA', 'p&ss "wörd"/wit', secret]) {
      expect(await linearIn((n) => hide(piece.repeat(n)), 4_000)).toBe(true);
    }
  });
});
