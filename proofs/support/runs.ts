import { type ActionRun, withoutMasks } from '../../lab/driver/action.js';
import { isRecord, parsedJson } from '../../shared/json.js';

/** What a message tells of a run. */
export type Told = Pick<ActionRun, 'log' | 'code'> & Partial<Pick<ActionRun, 'signal' | 'error'>>;

/** The end of a run's log as people see it: nobody sees what is said for debugging, unless they ask for it. */
export function tail({ log }: Pick<Told, 'log'>, characters = 3000): string {
  return withoutMasks(log)
    .replace(/^::debug::.*\n/gm, '')
    .trim()
    .slice(-characters);
}

/** A run that all that follows needs. @throws Error when it failed */
export function mustWork(what: string, run: ActionRun): ActionRun {
  if (run.code !== 0) throw new Error(`${what} failed with ${run.error ?? run.signal}:\n${tail(run, 6000)}`);
  return run;
}

/** The output `result` of a run, as far as it has one. */
export function resultOf({ outputs }: Pick<ActionRun, 'outputs'>): Record<string, unknown> {
  const result = parsedJson(outputs.result ?? '');
  return isRecord(result) ? result : {};
}

/** Log and summary as people read them: without the escapes of either. */
export function said({ log, summary }: Pick<ActionRun, 'log' | 'summary'>): string {
  const plain = log.replaceAll('%0A', '\n').replaceAll('%25', '%');
  return `${plain}\n${summary.replace(/\\([\\`*_{}[\]<>|#])/g, '$1')}`;
}
