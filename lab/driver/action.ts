import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import * as z from 'zod';
import { parseFileCommands } from '../../shared/action/file-commands.js';
import { root } from './folders.js';
import { rbacVariable } from './lab.js';
import { withGeneratedRbac } from './rbac.js';

/** What a run of an action left behind, as the runner would have it. */
export interface ActionRun {
  /** Exit code; null when a signal ended it. */
  code: number | null;
  signal: NodeJS.Signals | null;
  /** Everything that it printed, with `::add-mask::` lines: on GitHub the runner takes these out. */
  log: string;
  outputs: Record<string, string>;
  /** What it left for its post step. */
  state: Record<string, string>;
  summary: string;
  /** The code of the error that it ended with. */
  error: string | undefined;
  seconds: number;
}

export const actions = ['backup', 'setup', 'rollout', 'smoke-test'] as const;
export type Action = (typeof actions)[number];

export interface ActionOptions {
  /** What of dist/ is run: an action, or its post step. */
  entry: Action | `${Exclude<Action, 'backup'>}-post`;
  /** Those that are not given have their defaults, as the runner fills them in from action.yml. */
  inputs: Record<string, string>;
  env: Record<string, string>;
  /** Folder below which this run gets one of its own for its files. */
  folder: string;
  /** Called with the process's id, and what it has printed so far, as soon as it runs. */
  onStart?: (pid: number, printed: () => string) => void;
}

/** Runs the shipped bundle as the runner does: a process of its own, inputs in the environment, files for what it says. */
export async function runBundle(options: ActionOptions): Promise<ActionRun> {
  const folder = join(options.folder, `run-${randomBytes(4).toString('hex')}`);
  const files = {
    GITHUB_OUTPUT: join(folder, 'output'),
    GITHUB_STEP_SUMMARY: join(folder, 'summary.md'),
    GITHUB_STATE: join(folder, 'state'),
    GITHUB_ENV: join(folder, 'env'),
  };
  await mkdir(join(folder, 'temp'), { recursive: true });
  await Promise.all(Object.values(files).map((file) => writeFile(file, '')));
  const given = { ...(await defaultsOf(options.entry)), ...options.inputs };
  const narrowed = process.env[rbacVariable] ? await withGeneratedRbac(options.entry, given) : given;
  const inputs = Object.entries(narrowed).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]);
  const env = {
    PATH: process.env.PATH,
    HOME: folder,
    RUNNER_TEMP: join(folder, 'temp'),
    GITHUB_WORKSPACE: folder,
    ...files,
    ...options.env,
    ...Object.fromEntries(inputs),
  };
  const started = performance.now();
  const child = spawn(process.execPath, [join(root, 'dist', `${options.entry}.js`)], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  if (child.pid !== undefined) options.onStart?.(child.pid, () => log);
  child.stdout.setEncoding('utf8').on('data', (text: string) => (log += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode, exitSignal) => resolve([exitCode, exitSignal]));
  });
  const seconds = (performance.now() - started) / 1000;
  const [output, state, summary] = await Promise.all([
    readFile(files.GITHUB_OUTPUT, 'utf8'),
    readFile(files.GITHUB_STATE, 'utf8'),
    readFile(files.GITHUB_STEP_SUMMARY, 'utf8'),
  ]);
  const error = /^::error title=[^:]*%3A ([a-z-]+)::/m.exec(log)?.[1];
  await writeFile(join(folder, 'log'), withoutMasks(log));
  return {
    code,
    signal,
    log,
    outputs: parseFileCommands(output),
    state: parseFileCommands(state),
    summary,
    error,
    seconds,
  };
}

const actionShape = z.looseObject({
  inputs: z.record(z.string(), z.looseObject({ default: z.string().default('') })),
});

/** The defaults of an action's inputs, as the runner fills them in. */
export async function defaultsOf(entry: ActionOptions['entry']): Promise<Record<string, string>> {
  const folder = `action-${entry.replace(/-post$/, '')}`;
  const { inputs } = actionShape.parse(parse(await readFile(join(root, folder, 'action.yml'), 'utf8')));
  return Object.fromEntries(
    Object.entries(inputs).map(([name, { default: value }]) => [name, value.startsWith('${{') ? '' : value]),
  );
}

/** What a log shows: the runner takes the lines out by which it is told what to mask. */
export function withoutMasks(log: string): string {
  return log.replace(/^::add-mask::.*$/gm, '');
}
