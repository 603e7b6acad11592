import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parse } from '@babel/parser';
import { describe, expect, it } from '@jest/globals';
import { root } from '../lab/driver/folders.js';

const list = 'docs/words.md';

/** What the table rules out, each with what is said instead. */
async function ruledOut(): Promise<[phrase: string, instead: string][]> {
  const page = await readFile(join(root, list), 'utf8');
  return page
    .split('\n')
    .filter((line) => line.startsWith('| ') && !/^\| (?:We say|---) /.test(line))
    .flatMap((line): [string, string][] => {
      const [, instead = '', not = ''] = line.split('|').map((cell) => cell.trim());
      return not.split(', ').map((phrase) => [phrase, instead]);
    });
}

/** As it is found in a text, over the end of a line as well; a capital letter stands for itself, as of a label. */
function patternOf(phrase: string): RegExp {
  const isLabel = /^[A-Z](?![A-Z])/.test(phrase);
  return new RegExp(`(?<![\\w-])${phrase.replaceAll(' ', '\\s+')}(?![\\w-])`, isLabel ? 'g' : 'gi');
}

async function files(...patterns: string[]): Promise<string[]> {
  const words = ['ls-files', '--cached', '--others', '--exclude-standard', ...patterns];
  const { stdout } = await promisify(execFile)('git', words, { cwd: root });
  return stdout.split('\n').filter((file) => file !== '');
}

/** A page without its code. */
const prose = (markdown: string): string =>
  markdown.replace(/^ *```[\s\S]*?^ *```$/gm, '').replace(/`[^`\n]*`/g, '`…`');

/** The strings of a source, with the lines that they are on; no comment, and no name. */
function strings(source: string): string {
  const { tokens } = parse(source, { sourceType: 'module', plugins: ['typescript'], tokens: true });
  return (tokens ?? [])
    .filter(({ type }: { type: { label?: string } }) => type.label === 'string' || type.label === 'template')
    .map(({ value }: { value: string }) => value)
    .join('\n');
}

/** Every text for people: pages, descriptions and examples, and what the product's sources say. */
async function texts(): Promise<[file: string, text: string][]> {
  const pages = (await files('*.md')).filter((file) => file !== list && !file.startsWith('.github/'));
  const yaml = await files('action-*/action.yml', '.github/workflows/*.yml', '.github/actions/*.yml', 'examples/*.yml');
  const sources = (await files('action-*/src/*.ts', 'cli/*.ts', 'init/*.ts', 'shared/*.ts', 'lab/drill/*.ts')).filter(
    (file) => !/\.test\.ts$|\/testing\//.test(file),
  );
  expect([pages, yaml, sources].map(({ length }) => length > 10)).toEqual([true, true, true]);
  const read = async (names: string[], of: (text: string) => string): Promise<[string, string][]> =>
    Promise.all(names.map(async (file) => [file, of(await readFile(join(root, file), 'utf8'))]));
  return [...(await read(pages, prose)), ...(await read(yaml, (text) => text)), ...(await read(sources, strings))];
}

function found(phrases: readonly [string, string][], all: readonly [string, string][]): string[] {
  return all.flatMap(([file, text]) =>
    phrases.flatMap(([phrase, instead]) =>
      [...text.matchAll(patternOf(phrase))].map(({ 0: word, index }) => {
        const around = text.slice(Math.max(0, index - 30), index + 40).replace(/\s+/g, ' ');
        return `${file}: “${word}”, say “${instead}”: …${around}…`;
      }),
    ),
  );
}

describe('the word list', () => {
  it('holds for every text for people', async () => {
    const phrases = await ruledOut();
    expect(phrases.length).toBeGreaterThan(20);
    expect(found(phrases, await texts())).toEqual([]);
  });

  it.each([
    ['put back', 'it is Put\nback', true],
    ['put back', 'input backup', false],
    ['Together', '| **Together** |', true],
    ['Together', 'both together', false],
  ])('looks for %s in %j', (phrase, text, wanted) => {
    expect(found([[phrase, 'x']], [['a.md', text]]).length === 1).toBe(wanted);
  });

  it('looks at what is said, and not at code and comments', () => {
    expect(strings(`// mend\nconst mend = \`fix \${anew} it\`; f('now');`)).toBe('fix \n it\nnow');
    expect(prose('a `b` c\n```sh\nd\n```\ne')).toBe('a `…` c\n\ne');
  });
});
