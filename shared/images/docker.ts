import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { McprtError } from '../errors.js';

/** How Docker is run. */
export interface DockerPorts {
  env: Readonly<Record<string, string>>;
  signal: AbortSignal;
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

const grace = 5_000;
const tailLength = 20;

/** @throws McprtError `docker-missing` */
export async function dockerState(ports: DockerPorts): Promise<DockerState> {
  const missing = (why: string): McprtError =>
    new McprtError('docker-missing', {
      what: 'images are to be built, and there is no Docker engine here',
      why,
      next: 'use a runner with Docker (GitHub’s Linux runners have it), or build elsewhere and give the images by digest in `images`',
    });
  const quiet = { ...ports, log: () => undefined };
  const engine = await run(['version', '--format', '{{.Server.Version}}'], {}, quiet).catch((error: Error) => {
    throw missing(error.message);
  });
  if (engine.code !== 0) throw missing(engine.tail.join('\n'));
  const buildx = await run(['buildx', 'inspect'], {}, quiet);
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
      ? ['--cache-from', `type=gha,scope=${cache.scope}`, '--cache-to', `type=gha,mode=max,scope=${cache.scope}`]
      : []),
    source,
  ];
  const env = {
    ...buildArgs,
    ...(isCached ? cache.env : {}),
    ...(state.buildx === undefined ? { DOCKER_BUILDKIT: '0' } : {}),
  };
  const { code, tail } = await run(args, env, ports);
  ports.signal.throwIfAborted();
  if (code === 0) return;
  throw new McprtError('image-build', {
    what: `${dockerfile} cannot be built`,
    why: tail.join('\n') || `docker ended with ${code}`,
    next: 'the last lines are Docker’s own; nothing was changed in the cluster. Try it on your machine: `docker build -f DOCKERFILE .`',
  });
}

/**
 * Gives an image another name and pushes it.
 *
 * @returns the digest that Docker says the registry has it by; empty when it says none
 * @throws McprtError `image-push`; the signal's reason
 */
export async function pushImage(tag: string, as: string, ports: DockerPorts): Promise<string> {
  const quiet = { ...ports, log: () => undefined };
  await must(['tag', tag, as], quiet);
  try {
    const { code, tail, lines } = await run(['push', as], {}, quiet);
    ports.signal.throwIfAborted();
    if (code !== 0) throw pushFailed(tag, tail);
    return /digest: (sha256:[0-9a-f]{64})/.exec(lines.join('\n'))?.[1] ?? '';
  } finally {
    await run(['rmi', as], {}, { ...quiet, signal: new AbortController().signal });
  }
}

/** Takes an image's name away; its layers stay in the engine's cache for the next build. */
export async function forgetImage(tag: string, ports: DockerPorts): Promise<void> {
  await run(['rmi', '--no-prune', tag], {}, { ...ports, log: () => undefined, signal: new AbortController().signal });
}

function pushFailed(tag: string, tail: readonly string[]): McprtError {
  return new McprtError('image-push', {
    what: `${tag} cannot be pushed`,
    why: tail.slice(-3).join('\n'),
    next: 'nothing was changed in the cluster. Check the registry’s space and pods (`kubectl get pods -n registry`); `registry-access: port-forward` goes around Traefik’s limits',
  });
}

async function must(args: readonly string[], ports: DockerPorts): Promise<void> {
  const { code, tail } = await run(args, {}, ports);
  if (code !== 0) throw pushFailed(args.at(-1) ?? '', tail);
}

interface Run {
  code: number | null;
  lines: string[];
  tail: string[];
}

/** Runs Docker's command line; when the signal fires, it is interrupted, and killed when it does not end. */
async function run(args: readonly string[], env: Readonly<Record<string, string>>, ports: DockerPorts): Promise<Run> {
  ports.signal.throwIfAborted();
  const child = spawn('docker', args, { env: { ...ports.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const lines: string[] = [];
  const read = [child.stdout, child.stderr].map(async (stream) => {
    for await (const line of createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })) {
      lines.push(line);
      ports.log(line);
    }
  });
  let killer: NodeJS.Timeout | undefined;
  const stop = (): void => {
    child.kill('SIGINT');
    killer = setTimeout(() => child.kill('SIGKILL'), grace);
  };
  ports.signal.addEventListener('abort', stop, { once: true });
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    await Promise.allSettled(read);
    return { code, lines, tail: lines.filter((line) => line.trim() !== '').slice(-tailLength) };
  } finally {
    clearTimeout(killer);
    ports.signal.removeEventListener('abort', stop);
  }
}
