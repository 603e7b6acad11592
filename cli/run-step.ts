import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';

export interface Step {
  /** Path of the program that runs it. */
  program: string;
  /** Path of the entry of dist/. */
  entry: string;
  env: NodeJS.ProcessEnv;
  onLine: (line: string) => void;
  /** Cancels it as a job is cancelled. */
  signal: AbortSignal;
}

/** How a step ended. */
export interface StepEnd {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** Runs an action or its post step as the runner does: a process of its own, which is asked once to end. */
export async function runStep({ program, entry, env, onLine, signal }: Step): Promise<StepEnd> {
  const child = spawn(process.execPath, [program, pathToFileURL(entry).href], {
    env,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // A terminal tells its signals to all processes of a group; this one hears them from the command alone.
    detached: true,
  });
  const cancel = (): void => void child.kill('SIGINT');
  signal.addEventListener('abort', cancel, { once: true });
  try {
    const lines = [child.stdout, child.stderr].map((stream) => eachLine(stream, onLine));
    const end = new Promise<StepEnd>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code, name) => resolve({ code, signal: name }));
    });
    if (signal.aborted) cancel();
    const ended = await end;
    await Promise.all(lines);
    return ended;
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}

async function eachLine(stream: Readable | null, tell: (line: string) => void): Promise<void> {
  if (stream !== null)
    for await (const line of createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })) tell(line);
}
