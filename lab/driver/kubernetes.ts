import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { McprtError, messageOf } from '../../shared/errors.js';
import { builtOnce } from './built-once.js';
import { cacheFolder, root } from './folders.js';
import { downloadModule, type ModuleOptions } from './module-program.js';

const run = promisify(execFile);
const module = 'k8s.io/kubernetes';
const sources = ['kubernetes/main.go', 'cluster/kubernetes.go'].map((one) => join(root, 'lab', one));

/** The control plane's programs of a version, which `kubernetesProgram` holds in one. */
export const kubernetesParts: readonly string[] = ['apiserver', 'controller-manager', 'scheduler'];

/**
 * Builds API server, controller-manager and scheduler of one version with that version's own dependencies, or finds the
 * build in the cache folder.
 *
 * @param version such as `1.30.14`
 * @returns the program: `PART FLAG ...`
 * @throws McprtError `lab-build`
 */
export async function buildKubernetes(version: string, { env, progress }: ModuleOptions): Promise<string> {
  const hash = createHash('sha256');
  for (const source of sources) hash.update(await readFile(source));
  const home = join(cacheFolder(env), 'kubernetes', `${version}-${hash.digest('hex').slice(0, 16)}`);
  await builtOnce(home, async (folder, done) => {
    progress(`  building Kubernetes ${version} from its Go modules: once, some minutes, then cached`);
    const started = Date.now();
    try {
      await compile(version, { folder, done, env });
    } catch (cause) {
      throw new McprtError('lab-build', {
        what: `Kubernetes ${version} cannot be built`,
        why: messageOf(cause),
        next: 'check that the Go module proxy can be reached, and that it has this version',
        cause,
      });
    }
    progress(`  built in ${Math.round((Date.now() - started) / 1000)} s`);
  });
  return join(home, 'kubernetes');
}

/** What the linker is told, so that the programs say which version they are. @param version such as `1.30.14` */
export function versionFlags(version: string): string {
  const [major, minor] = version.split('.');
  const name = 'k8s.io/component-base/version';
  return `-X ${name}.gitVersion=v${version} -X ${name}.gitMajor=${major} -X ${name}.gitMinor=${minor}`;
}

async function compile(
  version: string,
  { folder, done, env }: { folder: string; done: string; env: NodeJS.ProcessEnv },
): Promise<void> {
  const from = await downloadModule(`${module}@v${version}`, { cwd: folder, env });
  await mkdir(done);
  await writeFile(join(folder, 'go.mod'), moduleText(version, await readFile(join(from, 'go.mod'), 'utf8')));
  await writeFile(join(folder, 'go.sum'), await readFile(join(from, 'go.sum')));
  for (const source of sources) await copyFile(source, join(folder, basename(source)));
  const args = ['build', '-mod=mod', '-trimpath', '-buildvcs=false', '-ldflags', `-s -w ${versionFlags(version)}`];
  await run('go', [...args, '-o', join(done, 'kubernetes'), '.'], { cwd: folder, env, maxBuffer: 1 << 26 });
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
