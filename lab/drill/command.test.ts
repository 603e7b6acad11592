import { describe, expect, it } from '@jest/globals';
import { sayInShell } from './command.js';

describe('a text of the drill in a shell', () => {
  it.each([
    [
      'fetch one: `operation: fetch` of action-backup with `directory`',
      'fetch one: `mcprt backup fetch` with `--directory`',
    ],
    ['see `operation: check` of action-setup', 'see `mcprt setup check`'],
    [
      'set `from-repository: local/a b`, or `generation: 3`',
      "set `--from-repository 'local/a b'`, or `--generation 3`",
    ],
    ['the input `restore-key` is empty', 'the input MCPRT_RESTORE_KEY is empty'],
    ['what a drill does not take stays: `max-orders: 2`', 'what a drill does not take stays: `max-orders: 2`'],
  ])('is about its own options, and commands of others: %s', (text, told) => {
    expect(sayInShell(text)).toBe(told);
  });
});
