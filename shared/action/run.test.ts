import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { McprtError } from '../errors.js';
import { runAction } from './run.js';

/** Runs an action in a process of its own, as how it ends is what counts. */
function run(operation: string): { code: number | null; printed: string } {
  const module = join(import.meta.dirname, 'run.js');
  const program = `import { runAction } from ${JSON.stringify(module)};\nawait runAction('test', ${operation});`;
  const options = { encoding: 'utf8', env: { PATH: process.env.PATH }, timeout: 20_000 } as const;
  const { status, stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], options);
  return { code: status, printed: stdout };
}

describe('an action', () => {
  it('ends with an error of ours where it waits for what can never come', () => {
    const { code, printed } = run('() => new Promise(() => undefined)');
    expect(code).toBe(1);
    expect(printed).toMatch(/^::error title=test%3A job-stuck::/m);
  });

  it('ends well where all has come', () => {
    expect(run('() => new Promise((resolve) => setTimeout(resolve, 10))')).toEqual({ code: 0, printed: '' });
  });
});

describe('an error', () => {
  afterEach(() => {
    jest.restoreAllMocks();
    process.exitCode = 0;
  });

  it('is told in few words, whoever has written them, and as no command', async () => {
    const printed: string[] = [];
    jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
      printed.push(String(text));
      return true;
    });
    const long = 'x\n::stop-commands::y\n'.repeat(100_000);
    await runAction('test', () => Promise.reject(new McprtError('job-test', { what: long, why: long, next: long })));
    await runAction('test', () => Promise.reject(new Error(long)));
    const log = printed.join('');
    expect(log.length).toBeLessThan(100_000);
    expect(log.split(/[\r\n]/).filter((line) => line.startsWith('::stop'))).toEqual([]);
  });
});
