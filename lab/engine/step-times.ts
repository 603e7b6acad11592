/** A step that ended, as the engine tells of it. */
export interface StepTime {
  /** The workflow's name and the jobs', outermost first, as `deploy/Plan`. */
  job: string;
  /** The action's or command's name as it is printed, after `Main` or `Post` where it is one of these. */
  step: string;
  seconds: number;
}

const ended = /^\[([^\]]+)\] {3,}(?:✅|❌) {2}(?:Success|Failure) - (.+) \[((?:[\d.]+(?:h|ms|µs|ns|m|s))+)\]\s*$/gmu;
const inSeconds: Readonly<Record<string, number>> = { h: 3600, m: 60, s: 1, ms: 1e-3, µs: 1e-6, ns: 1e-9 };

/** The steps of a log of the engine, in the order in which they ended. */
export function stepTimes(log: string): StepTime[] {
  return [...log.matchAll(ended)].map(([, job = '', step = '', duration = '']) => ({
    job: job.trim(),
    step: step.replace(/^Main /, ''),
    seconds: secondsOf(duration),
  }));
}

/** Of a duration as Go prints it, such as `1m2.5s`. */
function secondsOf(duration: string): number {
  const parts = [...duration.matchAll(/([\d.]+)(h|ms|µs|ns|m|s)/gu)];
  return parts.reduce((sum, [, count = '', unit = '']) => sum + Number(count) * (inSeconds[unit] ?? 0), 0);
}
