import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { McprtError, messageOf } from '../../shared/errors.js';
import { builtOnce } from './built-once.js';
import { cacheFolder, root } from './folders.js';
import { downloadModule, type ModuleOptions } from './module-program.js';

const run = promisify(execFile);
const module = 'k8s.io/kubernetes';
/** A program of ours that is compiled with one version of Kubernetes. */
export interface KubernetesProgram {
  name: string;
  /** Of `package main`, below lab/. */
  sources: readonly string[];
}

const controlPlane: KubernetesProgram = {
  name: 'kubernetes',
  sources: ['kubernetes/main.go', 'cluster/kubernetes.go'],
};

/** The control plane's programs of a version, which `buildKubernetes` holds in one. */
export const kubernetesParts: readonly string[] = ['apiserver', 'controller-manager', 'scheduler'];

/**
 * Builds API server, controller-manager and scheduler of one version.
 *
 * @param version such as `1.30.14`
 * @returns the program: `PART FLAG ...`
 * @throws McprtError `lab-build`
 */
export const buildKubernetes = (version: string, options: ModuleOptions): Promise<string> =>
  buildWithKubernetes(controlPlane, version, options);

/**
 * Builds a program with one version of Kubernetes and that version's own dependencies, or finds the build in the cache folder.
 *
 * @returns its path
 * @throws McprtError `lab-build`
 */
export async function buildWithKubernetes(
  { name, sources }: KubernetesProgram,
  version: string,
  { env, progress }: ModuleOptions,
): Promise<string> {
  const files = sources.map((one) => join(root, 'lab', one));
  const hash = createHash('sha256');
  for (const file of files) hash.update(await readFile(file));
  const home = join(cacheFolder(env), name, `${version}-${hash.digest('hex').slice(0, 16)}`);
  await builtOnce(home, async (folder, done) => {
    progress(`  building ${name} with Kubernetes ${version} from its Go modules: once, some minutes, then cached`);
    const started = Date.now();
    try {
      await compile(version, { folder, program: join(done, name), files, env });
    } catch (cause) {
      throw new McprtError('lab-build', {
        what: `${name} cannot be built with Kubernetes ${version}`,
        why: messageOf(cause),
        next: 'check that the Go module proxy can be reached, and that it has this version',
        cause,
      });
    }
    progress(`  built in ${Math.round((Date.now() - started) / 1000)} s`);
  });
  return join(home, name);
}

/** What the linker is told, so that the programs say which version they are. @param version such as `1.30.14` */
export function versionFlags(version: string): string {
  const [major, minor] = version.split('.');
  const name = 'k8s.io/component-base/version';
  return `-X ${name}.gitVersion=v${version} -X ${name}.gitMajor=${major} -X ${name}.gitMinor=${minor}`;
}

interface Compilation {
  folder: string;
  /** Where it goes. */
  program: string;
  files: readonly string[];
  env: NodeJS.ProcessEnv;
}

async function compile(version: string, { folder, program, files, env }: Compilation): Promise<void> {
  const from = await downloadModule(`${module}@v${version}`, { cwd: folder, env });
  await mkdir(dirname(program));
  await writeFile(join(folder, 'go.mod'), moduleText(version, await readFile(join(from, 'go.mod'), 'utf8')));
  await writeFile(join(folder, 'go.sum'), await readFile(join(from, 'go.sum')));
  for (const file of files) await copyFile(file, join(folder, basename(file)));
  const args = ['build', '-mod=mod', '-trimpath', '-buildvcs=false', '-ldflags', `-s -w ${versionFlags(version)}`];
  await run('go', [...args, '-o', program, '.'], { cwd: folder, env, maxBuffer: 1 << 26 });
}

/**
 * A module that takes Kubernetes as it is released. Kubernetes' own go.mod finds its parts in its own tree, which the
 * module proxy does not serve with it: they are modules of their own there.
 */
function moduleText(version: string, goMod: string): string {
  const [, language] = /^go (\S+)$/m.exec(goMod) ?? [];
  const replaced = [...goMod.matchAll(/^\s*(k8s\.io\/[\w-]+) => \.\/staging\//gm)].map(([, part]) => part);
  const required = [...goMod.matchAll(/^\s*(k8s\.io\/[\w-]+) v0\.0\.0$/gm)].map(([, part]) => part);
  const parts = [...new Set([...replaced, ...required])];
  return [
    'module mcprt.dev/lab/kubernetes',
    `go ${language}`,
    `require ${module} v${version}`,
    ...parts.map((part) => `replace ${part} => ${part} v${version.replace(/^1\./, '0.')}`),
    '',
  ].join('\n');
}
