import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from '../../lab/driver/folders.js';
import type { Told } from '../support/runs.js';

/** What a run of the command came to. */
export interface CommandRun extends Told {
  stdout: string;
  stderr: string;
  seconds: number;
}

export interface CommandOptions {
  /** Folder below which this run gets one of its own. */
  folder: string;
  /** All that is in its environment beside PATH. */
  env: Record<string, string>;
  /** What it reads on standard input; it is closed at once where there is none. */
  input?: string;
  /** Called as soon as it runs. */
  onStart?: (pid: number, printed: () => string) => void;
}

/** Path of the command as it is shipped. */
export const command = join(root, 'dist', 'cli.js');

/** Runs the shipped command as a person does, in an environment that has nothing of a job. */
export async function runCommand(args: readonly string[], options: CommandOptions): Promise<CommandRun> {
  const folder = join(options.folder, `run-${randomBytes(4).toString('hex')}`);
  await mkdir(folder, { recursive: true });
  const started = performance.now();
  const child = spawn(process.execPath, [command, ...args], {
    cwd: folder,
    env: { PATH: process.env.PATH, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const printed = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => (printed[name] += text));
  }
  // One that ends before it has read all is no failure of this proof.
  child.stdin.on('error', () => undefined).end(options.input ?? '');
  if (child.pid !== undefined) options.onStart?.(child.pid, () => printed.stderr);
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode, exitSignal) => resolve([exitCode, exitSignal]));
  });
  const { stdout, stderr } = printed;
  await writeFile(join(folder, 'printed'), `${stdout}\n${stderr}`);
  const error = /^error \(([a-z-]+)\): /m.exec(stderr)?.[1];
  const seconds = (performance.now() - started) / 1000;
  return { code, signal, stdout, stderr, log: `${stdout}\n${stderr}`, seconds, ...(error !== undefined && { error }) };
}
