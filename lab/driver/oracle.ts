import { join } from 'node:path';
import { type Answerer, askByLines } from './answerer.js';
import { buildInModule, type ModuleOptions, type ModuleProgram } from './module-program.js';

/** Asks a version's own policy chain for a verdict, and its decoders what they read. */
export const policies: ModuleProgram = {
  name: 'policies',
  sources: ['policies/main.go', 'policies/decode.go', 'cluster/lines.go'],
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
export const shim: ModuleProgram = { name: 'shim', sources: ['shim/main.go', 'cluster/lines.go'] };

/** Starts an oracle of one version, such as `1.16.2`. @throws McprtError `lab-build` */
export async function startOracle<Answer>(
  version: string,
  program: ModuleProgram,
  options: ModuleOptions,
): Promise<Answerer<Answer>> {
  const home = await buildInModule(version, program, options);
  return askByLines(`${program.name} of cert-manager ${version}`, join(home, program.name));
}
