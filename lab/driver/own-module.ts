import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { McprtError, messageOf } from '../../shared/errors.js';
import { builtOnce } from './built-once.js';
import { cacheFolder, root } from './folders.js';
import type { Progress } from './progress.js';

const run = promisify(execFile);

/**
 * Builds a program that is a Go module of its own, in the folder of its name below lab/, or finds the build of the same sources in the
 * cache folder.
 *
 * @returns path of the program
 * @throws McprtError `lab-build`
 */
export async function buildOwnModule(
  name: string,
  { env, progress }: { env: NodeJS.ProcessEnv; progress: Progress },
): Promise<string> {
  const source = join(root, 'lab', name);
  const hash = createHash('sha256');
  for (const file of ['go.mod', 'go.sum', 'main.go']) hash.update(await readFile(join(source, file)));
  const home = join(cacheFolder(env), name, hash.digest('hex').slice(0, 16));
  await builtOnce(home, async (_, done) => {
    progress(`building ${name} from Go modules: once, about a minute, then cached`);
    const args = ['build', '-trimpath', '-buildvcs=false', '-ldflags', '-s -w', '-o', join(done, name), '.'];
    await run('go', args, { cwd: source, env }).catch((cause: unknown) => {
      throw new McprtError('lab-build', {
        what: `${name} does not build`,
        why: messageOf(cause),
        next: `check that the Go module proxy can be reached, and try \`go build .\` in lab/${name}`,
        cause,
      });
    });
  });
  return join(home, name);
}
