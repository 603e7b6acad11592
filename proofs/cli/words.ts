import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { actions, defaultsOf } from '../../lab/driver/action.js';
import type { ProofContext } from '../support/proof.js';
import { type CommandRun, command } from './command-run.js';

type Run = (args: readonly string[], env?: Record<string, string>, input?: string) => Promise<CommandRun>;

const execute = promisify(execFile);
const secret = 'a-secret-that-is-in-the-wrong-place';

/** What people write who do not know the command: each is answered with exit code 2, and nothing is done. */
const wrong: readonly [string, readonly string[], RegExp][] = [
  ['nothing', [], /give one of backup, setup/],
  ['an action with a slip', ['bakup', 'list'], /did you mean `backup`/],
  ['an operation with a slip', ['backup', 'restor'], /did you mean `restore`/],
  ['no operation', ['backup'], /backup, list, verify/],
  ['an option with a slip', ['backup', 'list', '--drectory', 'x'], /did you mean `--directory`/],
  ['a flag that is denied', ['backup', 'list', '--no-dry-run'], /--dry-run=false/],
  ['a flag with a word behind it', ['backup', 'list', '--dry-run', 'false'], /--dry-run=false/],
  ['a value that is missing', ['backup', 'list', '--directory', '--json'], /--directory has no value/],
  ['a value twice', ['backup', 'list', '--domain', 'a.b', '--domain=c.d'], /--domain is given twice/],
  ['a value that is none', ['backup', 'list', '--keep=1'], /correct --keep/],
  ['a secret', ['backup', 'list', '--backup-key', secret], /MCPRT_BACKUP_KEY/],
  ['a kubeconfig’s text', ['backup', 'backup', '--kubeconfig', `{"token":"${secret}"}`], /MCPRT_KUBECONFIG/],
  ['standard input twice', ['backup', 'list', '--backup-key-file=-', '--restore-key-file=-'], /can be read once/],
  ['a file that is not there', ['backup', 'list', '--backup-key-file', `/${secret}`], /ENOENT/],
  ['a job’s cache', ['backup', 'list', '--stores', 'directory,cache'], /--stores directory/],
  ['artifacts of nobody', ['backup', 'list', '--stores', 'artifact'], /--repository OWNER\/NAME/],
];

/** Help, completion and what is wrong use, as nobody needs a cluster for. */
export async function words(context: ProofContext, run: Run): Promise<{ refused: number; helped: number }> {
  for (const [what, args, told] of wrong) {
    const { expect } = context.about(`wrong use, ${what}`);
    const answer = await run(args);
    expect(answer.code === 2 && answer.stdout === '', `exit code ${answer.code}`, answer);
    expect(told.test(answer.stderr) && !answer.stderr.includes(secret), 'it is not told as it should be', answer);
  }
  for (const action of actions) {
    const answer = await run([action, '--help']);
    const missing = Object.keys(await defaultsOf(action)).filter(
      (name) => name !== 'operation' && !answer.stdout.includes(` --${name}`),
    );
    context.expect(answer.code === 0 && missing.length === 0, `${action} --help is without ${missing}`, answer);
  }
  await completes(context, run);
  return { refused: wrong.length, helped: actions.length };
}

/** What a real bash completes, with the cursor behind the last word. */
const completed: readonly [readonly string[], readonly string[]][] = [
  [['mcprt', 'sm'], ['smoke-test']],
  [['mcprt', 'backup', 'v'], ['verify']],
  [['mcprt', 'backup', 'restore', '--restore'], ['--restore-key-file']],
  [['mcprt', 'backup', 'wipe', '--scope', 'a'], ['all-apps']],
  [
    ['mcprt', 'backup', 'wipe', '--scope', '=', ''],
    ['platform', 'all-apps'],
  ],
  [['mcprt', 'setup', 'install', '--directory', '/usr/li'], ['/usr/lib']],
  [['mcprt', 'rollout', 'plan', '--tag', ''], []],
  [
    ['mcprt', 'completion', ''],
    ['bash', 'zsh', 'fish'],
  ],
];

async function completes({ folder, expect, expectSame }: ProofContext, run: Run): Promise<void> {
  const script = join(folder, 'completion.bash');
  const printed = await run(['completion', 'bash']);
  await writeFile(script, printed.stdout);
  for (const [line, wanted] of completed) {
    const program = `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _mcprt; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout } = await execute('bash', ['--noprofile', '--norc', '-c', program, 'bash', script, ...line]);
    const found = stdout.split('\n').filter((word) => word !== '');
    const isPath = line.at(-1)?.startsWith('/') === true;
    expectSame(`completed: ${line.join(' ')}`, isPath ? found.filter((word) => word === wanted[0]) : found, wanted);
  }
  const { stdout } = await execute('bash', [
    '-c',
    `"$0" "$1" backup --help | head -1; echo "\${PIPESTATUS[0]}"`,
    process.execPath,
    command,
  ]);
  expect(stdout.trimEnd().endsWith('\n0'), `a reader who leaves: ${stdout}`);
}
