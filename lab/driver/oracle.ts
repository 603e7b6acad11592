import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { buildInModule, type ModuleOptions, type ModuleProgram } from './module-program.js';

/** Asks a version's own policy chain for a verdict, and its decoders what they read. */
export const policies: ModuleProgram = {
  name: 'policies',
  sources: ['policies/main.go', 'policies/decode.go', 'oracle/lines.go'],
  // What its policies do not use, and what would bring Kubernetes' whole client with it: minutes to compile.
  left: [
    'internal/controller/certificates/apply.go',
    'internal/controller/certificates/certificates.go',
    'internal/controller/certificates/policies/gatherer.go',
    'pkg/api/util/conditions.go',
    'pkg/util/useragent.go',
  ],
};

/** Asks a version's own ingress-shim which Certificates it makes. */
export const shim: ModuleProgram = { name: 'shim', sources: ['shim/main.go', 'oracle/lines.go'] };

/** A running program that asks one version of cert-manager. */
export interface Oracle<Answer> {
  /** Answers in the order of the questions; the fields of both are those of the program. */
  ask(questions: readonly object[]): Promise<Answer[]>;
  stop(): void;
}

/** Starts an oracle of one version, such as `1.16.2`. @throws McprtError `lab-build` */
export async function startOracle<Answer>(
  version: string,
  program: ModuleProgram,
  options: ModuleOptions,
): Promise<Oracle<Answer>> {
  const home = await buildInModule(version, program, options);
  const child = spawn(join(home, program.name), [], { stdio: ['pipe', 'pipe', 'inherit'], env: {} });
  const lines = createInterface({ input: child.stdout, crlfDelay: Number.POSITIVE_INFINITY })[Symbol.asyncIterator]();
  return {
    async ask(questions) {
      child.stdin.write(questions.map((one) => `${JSON.stringify(one)}\n`).join(''));
      const answers: Answer[] = [];
      while (answers.length < questions.length) {
        const line = await lines.next();
        if (line.done) {
          throw new Error(`cert-manager ${version}: its ${program.name} ended after ${answers.length} answers`);
        }
        answers.push(JSON.parse(line.value) as Answer);
      }
      return answers;
    },
    stop: () => void child.stdin.end(),
  };
}
