import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { McprtError, messageOf } from '../../shared/errors.js';
import { cacheFolder, root } from './folders.js';
import type { Progress } from './program.js';

const run = promisify(execFile);
const source = join(root, 'lab', 'policies', 'main.go');
const module = 'github.com/cert-manager/cert-manager';
/** What of cert-manager's module is compiled. */
const taken = ['go.mod', 'go.sum', 'internal', 'pkg', 'third_party'];
/** What its policies do not use, and what would bring Kubernetes' whole client with it: minutes to compile. */
const left: ReadonlySet<string> = new Set([
  'internal/controller/certificates/apply.go',
  'internal/controller/certificates/certificates.go',
  'internal/controller/certificates/policies/gatherer.go',
  'pkg/api/util/conditions.go',
  'pkg/util/useragent.go',
]);

/** What cert-manager's own chain says about one case; the fields are those of lab/policies/main.go. */
export interface PolicyAnswer {
  readonly violated: boolean;
  readonly reason?: string;
  readonly message?: string;
  readonly next?: readonly string[];
  readonly nextError?: string;
  readonly panicked?: string;
  readonly unreadable?: string;
}

/** The running policy chain of one version of cert-manager. */
export interface PolicyChain {
  /** Answers in the order of the cases. */
  ask(cases: readonly object[]): Promise<PolicyAnswer[]>;
  stop(): void;
}

/** Where the driver works, and whom it tells. */
export interface PolicyOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly progress: Progress;
}

/** Starts the policy chain of one version, such as `1.16.2`. @throws McprtError `lab-build` */
export async function startPolicies(version: string, options: PolicyOptions): Promise<PolicyChain> {
  const program = await buildPolicies(version, options);
  const child = spawn(program, [], { stdio: ['pipe', 'pipe', 'inherit'], env: {} });
  const lines = createInterface({ input: child.stdout, crlfDelay: Number.POSITIVE_INFINITY })[Symbol.asyncIterator]();
  return {
    async ask(cases) {
      child.stdin.write(cases.map((one) => `${JSON.stringify(one)}\n`).join(''));
      const answers: PolicyAnswer[] = [];
      while (answers.length < cases.length) {
        const line = await lines.next();
        if (line.done) throw new Error(`cert-manager ${version}: its policies ended after ${answers.length} answers`);
        answers.push(JSON.parse(line.value) as PolicyAnswer);
      }
      return answers;
    },
    stop: () => void child.stdin.end(),
  };
}

/** Builds the chain of one version, or finds the build of the same sources in the cache folder. */
async function buildPolicies(version: string, { env, progress }: PolicyOptions): Promise<string> {
  const hash = createHash('sha256').update(await readFile(source));
  const parts = [version, ...taken, ...left];
  const name = `${version}-${hash.update(parts.join()).digest('hex').slice(0, 16)}`;
  const builds = join(cacheFolder(env), 'policies');
  const home = join(builds, name);
  if (!existsSync(home)) {
    progress(`  building the policies of cert-manager ${version} from its Go module: once, then cached`);
    const started = Date.now();
    await mkdir(builds, { recursive: true });
    const workshop = await mkdtemp(join(builds, 'building-'));
    try {
      await compile(version, workshop, env);
      await mkdir(join(workshop, 'done'));
      await rename(join(workshop, 'policies'), join(workshop, 'done', 'policies'));
      await rename(join(workshop, 'done'), home).catch((error: unknown) => {
        // Another process finished the same build first; its result is the same.
        if (!existsSync(home)) throw error;
      });
    } finally {
      await rm(workshop, { recursive: true, force: true });
    }
    progress(`  built in ${Math.round((Date.now() - started) / 1000)} s`);
  }
  return join(home, 'policies');
}

/** Makes `policies` in a folder, in a copy of the version's own module, with that module's own dependencies. */
async function compile(version: string, folder: string, env: NodeJS.ProcessEnv): Promise<void> {
  const copy = join(folder, 'module');
  try {
    const { stdout } = await run('go', ['mod', 'download', '-json', `${module}@v${version}`], { cwd: folder, env });
    const { Dir: from } = JSON.parse(stdout) as { Dir: string };
    for (const part of taken.filter((one) => existsSync(join(from, one)))) await copySources(from, part, copy);
    const program = join(copy, 'cmd', 'policies');
    await mkdir(program, { recursive: true });
    await copyFile(source, join(program, 'main.go'));
    const args = ['build', '-trimpath', '-buildvcs=false', '-ldflags', '-s -w', '-o', join(folder, 'policies')];
    await run('go', [...args, './cmd/policies'], { cwd: copy, env, maxBuffer: 1 << 26 });
  } catch (cause) {
    throw new McprtError('lab-build', {
      what: `the policies of cert-manager ${version} do not build`,
      why: messageOf(cause),
      next: 'check that the Go module proxy can be reached, and that it has this version',
      cause,
    });
  }
}

/** Copies what is compiled. The module cache is read-only, so the folders are made anew and not copied with their modes. */
async function copySources(from: string, part: string, to: string): Promise<void> {
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
