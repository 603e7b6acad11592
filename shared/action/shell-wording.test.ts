import { describe, expect, it } from '@jest/globals';
import { inShellWords, type Offered } from './shell-wording.js';

/** An action that takes some inputs. */
function taking(name: string, operations: string[], inputs: string[]): Offered {
  return {
    name,
    operations,
    option: (input, value) =>
      inputs.includes(input) ? `--${input}${value === undefined ? '' : `=${value}`}` : undefined,
  };
}

const own = taking('setup', ['install', 'plan'], ['source', 's3-endpoint']);
const all = [own, taking('backup', ['list', 'plan'], ['keep', 'source'])];

describe('a text of an action in a shell', () => {
  it.each([
    ['give `source`, or `source: x y`', 'give --source, or --source=x y'],
    ['`s3-endpoint`', '--s3-endpoint'],
    ['`operation: plan`, `operation: list`', '`mcprt setup plan`, `mcprt backup list`'],
    ['`operation: plan` of action-backup', '`mcprt backup plan`'],
    ['`operation: plan` of `action-backup`.', '`mcprt backup plan`.'],
    ['`keep` of action-backup, and `keep`', '--keep of `mcprt backup`, and `keep`'],
    ['set `source` to `a`, `b/c`; then', 'set --source=a --source=b/c; then'],
    ['set `source` to `a`', 'set --source=a'],
    ['set `other` to `a`, `b`', 'set `other` to `a`, `b`'],
    ['the input `source` is empty', '--source is empty'],
    ['the input `other` is empty', 'the input `other` is empty'],
    ['with the same inputs', 'with the same options'],
    ['run action-setup: it, or `action-backup`.', 'run `mcprt setup`: it, or `mcprt backup`.'],
    ['the output `source`, the outputs `source`', 'the output `source`, the outputs `source`'],
    ['`operation: dance`, `source: of: more`', '`operation: dance`, `source: of: more`'],
    ['org/mcprt/action-backup@v1, action-backup/README.md', 'org/mcprt/action-backup@v1, action-backup/README.md'],
    ['action-backups, my-action-backup, action-none', 'action-backups, my-action-backup, action-none'],
    ['`source` is a line’s `source', '--source is a line’s `source'],
  ])('has options, words and commands: %s', (text, told) => {
    expect(inShellWords(text, { own, all })).toBe(told);
  });
});
