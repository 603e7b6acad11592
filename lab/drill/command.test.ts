import { describe, expect, it, jest } from '@jest/globals';
import { drillCommand, sayInShell } from './command.js';

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
    ['the input `restore-key` is empty', 'MCPRT_RESTORE_KEY is empty'],
    ['what a drill does not take stays: `max-orders: 2`', 'what a drill does not take stays: `max-orders: 2`'],
  ])('is about its own options, and commands of others: %s', (text, told) => {
    expect(sayInShell(text)).toBe(told);
  });
});

describe('the drill as a command', () => {
  it('tells an error in the words of a shell', async () => {
    const { MCPRT_RESTORE_KEY: before, ...rest } = process.env;
    process.env = rest;
    const written = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
    try {
      await drillCommand(['--directory', '/no-such-folder']);
      const text = written.mock.calls.map(([one]) => String(one)).join('');
      expect(text).toContain('drill-usage: there is no restore key');
      expect(text).toContain('as MCPRT_RESTORE_KEY: docs/keys.md');
      expect(process.exitCode).toBe(1);
    } finally {
      written.mockRestore();
      if (before !== undefined) process.env.MCPRT_RESTORE_KEY = before;
      process.exitCode = undefined;
    }
  });
});
