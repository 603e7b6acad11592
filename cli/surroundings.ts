import { join } from 'node:path';
import { type Action, isKept, variableOf } from './actions.js';
import type { Own } from './arguments.js';

/** Files by which a step tells the runner something; of each the name of its variable and its own. */
export const stepFiles = {
  GITHUB_OUTPUT: 'output',
  GITHUB_STEP_SUMMARY: 'summary.md',
  GITHUB_STATE: 'state',
  GITHUB_ENV: 'env',
  GITHUB_PATH: 'path',
} as const;

/** What a run of the command is, where no job says it. */
export interface RunOptions {
  own: Own;
  inputs: Readonly<Record<string, string>>;
  /** Folder for the files of its steps. */
  folder: string;
  /** What tells this run from all others of this machine. */
  run: string;
}

/**
 * The environment of a step: this process's own, and in it what a runner would give to the step. Within a job the identity
 * of the run is the job's; secrets of the command are left out, as the step has them as inputs.
 *
 * @param actions whose variables are secrets
 */
export function surroundings(
  env: NodeJS.ProcessEnv,
  actions: readonly Action[],
  action: Action,
  { own, inputs, folder, run }: RunOptions,
): NodeJS.ProcessEnv {
  const secrets = new Set(actions.flatMap((one) => one.inputs.filter(isKept).map(variableOf)));
  const inherited = Object.entries(env).filter(([name]) => !secrets.has(name) && !/^(?:INPUT|STATE)_/.test(name));
  const identity = {
    GITHUB_RUN_ID: own.resume || env.GITHUB_RUN_ID || run,
    GITHUB_RUN_ATTEMPT: env.GITHUB_RUN_ATTEMPT || '1',
    GITHUB_JOB: env.GITHUB_JOB || action.name,
    GITHUB_WORKFLOW: env.GITHUB_WORKFLOW || 'command line',
    ...(own.repository === '' ? {} : { GITHUB_REPOSITORY: own.repository, GITHUB_REPOSITORY_ID: own['repository-id'] }),
    ...(own['repository-id'] === '' ? {} : { GITHUB_REPOSITORY_ID: own['repository-id'] }),
  };
  const files = Object.entries(stepFiles).map(([name, file]) => [name, join(folder, file)]);
  // The folder goes when the run ends, and a report is to stay.
  const lasting = inputs.junit === '' ? { junit: `${folder}-junit.xml` } : {};
  const given = Object.entries({ ...inputs, ...lasting }).map(([name, value]) => [
    `INPUT_${name.toUpperCase()}`,
    value,
  ]);
  return {
    ...Object.fromEntries(inherited),
    ...identity,
    RUNNER_TEMP: join(folder, 'temp'),
    ...Object.fromEntries([...files, ...given]),
  };
}

/** A number for a run that no other run of this machine has: no two processes have an id at once. */
export function newRun(now: Date, pid: number): string {
  return `${Math.floor(now.getTime() / 1000)}${String(pid).padStart(7, '0')}`;
}
