import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { messageOf } from '../shared/errors.js';
import { withoutEnd } from '../shared/text.js';

const run = promisify(execFile);
const within = 20_000;

/** What git answers in a folder, without the end of its line; empty where it answers nothing or fails. */
export type Git = (...args: string[]) => Promise<string>;

/** Asks git in a folder. */
export function gitIn(folder: string): Git {
  return async (...args) => {
    const { stdout } = await run('git', args, { cwd: folder, timeout: within }).catch(() => ({ stdout: '' }));
    return withoutEnd(stdout, '\n');
  };
}

/** Why git fails, in its own words; empty where it does not. */
export async function gitRefusal(folder: string, ...args: string[]): Promise<string> {
  return run('git', args, { cwd: folder, timeout: within, env: { ...process.env, LC_ALL: 'C' } }).then(
    () => '',
    (error: unknown) => (/^(?:fatal|error): (.*)$/m.exec(messageOf(error))?.[1] ?? messageOf(error)).trim(),
  );
}

/** Asks another host by git, which may neither prompt nor wait for long. */
export async function askRemote(folder: string, ...args: string[]): Promise<string> {
  const env = {
    GIT_SSH_COMMAND: 'ssh -oBatchMode=yes -oConnectTimeout=5',
    ...process.env,
    GIT_TERMINAL_PROMPT: '0',
  };
  return run('git', ['-c', 'credential.interactive=false', ...args], { cwd: folder, timeout: 10_000, env }).then(
    ({ stdout }) => stdout,
    () => '',
  );
}
