import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { McprtError } from '../errors.js';
import { hear } from './installer-output.js';
import type { Invocation } from './invocation.js';

/** Where the installer's output goes: folded by step, a line at a time. */
export interface InstallerLog {
  step(title: string): void;
  line(text: string): void;
  /** No step is under way any more. */
  end(): void;
}

export interface InstallerRun {
  /** Step of the error that it ended with; undefined when it named none. */
  failed: { step: string | undefined; message: string } | undefined;
  /** Its exit code; null when a signal ended it. */
  code: number | null;
  seconds: number;
  /** Seconds by step, in order. */
  steps: { title: string; seconds: number }[];
}

/** How long a child has after SIGINT, and after SIGTERM: the runner kills everything 10 s after a job was cancelled. */
const grace = { interrupt: 4_000, terminate: 1_500 };
/** How long output is read after a child has ended, in ms. */
const lastWords = 1_000;
const tailLength = 15;

/**
 * Runs the platform's installer, or its doctor. When the signal fires, the child gets SIGINT, then SIGTERM, then SIGKILL,
 * so that none outlives the job.
 *
 * @param cwd root of the platform's source: the installer reads manifests and builds from there
 * @throws McprtError `installer-start`; the signal's reason once the child has ended
 */
export async function runInstaller(
  binary: string,
  { args, env }: Invocation,
  { cwd, log, signal }: { cwd: string; log: InstallerLog; signal: AbortSignal },
): Promise<InstallerRun> {
  signal.throwIfAborted();
  const started = performance.now();
  // In a process group of its own: what the installer itself starts (docker, kubectl) ends with it.
  const child = spawn(binary, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const tail: string[] = [];
  const steps: { title: string; from: number }[] = [];
  const blockers: string[] = [];
  let failed: InstallerRun['failed'];
  const read = (text: string): void => {
    const heard = hear(text);
    if (heard.kind === 'step') {
      steps.push({ title: heard.title, from: performance.now() });
      log.step(heard.title);
    }
    if (heard.kind === 'blocker') blockers.push(heard.text);
    if (heard.kind === 'failed') failed = { step: heard.step, message: [heard.message, ...blockers].join('\n') };
    log.line(text);
    if (heard.kind === 'harmful') log.line(heard.comment);
    tail.push(text);
    if (tail.length > tailLength) tail.shift();
  };
  const streams = [child.stdout, child.stderr];
  const readers = streams.map((input) => createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY }));
  const outputs = readers.map(async (reader) => {
    for await (const text of reader) read(text);
  });
  const stop = stopper(child.pid);
  signal.addEventListener('abort', stop.begin, { once: true });
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', (cause) =>
        reject(
          new McprtError('installer-start', {
            what: `${binary} cannot be started`,
            why: cause.message,
            next: 'give the path of an executable in `binary`, or leave it empty to build it from `source`',
            cause,
          }),
        ),
      );
      child.once('close', resolve);
      // What it started may outlive it and hold its output open; that is no reason to wait.
      child.once('exit', () => {
        setTimeout(() => {
          // A destroyed stream alone does not end its reader.
          for (const reader of readers) reader.close();
          for (const stream of streams) stream.destroy();
        }, lastWords).unref();
      });
    });
    await Promise.allSettled(outputs);
    signal.throwIfAborted();
    const end = performance.now();
    return {
      code,
      failed: code === 0 ? undefined : (failed ?? { step: undefined, message: tail.join('\n') || `exit code ${code}` }),
      seconds: (end - started) / 1000,
      steps: steps.map(({ title, from }, index) => ({
        title,
        seconds: ((steps[index + 1]?.from ?? end) - from) / 1000,
      })),
    };
  } finally {
    signal.removeEventListener('abort', stop.begin);
    stop.end();
    log.end();
  }
}

function stopper(pid: number | undefined): { begin: () => void; end: () => void } {
  const timers: NodeJS.Timeout[] = [];
  const send = (name: NodeJS.Signals): void => {
    try {
      if (pid !== undefined) process.kill(-pid, name);
    } catch {
      // it has ended already
    }
  };
  return {
    begin: () => {
      send('SIGINT');
      timers.push(
        setTimeout(() => send('SIGTERM'), grace.interrupt),
        setTimeout(() => send('SIGKILL'), grace.interrupt + grace.terminate),
      );
    },
    end: () => timers.forEach(clearTimeout),
  };
}
