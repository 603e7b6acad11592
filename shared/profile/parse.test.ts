// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the braces belong to the shell
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { parseProfile } from './parse.js';

const HOME = '/home/me';

function read(text: string, environment: Record<string, string> = { HOME }) {
  const { assignments, findings } = parseProfile(text, environment);
  return { values: Object.fromEntries([...assignments].map(([name, { value }]) => [name, value])), findings };
}

function faults(text: string) {
  return read(text).findings.map(({ code, line, column, variable }) => [code, line, column, variable]);
}

describe('parseProfile', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mcprt-profile-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  /** The variables that a real shell has after sourcing the text. */
  function sourced(text: string): Record<string, string> {
    const file = join(folder, 'profile.env');
    writeFileSync(file, text);
    const shell = spawnSync('bash', ['--norc', '-c', 'set -a; . "$1"; env -0', 'bash', file], {
      env: { HOME, PATH: process.env.PATH },
      encoding: 'utf8',
    });
    expect(shell.stderr).toBe('');
    const ofTheShell = new Set(['HOME', 'PATH', 'PWD', 'OLDPWD', 'SHLVL', '_']);
    const pairs = shell.stdout.split('\0').filter((pair) => pair !== '');
    const variables = pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]);
    return Object.fromEntries(variables.filter(([name]) => !ofTheShell.has(name ?? '')));
  }

  it.each([
    ['a plain assignment', 'A=1'],
    ['an exported one', 'export A=1'],
    ['several on a line', 'export A=1 B=2; C=3 D=4'],
    ['an export after the fact', 'A=1\nexport A HOME'],
    ['shell options', 'set -a\nA=1\nset +a; set -o allexport # why\nB=2'],
    ['an empty value', 'A=\nB=""\nC=\'\''],
    ['single quotes', 'A=\'a "b" $HOME \\ #c\''],
    ['double quotes', 'A="a \'b\' \\"c\\" \\\\ \\$HOME \\n \\` #d"'],
    ['pieces next to each other', 'A=a"b"\'c\'\\ d$HOME"$HOME"'],
    ['comments', '#!/bin/sh\n  # indented\nA=1 # trailing\nB=a#b\nC=#c\nD=1;# after a semicolon'],
    ['blank lines and indentation', '\n\n  A=1\n\t export\tB=2  \n\n'],
    ['earlier variables', 'A=1\nB=$A.x\nC="${A}2"\nD=\'$A\'\nE=${A}${B}'],
    ['variables of the environment', 'A=${HOME}/x\nB=$HOME'],
    ['home folders', 'A=~/x\nB=~\nC=~/a:~/b:c~\nD="~/x"\nE=a~'],
    ['defaults', 'X=\nA=${NONE:-a}\nB=${X:-b}\nC=${X-c}\nD="${NONE:-a b}"\nE=${A:-$NONE}\nF=${NONE:-}'],
    ['nested defaults', 'A=${NONE:-${NADA:-x}}\nB="${NONE:-"y z"}"\nC=${NONE:-\'a}b\'}'],
    ['a lone dollar', 'A=a$\nB="a$ b"\nC=$.x'],
    ['glob characters', 'A=*.mcpruntime.org\nB=[a]?'],
    ['line continuation', 'A=a\\\nb\nexport \\\n  B=1 \\\n  C=2\nD="x\\\ny"'],
    ['repeated names', 'A=1\nA=${A}2\nB=3\nA=4$A'],
    ['the last line without an end', 'A=1\nB=2'],
    ['other scripts', 'A="grüße 🎉"\nB=名前'],
  ])('agrees with a shell on %s', (_, text) => {
    expect(read(text).values).toEqual(sourced(text));
  });

  it('agrees with a shell on any value, however it is quoted', () => {
    const random = sequence(20260701);
    const alphabet = [...'abz09 \t#=\'"\\$`{}()<>&|;~*?!:/@ü🎉', '\\\n'];
    const pick = (count: number) => Array.from({ length: count }, () => alphabet[random(alphabet.length)]).join('');
    const values = Array.from({ length: 400 }, () => pick(random(12)).replaceAll('\n', ''));
    const quoting = [
      (value: string) => `'${value.replaceAll("'", "'\\''")}'`,
      (value: string) => `"${value.replace(/[\\"$`]/g, '\\$&')}"`,
      (value: string) => value.replace(/[^A-Za-z0-9]/gu, '\\$&'),
      (value: string) =>
        value.replace(/[^A-Za-z0-9]/gu, (character) => (character === "'" ? '"\'"' : `'${character}'`)),
    ];
    const lines = values.map((value, n) => `${n % 3 === 0 ? 'export ' : ''}V${n}=${quoting[n % 4]?.(value)} # ${n}`);
    const text = lines.join('\n');
    const expected = Object.fromEntries(values.map((value, n) => [`V${n}`, value]));
    expect(read(text)).toEqual({ values: expected, findings: [] });
    expect(sourced(text)).toEqual(expected);
    expect(read(lines.join('\r\n')).values).toEqual(expected);
  });

  it('never throws and never runs away, whatever it is given', () => {
    const random = sequence(7);
    const alphabet = [
      'A',
      '=',
      'export ',
      ' ',
      '\n',
      "'",
      '"',
      '$',
      '{',
      '}',
      ':-',
      '\\',
      '`',
      '(',
      '<',
      '~',
      '#',
      ';',
      'set -a',
    ];
    for (let n = 0; n < 3000; n += 1) {
      const text = Array.from({ length: random(20) }, () => alphabet[random(alphabet.length)]).join('');
      const lines = text.split('\n').length;
      for (const finding of read(text).findings) {
        expect(finding.line).toBeGreaterThanOrEqual(1);
        expect(finding.line).toBeLessThanOrEqual(lines);
      }
    }
  });

  it('takes Windows line ends and a byte order mark', () => {
    expect(read('\uFEFFexport A=1\r\nB="x y" # c\r\n\r\nC=a\\\r\nb\r\n')).toEqual({
      values: { A: '1', B: 'x y', C: 'ab' },
      findings: [],
    });
  });

  it('keeps a placeholder as it stands, quoted or not', () => {
    expect(read('A=<google-oauth-client-id>\nB="<your id>"\nC=<your id> # fill in')).toEqual({
      values: { A: '<google-oauth-client-id>', B: '<your id>', C: '<your id>' },
      findings: [],
    });
  });

  it('knows where each assignment stands', () => {
    const { assignments } = parseProfile('# first\nexport A=1 B=2\n\n  C="x\\\ny"\nD=1', {});
    expect([...assignments.values()].map(({ name, line, column }) => [name, line, column])).toEqual([
      ['A', 2, 8],
      ['B', 2, 12],
      ['C', 4, 3],
      ['D', 6, 1],
    ]);
  });

  it.each([
    ['a command', 'OK=1\nexport A=$(whoami)', ['profile-command', 2, 10, 'A']],
    ['a command in backticks', 'A="x`id`"', ['profile-command', 1, 5, 'A']],
    ['arithmetic', 'A=$((1+1))', ['profile-command', 1, 3, 'A']],
    ['a command in a default that is not used', 'B=1\nA=${B:-$(id)}', ['profile-command', 2, 8, 'A']],
    ['an open single quote', "A=1\nB='x # y", ['profile-unterminated-quote', 2, 3, 'B']],
    ['an open double quote', '\n\nB=x"y', ['profile-unterminated-quote', 3, 4, 'B']],
    ['no equals sign', 'export KUBECONFIG /tmp/k3s.yaml', ['profile-missing-equals', 1, 8, undefined]],
    ['blanks around the equals sign', 'A = 1', ['profile-missing-equals', 1, 1, undefined]],
    ['a command line', 'source other.env', ['profile-missing-equals', 1, 1, undefined]],
    ['options and a command', 'set -a && A=1', ['profile-missing-equals', 1, 1, undefined]],
    ['a name with a dash', 'export MY-NAME=1', ['profile-bad-name', 1, 8, undefined]],
    ['a name that begins with a digit', '1A=1', ['profile-bad-name', 1, 1, undefined]],
    ['an appended value', 'A+=1', ['profile-bad-name', 1, 1, undefined]],
    ['a blank after the equals sign', 'A= value', ['profile-loose-text', 1, 4, 'A']],
    ['blanks in a bare value', 'A=My Team', ['profile-loose-text', 1, 6, 'A']],
    ['a known name after a bare value', 'A=x HOME', ['profile-loose-text', 1, 5, 'A']],
    ['a pipe', 'A=x|y', ['profile-shell-syntax', 1, 4, 'A']],
    ['a redirection', 'A=x >y', ['profile-loose-text', 1, 5, 'A']],
    ['a chained command', 'A=1 && B=2', ['profile-loose-text', 1, 5, 'A']],
    ['a parameter of the shell', 'A=pa$$word', ['profile-expansion', 1, 5, 'A']],
    ['another form in braces', 'A=${HOME%/*}', ['profile-expansion', 1, 3, 'A']],
    ['an open brace', 'A=${HOME', ['profile-expansion', 1, 3, 'A']],
    ['an open brace after a default', 'A="${NONE:-x"', ['profile-unterminated-quote', 1, 13, 'A']],
    ['a quote for escapes', "A=$'x'", ['profile-expansion', 1, 3, 'A']],
    ["another user's home", 'A=~root/x', ['profile-expansion', 1, 3, 'A']],
    ['a repeated name', 'A=1\n\nexport A=2', ['profile-duplicate', 3, 8, 'A']],
    ['a variable that nobody set', 'A=$NONE', ['profile-unset-variable', 1, 3, 'A']],
    ['a file that is not UTF-8', 'A\0=\x001\0', ['profile-encoding', 1, 1, undefined]],
  ])('reports %s with its place', (_, text, fault) => {
    expect(faults(text)).toContainEqual(fault);
  });

  it('leaves out a variable with a fault and reads the lines around it', () => {
    const { values, findings } = read('A=1\nB=$(x) y z\nC=$B.c\nD=4');
    expect(values).toEqual({ A: '1', C: '.c', D: '4' });
    expect(findings).toHaveLength(1);
  });

  it('says how to mend a blank after the equals sign', () => {
    expect(read('A= value').findings[0]?.remedy).toBe('Remove the blank after =.');
  });

  it('does not warn about names in a default that is not used', () => {
    expect(read('A=1\nB=${A:-$NONE}').findings).toEqual([]);
  });

  it('takes nothing from what an object inherits', () => {
    expect(read('A=${constructor:-own}').values).toEqual({ A: 'own' });
  });

  it('shows no text of the file in a finding', () => {
    const canary = 'hunter2';
    const lines = [
      `${canary}`,
      `export ${canary} x`,
      `a-${canary}=1`,
      `P='${canary}`,
      `P=$(${canary})`,
      `P= ${canary}`,
    ];
    for (const line of [...lines, `P=~${canary}`, `P=\${HOME#${canary}}`, `P=${canary}|x`]) {
      const { findings } = read(line);
      expect(findings).not.toEqual([]);
      expect(JSON.stringify(findings)).not.toContain(canary);
    }
  });
});

/** Repeatable numbers below a bound (mulberry32), so that a failure can be seen again. */
function sequence(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
  };
}
