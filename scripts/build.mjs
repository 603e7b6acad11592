// Compiles the TypeScript sources into build/: only what has changed, and nothing where the folder holds them already, so
// that a proof that runs from it is not disturbed by the next command. What has no source any more goes, or jest would
// run it.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const build = join(root, 'build');
/** Digest of what was compiled; and what the compiler remembers of it. */
const [stamp, memory] = ['.sources', '.tsbuildinfo'].map((name) => join(build, name));

const filesIn = (folder) => (existsSync(folder) ? readdirSync(folder, { recursive: true }) : []);

/** Every source, from the root. */
const sources = () => {
  const { exclude } = JSON.parse(readFileSync(join(root, 'tsconfig.json'), 'utf8'));
  return readdirSync(root, { withFileTypes: true })
    .filter((one) => one.isDirectory() && !one.name.startsWith('.') && !exclude.includes(one.name))
    .flatMap(({ name }) => filesIn(join(root, name)).map((file) => join(name, file)))
    .filter((file) => file.endsWith('.ts'))
    .sort();
};

/** What the build is made of: the sources, the compiler's options, and the packages with the compiler itself. */
const digestOf = (files) => {
  const hash = createHash('sha256');
  for (const name of [...files, 'tsconfig.json', 'package-lock.json']) {
    hash
      .update(`${name}\0`)
      .update(readFileSync(join(root, name)))
      .update('\0');
  }
  return hash.digest('hex');
};

const files = sources();
const wanted = digestOf(files);
if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) {
  // A compiler that is stopped leaves a mixture, which is that of no sources.
  rmSync(stamp, { force: true });
  const outputs = new Set(files.flatMap((file) => [file.replace(/ts$/, 'js'), file.replace(/ts$/, 'js.map')]));
  const present = filesIn(build).filter((file) => /\.js(\.map)?$/.test(file));
  for (const file of present.filter((name) => !outputs.has(name))) rmSync(join(build, file));
  // The compiler does not look whether what it has written is still there.
  if (present.filter((name) => outputs.has(name)).length < outputs.size) rmSync(memory, { force: true });
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const words = [tsc, '-p', join(root, 'tsconfig.json'), '--incremental', '--tsBuildInfoFile', memory];
  const run = spawnSync(process.execPath, words, { stdio: 'inherit' });
  if (run.status !== 0) process.exit(run.status ?? 1);
  writeFileSync(stamp, wanted);
}
