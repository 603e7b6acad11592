import type { Github } from './github.js';

/** What an action did, and the lines that it printed for the runner. */
export interface Outcome<T> {
  readonly result: T;
  readonly log: string;
}

/**
 * Calls `action` in this process as if a runner had started it for the run of this view: with its variables, and with
 * what goes to standard output kept. Variables of the run that `without` names are left out. Puts everything back.
 */
export async function inRun<T>(
  github: Github,
  action: () => Promise<T>,
  { folder, without = [] }: { folder: string; without?: readonly string[] },
): Promise<Outcome<T>> {
  const before = { ...process.env };
  const { write } = process.stdout;
  let log = '';
  process.stdout.write = (chunk: string | Uint8Array) => {
    log += chunk;
    return true;
  };
  try {
    Object.assign(process.env, github.env, { RUNNER_TEMP: folder, GITHUB_WORKSPACE: folder });
    for (const name of without) delete process.env[name];
    const result = await action();
    return { result, log };
  } finally {
    process.stdout.write = write;
    for (const name of Object.keys(process.env)) if (!Object.hasOwn(before, name)) delete process.env[name];
    Object.assign(process.env, before);
  }
}
