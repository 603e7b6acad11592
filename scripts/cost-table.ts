import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { parse } from 'yaml';
import * as z from 'zod';
import { root } from '../lab/driver/folders.js';

/** A job that the clock starts. */
export interface Scheduled {
  /** Of examples/, and of the job in the workflow that it calls. */
  workflow: string;
  job: string;
  cron: string;
}

/**
 * How long a job takes, in s. Estimates, not bills: what the proofs of workflows take on two cores, with room for a runner's start and
 * a checkout; a drill downloads its lab.
 */
const seconds: Readonly<Record<string, number>> = {
  'backup/backup': 40,
  'preview/cleanup': 30,
  'drill/drill': 55,
};

/** Days of the month that is counted. */
const days = 30;

const exampleShape = z.looseObject({
  on: z.looseObject({ schedule: z.array(z.object({ cron: z.string() })).default([]) }),
  jobs: z.record(z.string(), z.looseObject({ uses: z.string().optional() })),
});
const calledShape = z.looseObject({ jobs: z.record(z.string(), z.looseObject({ if: z.string().default('') })) });

/** Every job that the schedules of examples/ start, with what starts it. */
export async function readSchedules(): Promise<Scheduled[]> {
  const names = (await readdir(join(root, 'examples'))).filter((name) => name.endsWith('.yml'));
  const found = await Promise.all(
    names.map(async (name) => {
      const { on, jobs } = exampleShape.parse(parse(await readFile(join(root, 'examples', name), 'utf8')));
      const called = Object.values(jobs).flatMap(({ uses }) =>
        uses === undefined ? [] : [basename(uses).replace(/@.*/, '')],
      );
      const read = on.schedule.length === 0 ? [] : called;
      const started = await Promise.all(
        read.map(async (file) => {
          const text = await readFile(join(root, '.github', 'workflows', file), 'utf8');
          return Object.entries(calledShape.parse(parse(text)).jobs).filter(([, job]) => isStartedByClock(job.if));
        }),
      );
      return on.schedule.flatMap(({ cron }) =>
        started.flat().map(([job]) => ({ workflow: basename(name, '.yml'), job, cron })),
      );
    }),
  );
  return found.flat();
}

/** Whether a job starts that a schedule has called: it may want another event. */
function isStartedByClock(condition: string): boolean {
  return !/^github\.event_name == '(?!schedule')/.test(condition);
}

/** How often a schedule starts something in a month of 30 days. @throws where it has a form that no schedule of ours has */
export function runsAMonth(cron: string): number {
  const [minute = '', hour = '', day = '', month = '', weekday = '', ...more] = cron.split(' ');
  if (more.length > 0 || day !== '*' || month !== '*') throw new Error(`no schedule of ours is like ${cron}`);
  const aWeek = weekday === '*' ? 7 : times(weekday, 7);
  return times(minute, 60) * times(hour, 24) * aWeek * (days / 7);
}

/** How many of so many values a field of a schedule names. */
function times(field: string, values: number): number {
  if (field === '*') return values;
  const [, step] = /^\*\/(\d+)$/.exec(field) ?? [];
  if (step !== undefined) return Math.ceil(values / Number(step));
  if (!/^\d+(?:,\d+)*$/.test(field)) throw new Error(`no schedule of ours has ${field}`);
  return field.split(',').length;
}

/** The table: GitHub bills each job by the minute that was begun. */
export function costTable(scheduled: readonly Scheduled[]): string {
  const rows = scheduled.map((one) => {
    const took = seconds[`${one.workflow}/${one.job}`];
    if (took === undefined) throw new Error(`nobody has said how long ${one.workflow}/${one.job} takes`);
    const [runs, minutes] = [runsAMonth(one.cron), Math.ceil(took / 60)];
    return { ...one, runs, minutes, all: runs * minutes };
  });
  const round = (value: number): string => String(Math.round(value * 10) / 10);
  const total = rows.reduce((sum, { all }) => sum + all, 0);
  return [
    '| Workflow | Job | Schedule | Runs a month | Minutes each | Minutes a month |',
    '| --- | --- | --- | --- | --- | --- |',
    ...rows.map(
      ({ workflow, job, cron, runs, minutes, all }) =>
        `| \`${workflow}\` | ${job} | \`${cron}\` | ${round(runs)} | ${minutes} | ${round(all)} |`,
    ),
    `| | | | | **Total** | **${Math.round(total)}** |`,
  ].join('\n');
}
