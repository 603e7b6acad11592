import type { ActionRun } from '../../lab/driver/action.js';
import type { Github } from '../../lab/github/github.js';
import { said } from '../support/runs.js';
import type { World } from '../world/world.js';

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
  /** How many there were. */
  runs(): number;
}

/** Steps with cache and artifact as stores, each as a job that `view` shows. */
export function makeSteps({ context, backup }: World): Steps {
  let runs = 0;
  return {
    runs: () => runs,
    async step(view, operation, inputs, { error, outputs = {}, says = [] }) {
      runs += 1;
      const given = { stores: 'cache,artifact', 'github-token': view.token, ...inputs };
      const done = await backup(operation, given, { ...view.env });
      const shown = Object.entries(inputs).map(([name, value]) => [name, /token|key/.test(name) ? '…' : value]);
      const subject = `${operation} ${JSON.stringify(Object.fromEntries(shown))}`;
      context.expectEnd(subject, error, done);
      const wrong = Object.entries(outputs).filter(
        ([name, value]) => !context.expectSame(`${subject}: ${name}`, done.outputs[name], value),
      );
      if (wrong.length > 0) context.fail(`${subject} said`, done);
      for (const text of says) context.expect(said(done).includes(text), `${subject}: does not say "${text}"`, done);
      return done;
    },
  };
}
