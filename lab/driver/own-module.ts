import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFile, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { McprtError, messageOf } from '../../shared/errors.js';
import { builtOnce } from './built-once.js';
import { cacheFolder, root } from './folders.js';
import type { Progress } from './progress.js';

const run = promisify(execFile);

/** Sources that stand with others' and are compiled in, below lab/: the lines that every oracle reads and writes. */
const besides: Readonly<Record<string, readonly string[]>> = { kstatus: ['cluster/lines.go'] };
/** Programs of others, by the folder whose go.mod names their version: nothing of ours is compiled in. */
const others: Readonly<Record<string, string>> = {
  s3: 'github.com/versity/versitygw/cmd/versitygw',
  oras: 'oras.land/oras/cmd/oras',
};

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
  const target = others[name] ?? '.';
  const files = ['go.mod', 'go.sum', ...(target === '.' ? ['main.go'] : [])];
  const own = files.map((file) => join(name, file));
  const sources = [...own, ...(besides[name] ?? [])].map((file) => join(root, 'lab', file));
  const hash = createHash('sha256');
  for (const source of sources) hash.update(await readFile(source));
  const home = join(cacheFolder(env), name, hash.digest('hex').slice(0, 16));
  await builtOnce(home, async (workshop, done) => {
    progress(`building ${name} from Go modules: once, a minute or some, then cached`);
    const args = ['build', '-trimpath', '-buildvcs=false', '-ldflags', '-s -w', '-o', join(done, name), target];
    for (const source of sources) await copyFile(source, join(workshop, basename(source)));
    await run('go', args, { cwd: workshop, env }).catch((cause: unknown) => {
      throw new McprtError('lab-build', {
        what: `${name} does not build`,
        why: messageOf(cause),
        next: `check that the Go module proxy can be reached, and try \`go mod download\` in lab/${name}`,
        cause,
      });
    });
  });
  return join(home, name);
}
