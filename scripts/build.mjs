// Compiles every TypeScript source into build/, unless that is what the folder holds already: a proof that runs from it is
// not disturbed by the next command. The folder is emptied first, or jest would run tests whose sources are gone.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const build = join(root, 'build');
const stamp = join(build, '.sources');

/** What the build is made of: every source, the compiler's options, and the packages with the compiler itself. */
const digest = () => {
  const { exclude } = JSON.parse(readFileSync(join(root, 'tsconfig.json'), 'utf8'));
  const folders = readdirSync(root, { withFileTypes: true }).filter((one) => one.isDirectory());
  const sources = folders
    .map(({ name }) => name)
    .filter((name) => !name.startsWith('.') && !exclude.includes(name))
    .flatMap((name) => readdirSync(join(root, name), { recursive: true }).map((file) => join(name, file)))
    .filter((file) => file.endsWith('.ts'));
  const hash = createHash('sha256');
  for (const name of [...sources.sort(), 'tsconfig.json', 'package-lock.json']) {
    hash
      .update(`${name}\0`)
      .update(readFileSync(join(root, name)))
      .update('\0');
  }
  return hash.digest('hex');
};

const wanted = digest();
if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) {
  rmSync(build, { recursive: true, force: true });
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const run = spawnSync(process.execPath, [tsc, '-p', join(root, 'tsconfig.json')], { stdio: 'inherit' });
  if (run.status !== 0) process.exit(run.status ?? 1);
  writeFileSync(stamp, wanted);
}
