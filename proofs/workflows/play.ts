import type { Docker } from '../support/docker.js';
import { round1 } from '../support/figures.js';
import type { LeakSearch } from '../support/leaks.js';
import type { ProofContext } from '../support/proof.js';
import type { PlayedWorkflow, Repository, RunOptions, Tools } from './repository.js';

/** What one run of a workflow came to. */
export interface Played {
  scene: string;
  workflow: string;
  code: number | null;
  /** `job@environment`, in the order of starting; with the reason where one was not let in. */
  jobs: string[];
  seconds: number;
}

export interface Story {
  context: ProofContext;
  /** What builds images; undefined where none can be had. */
  docker: Docker | undefined;
  tools: Tools;
  scenes: Played[];
}

export interface Expected extends RunOptions {
  /** Jobs that start, as `job@environment`. */
  jobs: readonly string[];
  /** What the log of a run that must fail says. */
  fails?: RegExp;
}

/** Runs a workflow, and notes what came of it and what should have come. */
export async function play(
  { context, scenes }: Story,
  repository: Repository,
  scene: string,
  workflow: string,
  { jobs, fails, ...options }: Expected,
): Promise<PlayedWorkflow> {
  const run = await repository.run(workflow, options);
  const seconds = round1(run.seconds);
  scenes.push({ scene, workflow, code: run.code, jobs: run.jobs, seconds });
  context.progress(
    `  ${scene}: ${workflow} ended with ${run.code} after ${seconds} s: ${run.jobs.join(', ') || 'no job'}`,
  );
  const { expect, expectSame } = context.about(scene);
  const log = run.log.slice(-5000);
  expect((run.code !== 0) === (fails !== undefined), `exit code ${run.code}\n${log}`);
  expect(fails?.test(run.log) ?? true, `does not say ${fails?.source}\n${log}`);
  const entered = run.jobs.map((job) => job.split(':')[0]).sort();
  if (!expectSame('the jobs', entered, [...jobs].sort())) expect(false, `${run.jobs.join(', ')}\n${log}`);
  return run;
}

/** No log and no summary has a secret in it. */
export function searchLogs({ context }: Story, search: LeakSearch, { played }: Repository): void {
  for (const { log, runId } of played) {
    for (const name of search.in(log)) context.fail(`the log of run ${runId} shows ${name}`);
  }
}
