import { stepTimes } from '../../lab/engine/step-times.js';
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
  /** Where the time of a deployment of all services went, once there was one. */
  path?: OnPath[];
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

/** A job of a deployment, and where its time went. */
interface OnPath {
  job: string;
  seconds: number;
  /** Its steps that took a tenth of a second or more. */
  steps: Record<string, number>;
}

/**
 * Where the time of a deployment went. Its jobs need one another, so that every one of them is on the critical path; what a runner
 * takes to start for each is not in it.
 */
export function criticalPath(log: string): OnPath[] {
  const jobs = new Map<string, OnPath>();
  for (const { job, step, seconds } of stepTimes(log)) {
    const one = jobs.get(job) ?? { job, seconds: 0, steps: {} };
    one.seconds = round1(one.seconds + seconds);
    if (seconds >= 0.1) one.steps[step] = round1((one.steps[step] ?? 0) + seconds);
    jobs.set(job, one);
  }
  return [...jobs.values()];
}

/** No log and no summary has a secret in it. */
export function searchLogs({ context }: Story, search: LeakSearch, { played }: Repository): void {
  for (const { log, runId } of played) {
    for (const name of search.in(log)) context.fail(`the log of run ${runId} shows ${name}`);
  }
}
