import { spawn } from 'node:child_process';
import { McprtError, messageOf } from '../errors.js';
import { tailOfLines } from './tail.js';

/** How Docker is run. */
export interface DockerPorts {
  env: Readonly<Record<string, string>>;
  signal: AbortSignal;
  /** Each line of Docker's, as it comes. */
  log: (line: string) => void;
}

/** What there is of Docker here. */
export interface DockerState {
  /** Version of the engine. */
  engine: string;
  /** Driver of the builder that buildx uses; undefined where there is no buildx. */
  buildx: string | undefined;
}

export interface BuildOptions {
  /** Root of the source, which is the build's context. */
  source: string;
  /** Below the source. */
  dockerfile: string;
  /** `os/architecture`; the engine's own when undefined. */
  platform: string | undefined;
  /** What the image is called on this machine. */
  tag: string;
  /** Values by name. They are handed over in the environment, and stand in no command line. */
  buildArgs: Readonly<Record<string, string>>;
  labels: Readonly<Record<string, string>>;
  /** Scope of GitHub's cache, and what the runner tells its actions about it; undefined for no cache. */
  cache: { scope: string; env: Readonly<Record<string, string>> } | undefined;
}

/** How long Docker has after SIGINT, in ms: the runner kills everything 10 s after a job was cancelled. */
const grace = 5_000;
/** How long output is read after Docker has ended, in ms: what it started may hold it open. */
const lastWords = 1_000;
/** How long a question to the engine may take, in ms. */
const answerWithin = 30_000;
const tailLength = 20;
/** What Docker itself goes by: a build argument of such a name would not only reach the build. */
const ownVariables = /^(?:PATH|HOME|XDG_\w+|LD_\w+|DOCKER_\w+|BUILDX_\w+|BUILDKIT_\w+|ACTIONS_\w+|SSL_CERT_\w+)$/;

/** Looks at the engine and the builder. @throws McprtError `docker-missing`; the signal's reason */
export async function dockerState(ports: DockerPorts): Promise<DockerState> {
  const missing = (why: string): McprtError =>
    new McprtError('docker-missing', {
      what: 'images are to be built, and there is no Docker engine here',
      why,
      next: 'use a machine with Docker (GitHub’s Linux runners have it), or build elsewhere: `images` of action-rollout takes images by digest, `image-archive` of action-smoke-test a file',
    });
  const asked = (args: readonly string[]): Promise<Run> => run(args, {}, briefly(ports));
  const engine = await asked(['version', '--format', '{{.Server.Version}}']).catch((error: unknown) => {
    throw ports.signal.aborted ? ports.signal.reason : missing(messageOf(error));
  });
  ports.signal.throwIfAborted();
  if (engine.code !== 0) throw missing(engine.tail.join('\n') || `no answer within ${answerWithin / 1000} s`);
  const buildx = await asked(['buildx', 'inspect']);
  ports.signal.throwIfAborted();
  const driver = buildx.code === 0 ? (/^Driver:\s*(\S+)/m.exec(buildx.lines.join('\n'))?.[1] ?? 'docker') : undefined;
  return { engine: engine.lines.at(-1) ?? '', buildx: driver };
}

/**
 * Builds one image into the engine's own store.
 *
 * @throws McprtError `image-build`; the signal's reason
 */
export async function buildImage(state: DockerState, options: BuildOptions, ports: DockerPorts): Promise<void> {
  const { source, dockerfile, platform, tag, buildArgs, labels, cache } = options;
  const own = Object.keys(buildArgs).filter((name) => ownVariables.test(name));
  if (own.length > 0) {
    throw new McprtError('image-build', {
      what: `${own.join(', ')} cannot be a build argument`,
      why: 'build arguments are given to Docker in its environment, and it goes by this name itself',
      next: 'give the argument another name in the Dockerfile',
    });
  }
  const isCached = cache !== undefined && state.buildx === 'docker-container';
  const args = [
    ...(state.buildx === undefined
      ? ['build']
      : ['buildx', 'build', '--load', '--progress', 'plain', '--provenance=false']),
    '--file',
    `${source}/${dockerfile}`,
    '--tag',
    tag,
    ...(platform === undefined ? [] : ['--platform', platform]),
    ...Object.keys(buildArgs).flatMap((name) => ['--build-arg', name]),
    ...Object.entries(labels).flatMap(([name, value]) => ['--label', `${name}=${value}`]),
    ...(isCached
      ? [
          '--cache-from',
          `type=gha,scope=${cache.scope}`,
          '--cache-to',
          // A cache that takes nothing, as that of a fork's pull request, is no reason to have no image.
          `type=gha,mode=max,ignore-error=true,scope=${cache.scope}`,
        ]
      : []),
    source,
  ];
  const env = {
    ...buildArgs,
    ...(isCached ? cache.env : {}),
    ...(state.buildx === undefined ? { DOCKER_BUILDKIT: '0' } : {}),
  };
  const { code, tail, lines } = await run(args, env, ports);
  ports.signal.throwIfAborted();
  if (code === 0) return;
  const step = failingStep(lines);
  throw new McprtError('image-build', {
    what: `${dockerfile} cannot be built${step === undefined ? '' : `: it fails at ${step}`}`,
    why: tail.join('\n') || `docker ended with ${code}`,
    next: 'the last lines are Docker’s own; nothing was changed in the cluster. Try it on your machine: `docker build -f DOCKERFILE .`',
  });
}

/** The step that a failed build was at, in the words of BuildKit or of the classic builder. */
export function failingStep(lines: readonly string[]): string | undefined {
  // BuildKit repeats the step that failed below its error: ` > [build 2/3] RUN make:`.
  const repeated = lines.flatMap((line) => /^\s*> (\[.+\] .+?):?$/.exec(line)?.[1] ?? []).at(-1);
  const classic = lines.flatMap((line) => /^Step \d+\/\d+ : .+$/.exec(line)?.[0] ?? []).at(-1);
  return repeated ?? classic;
}

/** Writes an image into a file, as `docker load` reads it. @throws McprtError `image-save`; the signal's reason */
export async function saveImage(tag: string, file: string, ports: DockerPorts): Promise<void> {
  const { code, tail } = await run(['save', '--output', file, tag], {}, ports);
  ports.signal.throwIfAborted();
  if (code === 0) return;
  throw new McprtError('image-save', {
    what: `${tag} cannot be written into a file`,
    why: tail.join('\n') || `docker ended with ${code}`,
    next: 'look at the space of this machine’s disk: `df -h`',
  });
}

/** Takes an image's name away; its layers stay in the engine's cache for the next build. */
export async function forgetImage(tag: string, ports: DockerPorts): Promise<void> {
  await cleanUp(['rmi', '--no-prune', tag], ports);
}

/** Also after a cancel, and also where Docker fails: a name that is left does no harm. */
async function cleanUp(args: readonly string[], { env }: DockerPorts): Promise<void> {
  const signal = AbortSignal.timeout(answerWithin);
  await run(args, {}, { env, signal, log: () => undefined }).catch(() => undefined);
}

/** For what is asked of the engine on the way, and has an answer at once. */
function briefly(ports: DockerPorts): DockerPorts {
  return {
    env: ports.env,
    signal: AbortSignal.any([ports.signal, AbortSignal.timeout(answerWithin)]),
    log: () => undefined,
  };
}

interface Run {
  code: number | null;
  lines: string[];
  tail: string[];
}

/** Runs Docker's command line; when the signal fires, it is interrupted, and killed when it does not end. */
async function run(args: readonly string[], env: Readonly<Record<string, string>>, ports: DockerPorts): Promise<Run> {
  ports.signal.throwIfAborted();
  const child = spawn('docker', args, {
    env: { ...ports.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    // In a process group of its own: buildx is a child of Docker's, and ends with it.
    detached: true,
  });
  const kept = tailOfLines(ports.log);
  const streams = [child.stdout, child.stderr];
  const read = streams.map((stream) => kept.read(stream));
  const send = (name: NodeJS.Signals): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, name);
    } catch {
      // it has ended already
    }
  };
  let killer: NodeJS.Timeout | undefined;
  const stop = (): void => {
    send('SIGINT');
    killer = setTimeout(() => send('SIGKILL'), grace);
  };
  ports.signal.addEventListener('abort', stop, { once: true });
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
      child.once('exit', () => {
        setTimeout(() => {
          for (const stream of streams) stream.destroy();
        }, lastWords).unref();
      });
    });
    await Promise.allSettled(read);
    const lines = kept.lines();
    return { code, lines, tail: lines.filter((line) => line.trim() !== '').slice(-tailLength) };
  } finally {
    clearTimeout(killer);
    ports.signal.removeEventListener('abort', stop);
  }
}
