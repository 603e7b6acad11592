import type { DockerEngine } from '../../lab/driver/docker.js';
import type { LeakSearch } from '../leaks.js';
import type { ProofContext } from '../proof.js';
import type { PlayedWorkflow, Repository, RunOptions, Tools } from './repository.js';

/** What one run of a workflow came to. */
export interface Scene {
  scene: string;
  workflow: string;
  code: number | null;
  /** `job@environment`, in the order of starting; with the reason where one was not let in. */
  jobs: string[];
  seconds: number;
}

export interface Stage {
  context: ProofContext;
  /** What builds images; undefined where none can be had. */
  docker: DockerEngine | undefined;
  tools: Tools;
  scenes: Scene[];
  problems: string[];
}

export interface Expected extends RunOptions {
  /** Jobs that start, as `job@environment`. */
  jobs: readonly string[];
  /** What the log of a run that must fail says. */
  fails?: RegExp;
}

/** Runs a workflow, and notes what came of it and what should have come. */
export async function play(
  { context, scenes, problems }: Stage,
  repository: Repository,
  scene: string,
  workflow: string,
  { jobs, fails, ...options }: Expected,
): Promise<PlayedWorkflow> {
  const run = await repository.run(workflow, options);
  const seconds = Math.round(run.seconds * 10) / 10;
  scenes.push({ scene, workflow, code: run.code, jobs: run.jobs, seconds });
  context.progress(
    `  ${scene}: ${workflow} ended with ${run.code} after ${seconds} s: ${run.jobs.join(', ') || 'no job'}`,
  );
  const fail = (what: string): void => void problems.push(`${scene}: ${what}\n${run.log.slice(-5000)}`);
  if ((run.code !== 0) !== (fails !== undefined)) fail(`exit code ${run.code}`);
  if (fails !== undefined && !fails.test(run.log)) fail(`does not say ${fails.source}`);
  const entered = run.jobs.map((job) => job.split(':')[0]).sort();
  if (JSON.stringify(entered) !== JSON.stringify([...jobs].sort())) fail(`the jobs were ${run.jobs.join(', ')}`);
  return run;
}

/** No log and no summary has a secret in it. */
export function searchRuns({ problems }: Stage, search: LeakSearch, runs: readonly PlayedWorkflow[]): void {
  for (const { log, runId } of runs) {
    for (const name of search.in(log)) problems.push(`the log of run ${runId} shows ${name}`);
  }
}
