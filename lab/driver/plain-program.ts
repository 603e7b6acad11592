import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFile, mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { McprtError, messageOf } from '../../shared/errors.js';
import { builtOnce } from './built-once.js';
import { cacheFolder, root } from './folders.js';
import type { ModuleOptions } from './module-program.js';

const run = promisify(execFile);

/**
 * Builds a program of ours that needs nothing but Go's own library, and at run time nothing at all, or finds it in the cache folder.
 *
 * @param name its folder below lab/
 * @returns its path
 * @throws McprtError `lab-build`
 */
export async function buildPlain(name: string, { env, progress }: ModuleOptions): Promise<string> {
  const folder = join(root, 'lab', name);
  const files = (await readdir(folder)).filter((file) => file.endsWith('.go')).sort();
  const hash = createHash('sha256');
  for (const file of files) hash.update(file).update(await readFile(join(folder, file)));
  const home = join(cacheFolder(env), name, hash.digest('hex').slice(0, 16));
  await builtOnce(home, async (workshop, done) => {
    progress(`building ${name}: once, then cached`);
    await mkdir(done);
    for (const file of files) await copyFile(join(folder, file), join(workshop, file));
    const args = ['build', '-trimpath', '-ldflags', '-s -w', '-o', join(done, name), ...files];
    await run('go', args, { cwd: workshop, env: { ...env, CGO_ENABLED: '0' } }).catch((cause: unknown) => {
      throw new McprtError('lab-build', {
        what: `${name} does not build`,
        why: messageOf(cause),
        next: `try \`go build *.go\` in lab/${name}`,
        cause,
      });
    });
  });
  return join(home, name);
}
