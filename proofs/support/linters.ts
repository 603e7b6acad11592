import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder } from '../../lab/driver/folders.js';
import { messageOf } from '../../shared/errors.js';
import type { ProofContext } from './proof.js';

const run = promisify(execFile);
const versions = { actionlint: '1.7.12', zizmor: '1.32.0' } as const;
const installWithin = 300_000;
const lintWithin = 120_000;

/** A linter that runs, or why there is none. */
export type Linter = { run(args: string[]): Promise<Outcome> } | string;

interface Outcome {
  isClean: boolean;
  said: string;
}

/** What GitHub has had since summer 2026, and this actionlint does not know yet. */
const newerThanActionlint = [
  'unexpected key "cache-mode" for "job" section',
  'unexpected key "queue" for "concurrency" section',
  'specifying action "\\$/',
];

/** Flags of actionlint: it knows workflows, and leaves their shell to others. */
export const unshelled = [
  '-shellcheck=',
  '-pyflakes=',
  ...newerThanActionlint.flatMap((message) => ['-ignore', message]),
];

/** Flags of zizmor in its strictest persona. */
export const strictly = (config: string): string[] => ['--offline', '--persona', 'pedantic', '--config', config];

/** Builds actionlint, or finds it. */
export async function actionlintIn({ env, progress }: ProofContext): Promise<Linter> {
  const folder = join(cacheFolder(env), 'tools', `actionlint-${versions.actionlint}`);
  const program = join(folder, 'actionlint');
  if (!(await isThere(program))) {
    progress('  building actionlint');
    const module = `github.com/rhysd/actionlint/cmd/actionlint@v${versions.actionlint}`;
    const options = { env: { ...env, GOBIN: folder, GOFLAGS: '-mod=mod' }, cwd: '/', timeout: installWithin };
    const failed = await run('go', ['install', module], options).then(() => '', messageOf);
    if (failed !== '') return failed;
  }
  return { run: (args) => outcome(program, args, env) };
}

/** Installs zizmor, or finds it. */
export async function zizmorIn({ env, progress }: ProofContext): Promise<Linter> {
  const folder = join(cacheFolder(env), 'tools', `zizmor-${versions.zizmor}`);
  const program = join(folder, 'bin', 'zizmor');
  if (!(await isThere(program))) {
    progress('  installing zizmor');
    const args = ['-m', 'pip', 'install', '--quiet', '--target', folder, `zizmor==${versions.zizmor}`];
    const failed = await run('python3', args, { env, timeout: installWithin }).then(() => '', messageOf);
    if (failed !== '') return `pip cannot install it: ${failed.trim().split('\n').at(-1)}`;
  }
  return { run: (args) => outcome(program, args, { ...env, PYTHONPATH: folder }) };
}

async function outcome(program: string, args: string[], env: NodeJS.ProcessEnv): Promise<Outcome> {
  return run(program, args, { env, timeout: lintWithin }).then(
    ({ stdout, stderr }) => ({ isClean: true, said: stdout + stderr }),
    (error: unknown) => {
      const said = error as { stdout?: string; stderr?: string };
      return { isClean: false, said: `${said.stdout ?? ''}${said.stderr ?? ''}${messageOf(error)}` };
    },
  );
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
