import { type ExecFileOptions, execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { McprtError } from '../../shared/errors.js';
import { builtOnce } from './built-once.js';
import { cacheFolder, root } from './folders.js';
import { versionFlags } from './kubernetes.js';
import { type BuildOptions, copyCrds } from './module-program.js';
import { takePrebuilt } from './prebuilt.js';
import type { Progress } from './progress.js';

const run = promisify(execFile);
const source = join(root, 'lab', 'cluster');
/** The version of lab/cluster's control plane. */
export const ownKubernetes = '1.36.3';
const version = `v${ownKubernetes}`;
/** kwok's stages that make nodes Ready, keep them so, make pods Running, and give volumes to claims. */
const stages = ['node/fast', 'node/heartbeat', 'pod/fast', 'volume/fast'];
/** The storage class whose claims get a volume: the one that k3s makes the default. */
export const storageClass = 'local-path';

/** What one build of the lab's Go program gives; all paths are absolute. */
export interface Program {
  lab: string;
  kwok: string;
  age: string;
  ageKeygen: string;
  /** cert-manager's CRDs, those of the Gateway API and kwok's stages, as their modules ship them. */
  crds: string;
  gatewayCrds: string;
  stages: string;
  /** cert-manager's controllers of another version than the lab's own. */
  controllers?: string;
  /** The control plane of another version than the lab's own. */
  kubernetes?: string;
  /** What stands in etcd's place, where it does. */
  kine?: string;
  /** What makes a second API server late, where there is one. */
  relay?: string;
}

/**
 * Finds the lab's program in the cache folder, or takes the build that is released with these sources, or compiles them, which takes
 * minutes.
 *
 * @param signal ends it, with what was begun
 * @throws McprtError `lab-no-go`, `lab-build`; the signal's reason
 */
export async function buildProgram(env: NodeJS.ProcessEnv, progress: Progress, signal?: AbortSignal): Promise<Program> {
  const sources = await sourcesHash();
  const home = join(cacheFolder(env), 'lab', sources);
  await builtOnce(home, async (workshop, done) => {
    await mkdir(done);
    const reason = await takePrebuilt({ sources, workshop, done }, { env, progress, ...(signal && { signal }) });
    if (reason !== undefined) await compileProgram(done, { env, progress, ...(signal && { signal }) }, reason);
  });
  return {
    lab: join(home, 'lab'),
    kwok: join(home, 'kwok'),
    age: join(home, 'age'),
    ageKeygen: join(home, 'age-keygen'),
    crds: join(home, 'crds'),
    gatewayCrds: join(home, 'gateway-crds'),
    stages: join(home, 'stages'),
  };
}

/** Of all that the lab's programs are made from, but for the Go that makes them. */
export async function sourcesHash(): Promise<string> {
  const hash = createHash('sha256').update(version).update(stages.join()).update(storageClass);
  hash.update(JSON.stringify(alike));
  for (const name of (await readdir(source)).sort()) {
    hash.update(name).update(await readFile(join(source, name)));
  }
  return hash.digest('hex').slice(0, 16);
}

/** Without C, every machine builds the same bytes with the same Go. */
const alike = { CGO_ENABLED: '0', GOAMD64: 'v1' };

/**
 * Compiles the programs into a folder, and copies what else a lab is made of beside them.
 *
 * @param notTaken why there was no build to take, for whoever has no Go
 */
export async function compileProgram(folder: string, options: BuildOptions, notTaken = ''): Promise<void> {
  await compile(folder, options, notTaken);
  await copyManifests(folder, options.env);
}

async function compile(folder: string, { env, progress, signal }: BuildOptions, notTaken: string): Promise<void> {
  signal?.throwIfAborted();
  progress(
    'building the lab (API server, etcd, controllers, cert-manager, ACME server) from Go modules: once, then cached; five to ten minutes on two cores',
  );
  // The linker's check forbids what lab/cluster/selfcheck.go does to the proxy of cert-manager's self check.
  const ldflags = `-s -w -checklinkname=0 ${versionFlags(ownKubernetes)}`;
  const targets = ['.', 'sigs.k8s.io/kwok/cmd/kwok', 'filippo.io/age/cmd/age', 'filippo.io/age/cmd/age-keygen'];
  const args = ['build', '-v', '-trimpath', '-buildvcs=false', '-ldflags', ldflags, '-o', `${folder}/`, ...targets];
  const total = await packagesOf(targets, { cwd: source, env, maxBuffer: 1 << 24, ...(signal && { signal }) });
  const started = Date.now();
  await new Promise<void>((resolve, reject) => {
    const own = { ...env, ...alike };
    const child = spawn('go', args, {
      cwd: source,
      env: own,
      stdio: ['ignore', 'ignore', 'pipe'],
      ...(signal && { signal }),
    });
    let compiled = 0;
    let tail: string[] = [];
    const report = setInterval(
      () => progress(`  ${howFar({ compiled, total, seconds: (Date.now() - started) / 1000 })}`),
      15_000,
    );
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      const lines = text.split('\n').filter((line) => line !== '');
      compiled += lines.length;
      tail = [...tail, ...lines].slice(-15);
    });
    child.on('error', (cause) => {
      clearInterval(report);
      if (signal?.aborted) return;
      reject(
        new McprtError('lab-no-go', {
          what: 'the lab has to be compiled, and Go cannot be started',
          why: notTaken === '' ? cause.message : `${cause.message}; the released lab: ${notTaken}`,
          next: 'let this machine reach the release, name a mirror in MCPRT_LAB_URL, or have Go 1.26 or later on the PATH',
          cause,
        }),
      );
    });
    child.on('close', (code) => {
      clearInterval(report);
      if (signal?.aborted) reject(signal.reason as Error);
      else if (code === 0) {
        progress(`  built in ${Math.round((Date.now() - started) / 1000)} s`);
        resolve();
      } else {
        reject(
          new McprtError('lab-build', {
            what: 'the lab’s program does not build',
            why: tail.join('\n'),
            next: 'check that the Go module proxy can be reached, and try `go build .` in lab/cluster',
          }),
        );
      }
    });
  });
}

/** How many packages a build may have to compile, its modules downloaded; undefined where Go does not say, as the build will then say why. */
async function packagesOf(targets: readonly string[], options: ExecFileOptions): Promise<number | undefined> {
  const listed = run('go', ['list', '-deps', ...targets], options);
  return listed.then(
    ({ stdout }) => String(stdout).trim().split('\n').length,
    () => undefined,
  );
}

/**
 * How far a build is, in words, and how long the rest will take where enough of it is done to tell.
 *
 * @param total of what is cached as well, which makes it sooner
 */
export function howFar({
  compiled,
  total,
  seconds,
}: {
  compiled: number;
  total: number | undefined;
  seconds: number;
}): string {
  const spent = `${Math.round(seconds)} s`;
  if (total === undefined) return `${compiled} packages, ${spent}`;
  const done = `${compiled} of ${total} packages, ${spent}`;
  if (compiled < total / 20) return done;
  const left = Math.max(0, (seconds / compiled) * (total - compiled));
  return `${done}; about ${left < 90 ? `${Math.ceil(left)} s` : `${Math.ceil(left / 60)} minutes`} left at this speed`;
}

async function copyManifests(folder: string, env: NodeJS.ProcessEnv): Promise<void> {
  const moduleFolder = async (path: string): Promise<string> => {
    const found = (await run('go', ['list', '-m', '-f', '{{.Dir}}', path], { cwd: source, env })).stdout.trim();
    if (found === '') throw new Error(`Go has compiled ${path}, and does not know where its module is`);
    return found;
  };
  const [certManager, gatewayApi, kwok] = await Promise.all([
    moduleFolder('github.com/cert-manager/cert-manager'),
    moduleFolder('sigs.k8s.io/gateway-api'),
    moduleFolder('sigs.k8s.io/kwok'),
  ]);
  const yaml = (path: string): boolean => !/\.(?:md|go)$|testdata/.test(path);
  const [, certManagerVersion = ''] = /@v(.+)$/.exec(certManager) ?? [];
  await copyCrds(join(certManager, 'deploy', 'crds'), join(folder, 'crds'), certManagerVersion);
  const gateways = /(?:_gateways|_gatewayclasses)\.yaml$/;
  for (const name of await readdir(join(gatewayApi, 'config', 'crd', 'standard'))) {
    if (gateways.test(name))
      await cp(join(gatewayApi, 'config', 'crd', 'standard', name), join(folder, 'gateway-crds', name));
  }
  for (const stage of stages) {
    await cp(join(kwok, 'kustomize', 'stage', stage), join(folder, 'stages', stage.replace('/', '-')), {
      recursive: true,
      filter: yaml,
    });
  }
  const volumes = join(folder, 'stages', 'volume-fast');
  await rm(join(volumes, 'storage-class.yaml'));
  for (const name of await readdir(volumes)) {
    const file = join(volumes, name);
    await writeFile(file, (await readFile(file, 'utf8')).replaceAll('kwok-volume', storageClass));
  }
}
