// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the braces belong to the shell
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { shellWord } from '../shell-word.js';
import { seed } from '../testing/law.js';
import { parseProfile } from './parse.js';

const folder = mkdtempSync(join(tmpdir(), 'mcprt-laws-'));
afterAll(() => rmSync(folder, { recursive: true }));
const environment = { HOME: '/home/me' };

/** What profiles are made of. No command is in it: what is taken for one would have to be found first. */
const piece = fc.constantFrom(
  ...['a', 'B', '7', '_', '.', '/', '-', '*', '?', '[', ']', '{', '}', '!', '%', '^', '@', ',', 'é', '漢'],
  ...[' ', '\t', '\\', "'", '"', '$', '#', ';', '~', ':', '=', '\n', '\\\n', "'", '"', '  '],
  ...['$A', '${A}', '$B.', '${B:-x}', '${C-y}', '${A:-"q r"}', '~/', ':~', "'b c'", '"d $A"', '\\"', '\\$', '$HOME'],
);
const names = ['A', 'B', 'C', 'D_1'];
const value = fc.array(piece, { maxLength: 7 }).map((pieces) => pieces.join(''));
const start = fc.constantFrom('', 'export ', '  ', 'export\t', 'A=1 ', 'export A=2 ', 'export A=3 B=$A ', '# ');
const line = fc
  .tuple(start, fc.constantFrom(...names), value, fc.constantFrom('', ' # b', ';', ' '))
  .map(([before, name, text, end]) => `${before}${name}=${text}${end}`);
/** A semicolon behind nothing is a fault to a shell, and is passed over here. */
const emptyStatement = /(?:^|[;\n])(?:[ \t]|\\\n)*;/;
const profile = fc
  .array(line, { minLength: 1, maxLength: 4 })
  .map((lines) => `${lines.join('\n')}\n`)
  .filter((text) => !emptyStatement.test(text));

/** What was found so, and was read in another way here. */
const found = ['A=0\nexport A=1 B=$A\n', 'A=0\nexport A=1 A B=${A}\n', 'A=\\\n~/x\n'];

/** What a real shell makes of many texts, in one process: for each its variables, or undefined where it finds a fault. */
function sourced(texts: readonly string[]): (Record<string, string> | undefined)[] {
  for (const [index, text] of texts.entries()) writeFileSync(join(folder, `${index}.env`), text);
  const script = [
    'for file in $(seq 0 $(($1 - 1))); do',
    // An empty PATH after the loop's own words: nothing that a text could name is found.
    `  ( PATH=; set -a; . "./$file.env" || printf "FAULT=1\\\\0"; for name in ${names.join(' ')}; do`,
    '    if [ -n "${!name+x}" ]; then printf "%s=%s\\0" "$name" "${!name}"; fi; done ) 2>/dev/null; printf "\\0"',
    'done',
  ].join('\n');
  const shell = spawnSync('bash', ['--norc', '-c', script, 'bash', String(texts.length)], {
    cwd: folder,
    env: { ...environment, PATH: process.env.PATH, LC_ALL: 'C.UTF-8' },
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  const all: (Record<string, string> | undefined)[] = [];
  let own: Record<string, string> = {};
  for (const entry of shell.stdout.split('\0').slice(0, -1)) {
    if (entry !== '') own[entry.slice(0, entry.indexOf('='))] = entry.slice(entry.indexOf('=') + 1);
    else {
      all.push('FAULT' in own ? undefined : own);
      own = {};
    }
  }
  return all;
}

describe(`profiles as a real shell reads them (seed ${seed})`, () => {
  it('a text without a fault has the values that bash has', () => {
    const texts = [...found, ...fc.sample(profile, { seed, numRuns: 1_500 })];
    const sound = texts.flatMap((text) => {
      const { assignments, findings } = parseProfile(text, environment);
      if (findings.some(({ severity }) => severity === 'error')) return [];
      const own = [...assignments].filter(([name]) => names.includes(name));
      return [{ text, values: Object.fromEntries(own.map(([name, one]) => [name, one.value])) }];
    });
    // Most of what is made so has a fault; a law that is tried on nothing holds.
    expect(sound.length).toBeGreaterThan(150);
    const real = sourced(sound.map(({ text }) => text));
    const told = sound.map(({ text, values }, index) => ({ text, values, real: real[index] }));
    expect(told.filter(({ values, real }) => !isDeepStrictEqual(values, real))).toEqual([]);
  });

  it.each([
    ['arithmetic of bash', 'A=$[1]'],
    ['the word before', 'A=$_'],
    ['the word before, in braces', 'A=${_}'],
    ['a variable on two lines', 'A=$HO\\\nME'],
    ['a dollar and its name on two lines', 'A=$\\\nHOME'],
    ['a dollar and its braces on two lines', 'A=$\\\n{HOME}'],
  ])('what cannot be known here is a fault: %s', (_, text) => {
    const { assignments, findings } = parseProfile(`${text}\n`, environment);
    expect([assignments.size, findings.map(({ code, line }) => [code, line])]).toEqual([0, [['profile-expansion', 1]]]);
  });

  it('a word that is quoted for a shell comes back from one, and from here', () => {
    const words = fc.sample(
      fc.string({ unit: 'binary', maxLength: 30 }).filter((word) => !/[\0\n\r]|\p{Surrogate}/u.test(word)),
      { seed, numRuns: 300 },
    );
    const texts = words.map((word) => `A=${shellWord(word)}\n`);
    expect(texts.map((text) => parseProfile(text, {}).assignments.get('A')?.value)).toEqual(words);
    expect(sourced(texts).map((values) => values?.A)).toEqual(words);
  });
});
