import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { root } from '../driver/folders.js';

/** What a run of a workflow came to. */
export interface WorkflowRun {
  code: number | null;
  /** Everything that was printed. act shows what a runner would mask as `***`. */
  log: string;
  /** What the steps wrote into their summaries, in the order of writing. */
  summaries: string[];
  /** Outputs of steps, the last one of each name. */
  outputs: Record<string, string>;
  seconds: number;
}

export interface WorkflowOptions {
  /** The engine's program (see engine.ts). */
  engine: string;
  /** The repository's checkout, with `.github/workflows` in it. */
  repository: string;
  /** File name in `.github/workflows`. */
  workflow: string;
  event: string;
  payload: unknown;
  /** Where the jobs ask to be let in (see control.ts). */
  control: string;
  /** Repositories that are fetched from this machine, as `owner/name@ref`. */
  repositories: ReadonlyMap<string, string>;
  /** Variables of the repository. */
  variables: Readonly<Record<string, string>>;
  /** Variables of every step. */
  env: Readonly<Record<string, string>>;
  /** Labels that the runner has beside GitHub's own. */
  labels?: readonly string[];
  /** Folder below which this run gets one of its own. */
  folder: string;
  /** Ends the run as a cancelled one. */
  signal?: AbortSignal;
}

/** Runs a workflow of a repository as a push, a schedule or a person would. */
export async function runWorkflow(options: WorkflowOptions): Promise<WorkflowRun> {
  const state = join(options.folder, `workflow-${randomBytes(4).toString('hex')}`);
  await mkdir(state, { recursive: true, mode: 0o700 });
  const payload = join(state, 'event.json');
  await writeFile(payload, JSON.stringify(options.payload));
  const args = [
    options.event,
    ...['--workflows', join('.github', 'workflows', options.workflow)],
    ...['--eventpath', payload],
    ...['ubuntu-latest', ...(options.labels ?? [])].flatMap((label) => ['--platform', `${label}=-self-hosted`]),
    ...['--action-cache-path', join(state, 'actions')],
    // act writes to one map from jobs that run side by side.
    ...['--concurrent-jobs', '1'],
    ...['--action-offline-mode', '--pull=false', '--no-cache-server', '--use-gitignore=false'],
    ...[...options.repositories].flatMap(([name, folder]) => ['--local-repository', `${name}=${folder}`]),
    ...Object.entries(options.variables).flatMap(([name, value]) => ['--var', `${name}=${value}`]),
    ...Object.entries(options.env).flatMap(([name, value]) => ['--env', `${name}=${value}`]),
  ];
  const { HOME = '', PATH = '', XDG_CACHE_HOME = '' } = process.env;
  const started = performance.now();
  const child = spawn(options.engine, args, {
    cwd: options.repository,
    env: {
      PATH: `${join(root, 'node_modules', '.bin')}${delimiter}${PATH}`,
      HOME,
      XDG_CACHE_HOME,
      XDG_CONFIG_HOME: join(state, 'config'),
      MCPRT_ENGINE_CONTROL: options.control,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  options.signal?.addEventListener('abort', () => child.kill('SIGINT'), { once: true });
  let log = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (log += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode) => resolve(exitCode));
  });
  await writeFile(join(state, 'log'), log);
  const seconds = (performance.now() - started) / 1000;
  return { code, log, summaries: summariesIn(log), outputs: outputsIn(log), seconds };
}

/** act prints a step's summary after a mark, and goes on with the next line that begins with a job's name in brackets. */
function summariesIn(log: string): string[] {
  return [...log.matchAll(/⚙ {2}Summary - ([\s\S]*?)(?=\n\[|$)/g)].map(([, text = '']) => text);
}

function outputsIn(log: string): Record<string, string> {
  const found = [...log.matchAll(/::set-output:: ([\w-]+)=(.*)$/gm)];
  return Object.fromEntries(found.map(([, name = '', value = '']) => [name, value]));
}
