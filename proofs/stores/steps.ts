import type { ActionRun } from '../../lab/driver/action.js';
import type { Github } from '../../lab/github/github.js';
import type { Rig } from '../rig.js';

/** What a step must come to. */
export interface Expected {
  /** Code of the error that it fails with; left out when it must succeed. */
  error?: string;
  outputs?: Record<string, string>;
  /** What log or summary must say, for people. */
  says?: string[];
}

/** Runs action-backup step by step, and notes what is not as it must be. */
export interface Steps {
  step(view: Github, operation: string, inputs: Record<string, string>, expected: Expected): Promise<ActionRun>;
  readonly problems: string[];
  readonly runs: number;
}

/** Steps with cache and artifact as stores, each as a job that `view` shows. */
export function makeSteps(rig: Rig): Steps {
  const problems: string[] = [];
  let runs = 0;
  return {
    problems,
    get runs() {
      return runs;
    },
    async step(view, operation, inputs, expected) {
      runs += 1;
      const done = await rig.act(
        operation,
        { stores: 'cache,artifact', 'github-token': view.token, ...inputs },
        { ...view.env },
      );
      const shown = Object.entries(inputs).map(([name, value]) => [name, /token|key/.test(name) ? '…' : value]);
      const subject = `${operation} ${JSON.stringify(Object.fromEntries(shown))}`;
      if (done.error !== expected.error || (done.code === 0) !== (expected.error === undefined)) {
        problems.push(
          `${subject}: exit ${done.code} with ${done.error ?? 'no error'}, not ${expected.error ?? 'success'}: ${tail(done)}`,
        );
      }
      for (const [name, value] of Object.entries(expected.outputs ?? {})) {
        if (done.outputs[name] !== value) problems.push(`${subject}: ${name} is ${done.outputs[name]}, not ${value}`);
      }
      for (const text of expected.says ?? []) {
        if (!said(done).includes(text)) problems.push(`${subject}: does not say "${text}": ${tail(done)}`);
      }
      return done;
    },
  };
}

/** Log and summary as people read them: without the escapes of either. */
export function said({ log, summary }: ActionRun): string {
  const plain = log.replaceAll('%0A', '\n').replaceAll('%25', '%');
  return `${plain}\n${summary.replace(/\\([\\`*_{}[\]<>|#])/g, '$1')}`;
}

/** The end of the log, for a message. */
export function tail({ log }: ActionRun): string {
  return log
    .replace(/^::add-mask::.*$/gm, '')
    .trim()
    .split('\n')
    .slice(-6)
    .join(' | ')
    .slice(0, 900);
}
