import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { McprtError, messageOf } from '../../shared/errors.js';
import { builtOnce } from './built-once.js';
import { cacheFolder, root } from './folders.js';
import type { Progress } from './progress.js';

const run = promisify(execFile);
const module = 'github.com/cert-manager/cert-manager';
/** What of cert-manager's module is compiled. */
const taken = ['go.mod', 'go.sum', 'internal', 'pkg', 'third_party', 'test/unit'];

/** A program of ours that is compiled against one version of cert-manager: in a copy of its module, with its dependencies. */
export interface ModuleProgram {
  name: string;
  /** Of `package main`, below lab/. */
  sources: readonly string[];
  /** Files of the module that are not compiled. */
  left?: readonly string[];
  ldflags?: string;
}

/** Where the driver works, and whom it tells. */
export interface ModuleOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly progress: Progress;
}

/** Where something is built, whom it tells, and what ends it. */
export interface BuildOptions extends ModuleOptions {
  readonly signal?: AbortSignal;
}

/**
 * Builds a program against one version, such as `1.16.2`, or finds the build of the same sources in the cache folder.
 *
 * @returns folder with the program by its name, and `crds`, the version's CRDs with its name in `version`
 * @throws McprtError `lab-build`
 */
export async function buildInModule(
  version: string,
  program: ModuleProgram,
  { env, progress }: ModuleOptions,
): Promise<string> {
  const { name, sources, left = [], ldflags = '' } = program;
  const hash = createHash('sha256').update([version, ...taken, ...left, ldflags].join());
  for (const source of sources) hash.update(await readFile(join(root, 'lab', source)));
  const home = join(cacheFolder(env), name, `${version}-${hash.digest('hex').slice(0, 16)}`);
  await builtOnce(home, async (folder, done) => {
    progress(`  building ${name} of cert-manager ${version} from its Go module: once, then cached`);
    const started = Date.now();
    await compile(version, program, { folder, done, env });
    progress(`  built in ${Math.round((Date.now() - started) / 1000)} s`);
  });
  return home;
}

async function compile(
  version: string,
  { name, sources, left = [], ldflags = '' }: ModuleProgram,
  { folder, done, env }: { folder: string; done: string; env: NodeJS.ProcessEnv },
): Promise<void> {
  const copy = join(folder, 'module');
  try {
    const from = await downloadModule(`${module}@v${version}`, { cwd: folder, env });
    for (const part of taken.filter((one) => existsSync(join(from, one)))) {
      await copySources(from, part, { to: copy, left: new Set(left) });
    }
    const main = join(copy, 'cmd', name);
    await mkdir(main, { recursive: true });
    for (const source of sources) await copyFile(join(root, 'lab', source), join(main, basename(source)));
    const args = ['build', '-trimpath', '-buildvcs=false', '-ldflags', `-s -w ${ldflags}`, '-o', join(done, name)];
    await run('go', [...args, `./cmd/${name}`], { cwd: copy, env, maxBuffer: 1 << 26 });
    await copyCrds(join(from, 'deploy', 'crds'), join(done, 'crds'), version);
  } catch (cause) {
    throw new McprtError('lab-build', {
      what: `${name} of cert-manager ${version} cannot be built`,
      why: messageOf(cause),
      next: 'check that the Go module proxy can be reached, and that it has this version',
      cause,
    });
  }
}

/** Downloads a Go module. @returns its folder in the module cache, which is read-only */
export async function downloadModule(
  module: string,
  options: { cwd: string; env: NodeJS.ProcessEnv },
): Promise<string> {
  const { stdout } = await run('go', ['mod', 'download', '-json', module], options);
  return (JSON.parse(stdout) as { Dir: string }).Dir;
}

/** Copies the CRDs of a version of cert-manager, and notes which it is. @param version without `v` */
export async function copyCrds(from: string, to: string, version: string): Promise<void> {
  await cp(from, to, { recursive: true, filter: (path) => !/\.(?:md|go)$|testdata/.test(path) });
  await writeFile(join(to, 'version'), `v${version}\n`);
}

/** Copies what is compiled. The module cache is read-only, so the folders are made anew and not copied with their modes. */
async function copySources(
  from: string,
  part: string,
  { to, left }: { to: string; left: ReadonlySet<string> },
): Promise<void> {
  const folder = join(from, part);
  const isFile = /^go\.(?:mod|sum)$/.test(part);
  const names = isFile ? [part] : (await readdir(folder, { recursive: true })).map((name) => join(part, name));
  const wanted = names.filter(
    (name) => isFile || (name.endsWith('.go') && !name.endsWith('_test.go') && !left.has(name)),
  );
  for (const name of wanted) {
    await mkdir(dirname(join(to, name)), { recursive: true });
    await copyFile(join(from, name), join(to, name));
  }
}
