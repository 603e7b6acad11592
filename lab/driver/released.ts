import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { McprtError, messageOf } from '../../shared/errors.js';
import { builtOnce } from './built-once.js';
import { cacheFolder } from './folders.js';
import type { ModuleOptions } from './module-program.js';

const run = promisify(execFile);

/** Programs of one module, as they are released: with the dependencies of its own go.mod, which the checksum database vouches for. */
export interface Released {
  name: string;
  /** Paths of the programs' packages. */
  packages: readonly string[];
  /** With `v`. */
  version: string;
  tags?: readonly string[];
  /** Whether parts of it are C. */
  hasC?: boolean;
}

/**
 * Builds released programs, or finds the build in the cache folder.
 *
 * @returns folder with the programs, each by the last part of its package's path
 * @throws McprtError `lab-build`
 */
export async function buildReleased(released: Released, { env, progress }: ModuleOptions): Promise<string> {
  const { name, packages, version, tags = [], hasC = false } = released;
  const hash = createHash('sha256').update(JSON.stringify([packages, tags, hasC]));
  const home = join(cacheFolder(env), name, `${version}-${hash.digest('hex').slice(0, 16)}`);
  await builtOnce(home, async (workshop, done) => {
    progress(`building ${name} ${version} from its Go module: once, then cached`);
    await mkdir(done);
    const started = Date.now();
    const args = ['install', '-trimpath', '-buildvcs=false', '-ldflags', '-s -w', '-tags', tags.join()];
    const own = { ...env, GOBIN: done, CGO_ENABLED: hasC ? '1' : '0' };
    const wanted = packages.map((one) => `${one}@${version}`);
    await run('go', [...args, ...wanted], { cwd: workshop, env: own, maxBuffer: 1 << 26 }).catch((cause: unknown) => {
      throw new McprtError('lab-build', {
        what: `${name} ${version} does not build`,
        why: messageOf(cause),
        next: `check that the Go module proxy can be reached${hasC ? ', and that there is a C compiler' : ''}`,
        cause,
      });
    });
    progress(`  built in ${Math.round((Date.now() - started) / 1000)} s`);
  });
  return home;
}
