import { describe, expect, it } from '@jest/globals';
import { McprtError } from '../shared/errors.js';
import { type Asked, optionsOf, ownOptions, readArguments } from './arguments.js';
import { actions } from './testing/actions.js';

function read(...args: string[]): Asked {
  return readArguments(args, actions);
}

/** What is given, by input. */
function given(...args: string[]): Record<string, unknown> {
  const asked = read(...args);
  return asked.kind === 'run' ? Object.fromEntries(asked.given) : {};
}

function refusal(...args: string[]): McprtError {
  try {
    read(...args);
  } catch (error) {
    if (error instanceof McprtError) return error;
  }
  throw new Error(`not refused: ${args.join(' ')}`);
}

describe('a command line', () => {
  it('has an action and an operation, which may be the usual one', () => {
    expect(read('backup', 'list')).toMatchObject({ kind: 'run', operation: 'list' });
    expect(read('setup')).toMatchObject({ kind: 'run', operation: 'install' });
    expect(read('--json', 'rollout', '--tag', 'x', 'plan')).toMatchObject({ operation: 'plan', own: { json: true } });
  });

  it('gives values behind a blank or an equals sign, also such as begin with a dash, and empty ones', () => {
    const file = { file: '-' };
    expect(given('backup', 'list', '--domain', 'a.b', '--directory=-x', '--restore-key-file', '-')).toEqual({
      domain: { value: 'a.b' },
      directory: { value: '-x' },
      'restore-key': file,
    });
    expect(given('backup', 'list', '--directory', '-x', '--profile=')).toEqual({
      directory: { value: '-x' },
      profile: { value: '' },
    });
    expect(given('setup', '--setup-args', '--further=1', '--setup-args=--more')).toEqual({
      'setup-args': { value: '--further=1\n--more' },
    });
  });

  it('takes a flag alone, or with its value behind an equals sign', () => {
    expect(given('setup', '--dry-run', '--doctor=false')).toEqual({
      'dry-run': { value: 'true' },
      doctor: { value: 'false' },
    });
  });

  it('gives a list one value a line, and anything else once', () => {
    expect(given('backup', 'wipe', '--also', 'a', '--also', 'b')).toEqual({ also: { value: 'a\nb' } });
    expect(refusal('backup', 'list', '--domain', 'a.b', '--domain', 'a.b').message).toContain('given twice');
    expect(refusal('rollout', '--build-args', 'A=1', '--build-args-file', 'x').message).toContain('two ways');
    expect(refusal('backup', 'list', '--json', '--json').message).toContain('given twice');
  });

  it.each([
    ['backup', 'list', '--drectory', 'x'],
    ['backup', 'list', '-d'],
    ['backup', 'list', '--directory'],
    ['backup', 'list', '--directory', '--json'],
    ['backup', 'list', '--backup-key-file='],
    ['backup', 'list', 'further'],
    ['backup', 'list', '--json=perhaps'],
    ['backup', 'list', '--repository', 'one-word'],
    ['backup', 'list', '--repository-id', 'x'],
    ['backup', 'list', '--__proto__', 'x'],
    ['backup', 'constructor'],
    ['backup'],
    ['toString'],
    ['completion'],
    ['completion', 'tcsh'],
    ['completion', 'bash', 'zsh'],
    ['--', 'backup'],
    [],
  ])('that is wrong is refused: %j %j %j %j', (...args) => {
    expect(refusal(...args).code).toBe('command-usage');
  });

  it('that has a slip is told what may be meant', () => {
    expect(refusal('bakup').next).toContain('did you mean `backup`?');
    expect(refusal('backup', 'restor').next).toContain('did you mean `restore`?');
    expect(refusal('backup', 'restore', '--drectory', 'x').next).toContain('did you mean `--directory`?');
    expect(refusal('setup', '--no-doctor').next).toContain('--doctor=false');
  });

  it.each([
    [
      'a value of an option of its own',
      ['smoke-test', 'health'],
      '`health`',
      'did you mean `mcprt smoke-test --suite health`? ',
    ],
    ['what a flag of its own does', ['setup', 'plan'], '`plan`', 'did you mean `mcprt setup --dry-run`? '],
    ['an operation of another action', ['rollout', 'restore'], '`restore`', 'did you mean `mcprt backup restore`? '],
    ['an operation where the action belongs', ['plan'], '`plan`', '`mcprt backup plan` or `mcprt rollout plan`? '],
  ])('that has a word in the wrong place is told where it belongs: %s', (_, args, shown, hint) => {
    const { message, next } = refusal(...args);
    expect({ message, next }).toEqual({
      message: expect.stringContaining(` ${shown}`),
      next: expect.stringContaining(hint),
    });
    expect(next).toMatch(/^did you mean .+\? [tT]he (?:operations of [a-z-]+|actions) are /);
  });

  it('may have no secret in it, and shows none that is', () => {
    const secret = 'AGE-SECRET-KEY-1QQPQYQSZQGPQYQSZQGP';
    const kubeconfig = `apiVersion: v1\ntoken: ${secret}`;
    for (const args of [
      ['backup', 'restore', '--restore-key', secret],
      ['backup', 'restore', `--restore-key=${secret}`],
      ['backup', 'backup', '--kubeconfig', kubeconfig],
      ['backup', 'backup', `--kubeconfig=${Buffer.from(kubeconfig.repeat(5)).toString('base64')}`],
      ['rollout', '--build-args', `TOKEN=${secret}`],
    ]) {
      const { code, message, why, next } = refusal(...args);
      expect(code).toBe('command-secret');
      expect(`${message}${why}${next}`).not.toContain(secret);
      expect(next).toMatch(/MCPRT_[A-Z_]+, as a file with --[a-z-]+-file PATH/);
    }
    expect(given('backup', 'backup', '--kubeconfig', '/home/me/.kube/config')).toHaveProperty('kubeconfig');
    for (const args of [[secret], ['backup', secret], ['backup', 'list', secret], ['backup', 'list', `--${secret}`]]) {
      const { message, why, next } = refusal(...args);
      expect(`${message}${why}${next}`).not.toContain(secret);
    }
  });

  it('asks for help, the version or completion', () => {
    expect(read('--help')).toEqual({ kind: 'help' });
    expect(read('backup', '-h')).toMatchObject({ kind: 'help', action: { name: 'backup' } });
    expect(read('backup', 'restore', '--domain', 'x', '--help')).toMatchObject({ operation: 'restore' });
    expect(read('--version')).toEqual({ kind: 'version' });
    expect(read('completion', 'fish')).toEqual({ kind: 'completion', shell: 'fish' });
    // A value is none.
    expect(read('backup', 'list', '--directory=--help').kind).toBe('run');
  });
});

describe('the options of an action', () => {
  it.each(actions)('are its inputs and those of the command, and none is both: $name', (action) => {
    const names = action.inputs.map(({ name }) => name);
    const own = ownOptions.map(({ name }) => name);
    expect(own.filter((name) => names.includes(name) || names.includes(`${name}-file`))).toEqual([]);
    expect([...optionsOf(action).keys()]).toEqual(expect.arrayContaining([...names, ...own]));
    expect(names.filter((name) => names.includes(`${name}-file`))).toEqual([]);
  });
});
