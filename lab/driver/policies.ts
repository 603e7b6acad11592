import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { buildInModule, type ModuleOptions, type ModuleProgram } from './module-program.js';

const policies: ModuleProgram = {
  name: 'policies',
  sources: ['policies/main.go'],
  // What its policies do not use, and what would bring Kubernetes' whole client with it: minutes to compile.
  left: [
    'internal/controller/certificates/apply.go',
    'internal/controller/certificates/certificates.go',
    'internal/controller/certificates/policies/gatherer.go',
    'pkg/api/util/conditions.go',
    'pkg/util/useragent.go',
  ],
};

/** What cert-manager's own chain says about one case; the fields are those of lab/policies/main.go. */
export interface PolicyAnswer {
  readonly violated: boolean;
  readonly reason?: string;
  readonly message?: string;
  readonly next?: readonly string[];
  readonly nextError?: string;
  readonly panicked?: string;
  readonly unreadable?: string;
}

/** The running policy chain of one version of cert-manager. */
export interface PolicyChain {
  /** Answers in the order of the cases. */
  ask(cases: readonly object[]): Promise<PolicyAnswer[]>;
  stop(): void;
}

/** Starts the policy chain of one version, such as `1.16.2`. @throws McprtError `lab-build` */
export async function startPolicies(version: string, options: ModuleOptions): Promise<PolicyChain> {
  const home = await buildInModule(version, policies, options);
  const child = spawn(join(home, policies.name), [], { stdio: ['pipe', 'pipe', 'inherit'], env: {} });
  const lines = createInterface({ input: child.stdout, crlfDelay: Number.POSITIVE_INFINITY })[Symbol.asyncIterator]();
  return {
    async ask(cases) {
      child.stdin.write(cases.map((one) => `${JSON.stringify(one)}\n`).join(''));
      const answers: PolicyAnswer[] = [];
      while (answers.length < cases.length) {
        const line = await lines.next();
        if (line.done) throw new Error(`cert-manager ${version}: its policies ended after ${answers.length} answers`);
        answers.push(JSON.parse(line.value) as PolicyAnswer);
      }
      return answers;
    },
    stop: () => void child.stdin.end(),
  };
}
