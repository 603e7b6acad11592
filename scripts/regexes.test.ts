import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createContext, Script } from 'node:vm';
import { parse } from '@babel/parser';
import { describe, expect, it } from '@jest/globals';
import { isRecord } from '../shared/json.js';

/** The compiled sources, whose regular expressions are those of the bundle. */
const root = join(import.meta.dirname, '..');
const folders = ['shared', 'action-backup', 'action-setup', 'action-rollout', 'action-smoke-test', 'cli', 'init'];
/** What a text may be made of that an expression begins to match again and again. */
const pieces = [
  'a',
  'A',
  '0',
  ' ',
  '\n',
  '-',
  '.',
  '/',
  ':',
  '=',
  '"',
  '_',
  '\\',
  '<',
  '@',
  'a-',
  'a.',
  'a/',
  'a ',
  '[',
  '::',
  '0h',
];
/** In characters, and how long an expression may take over the longer text before it is stopped, in ms. */
const sizes = { small: 4_000, large: 16_000, stop: 300 };

const given = createContext({});
const tests = new Script('expression.test(text)');
const replaces = new Script('text.replace(expression, "")');

interface Found {
  source: string;
  flags: string;
  file: string;
}

function expressionsIn(node: unknown, file: string): Found[] {
  if (Array.isArray(node)) return node.flatMap((one) => expressionsIn(one, file));
  if (!isRecord(node)) return [];
  if (node.type === 'RegExpLiteral') return [{ source: String(node.pattern), flags: String(node.flags), file }];
  return Object.entries(node).flatMap(([name, one]) => (name === 'loc' ? [] : expressionsIn(one, file)));
}

async function expressions(): Promise<Found[]> {
  const files = await Promise.all(
    folders.map(async (folder) => {
      const names = await readdir(join(root, folder), { recursive: true });
      return names.filter((name) => name.endsWith('.js') && !/test/.test(name)).map((name) => join(folder, name));
    }),
  );
  const found = await Promise.all(
    files.flat().map(async (file) => {
      const { program } = parse(await readFile(join(root, file), 'utf8'), { sourceType: 'module' });
      return expressionsIn(program.body, file);
    }),
  );
  return [...new Map(found.flat().map((one) => [`/${one.source}/${one.flags}`, one])).values()];
}

/** What an expression costs over a text, in ms of the processor; infinite where it had to be stopped. */
function time({ source, flags }: Found, text: string): number {
  Object.assign(given, { text, expression: new RegExp(source, flags) });
  const script = flags.includes('g') ? replaces : tests;
  const before = process.cpuUsage();
  try {
    script.runInContext(given, { timeout: sizes.stop });
  } catch {
    return Number.POSITIVE_INFINITY;
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

function isSlow(one: Found): boolean {
  const words = [...one.source.matchAll(/[A-Za-z:" =>-]{2,12}/g)].map(([word]) => word).slice(0, 4);
  return [...pieces, ...words, ...words.map((word) => `${word} `)].some((piece) =>
    ['', words[0] ?? 'x'].some((before) => {
      const textOf = (size: number): string => `${before}${piece.repeat(size)}\u0001!`;
      const least = (size: number): number => Math.min(...[0, 1, 2, 3].map(() => time(one, textOf(size))));
      // What is quick at once is not measured again: most are.
      if (time(one, textOf(sizes.small)) < 3) return false;
      const [small, large] = [least(sizes.small), least(sizes.large)];
      return small === Number.POSITIVE_INFINITY || large > 8 * Math.max(small, 2);
    }),
  );
}

describe('the regular expressions', () => {
  it('take time in proportion to the text, whatever that is', async () => {
    const all = await expressions();
    expect(all.length).toBeGreaterThan(150);
    expect(all.filter(isSlow).map(({ source, file }) => `/${source}/ in ${file}`)).toEqual([]);
  }, 300_000);

  it('are found out where they do not', () => {
    for (const source of ['[ \\t]+$', '(\\d+)([smhd])', '(?:a+)+b', '\\w+@\\w+']) {
      expect(isSlow({ source, flags: source.startsWith('(\\d') ? 'g' : '', file: '' })).toBe(true);
    }
  });
});
