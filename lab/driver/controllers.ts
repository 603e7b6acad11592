import { join } from 'node:path';
import { buildInModule, type ModuleOptions, type ModuleProgram } from './module-program.js';

const controllers: ModuleProgram = {
  name: 'controllers',
  sources: ['controller/main.go', 'cluster/certmanager.go', 'cluster/selfcheck.go'],
  // For the proxy of cert-manager's self check (lab/cluster/selfcheck.go).
  ldflags: '-checklinkname=0',
};

/** cert-manager's own controllers of one version, and its CRDs. @param version such as `1.16.2` */
export async function buildControllers(
  version: string,
  options: ModuleOptions,
): Promise<{ program: string; crds: string }> {
  const home = await buildInModule(version, controllers, options);
  return { program: join(home, controllers.name), crds: join(home, 'crds') };
}
