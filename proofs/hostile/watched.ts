import { readFileSync } from 'node:fs';
import { micromark } from 'micromark';
import { gfm, gfmHtml } from 'micromark-extension-gfm';
import type { ActionOptions, ActionRun } from '../../lab/driver/action.js';
import { runFitting } from '../../lab/driver/result.js';

/** What a process may have had in memory at once, in MiB: the largest answer of an API server in a few forms, and Node. */
export const mostMemory = 1_024;
/** A run that takes longer is ended, in ms. */
const patience = 180_000;

/** A run, and the most memory that its process had, in MiB. */
export interface WatchedRun extends ActionRun {
  peak: number;
}

/** Runs the bundle, and looks at its memory all the while; a run that does not end is ended. */
export async function watchedRun(options: ActionOptions): Promise<WatchedRun> {
  let peak = 0;
  const timers: NodeJS.Timeout[] = [];
  const look = (pid: number): void => {
    try {
      const kilobytes = /^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
      peak = Math.max(peak, Number(kilobytes ?? 0) / 1024);
      if (peak > 4 * mostMemory) process.kill(pid, 'SIGKILL');
    } catch {
      // it has ended
    }
  };
  try {
    const run = await runFitting({
      ...options,
      onStart: (pid) => {
        timers.push(
          setInterval(() => look(pid), 40),
          setTimeout(() => process.kill(pid, 'SIGKILL'), patience),
        );
      },
    });
    return { ...run, peak: Math.round(peak) };
  } finally {
    for (const timer of timers) clearTimeout(timer);
  }
}

/** What is wrong with how a run ended: no code of ours, too much memory, or something of the stranger's that is rendered. */
export function problemsOf(name: string, run: WatchedRun, codes: RegExp): string[] {
  const problems: string[] = [];
  if (run.code !== 1 || run.error === undefined || !codes.test(run.error)) {
    problems.push(`${name}: exit ${run.signal ?? run.code} with ${run.error}: ${run.log.slice(-400)}`);
  }
  if (run.peak > mostMemory) problems.push(`${name}: ${run.peak} MiB of memory`);
  if (run.log.length > 2_000_000) problems.push(`${name}: a log of ${run.log.length} characters`);
  return [
    ...problems,
    ...renderedIn(run.summary).map((what) => `${name}: the summary renders ${what}`),
    ...commandsIn(run.log).map((line) => `${name}: the log has the command ${line}`),
  ];
}

/** What of a stranger's text has become something in Markdown. */
export function renderedIn(markdown: string): string[] {
  const html = micromark(markdown, { allowDangerousHtml: true, extensions: [gfm()], htmlExtensions: [gfmHtml()] });
  const tags = html.match(/<(?:img|script)[^>]*>|<a [^>]*hostile[^>]*>|<h\d>HOSTILE/g) ?? [];
  const text = html
    .replace(/<code>[^<]*<\/code>/g, '')
    .replace(/<pre>[\s\S]*?<\/pre>/g, '')
    .replace(/<[^>]*>/g, ' ');
  return [...tags, ...(text.match(/@hostile-user|www\.hostile\S*|:\/\/hostile\S*/g) ?? [])];
}

/** Lines that the runner would take for commands of a stranger's. */
export function commandsIn(log: string): string[] {
  return log
    .split(/[\n\r\u0085\u2028\u2029\v\f]/)
    .map((line) => line.trimStart())
    .filter((line) => /^::(?:stop-commands|set-env|set-output|HOSTILE)|^##\[|^::\w+ [^:]*HOSTILE/.test(line));
}
