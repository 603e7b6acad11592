import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { messageOf } from '../../shared/errors.js';
import { installDebian } from './debian.js';
import { isRunning, type LabProcess, startProcess, startTime, stopProcesses } from './processes.js';
import type { Progress } from './progress.js';

const run = promisify(execFile);
const startDeadline = 30_000;
/** One question to an engine, in ms: one that hangs is none. */
const answerWithin = 10_000;
/** The engine's own choice first, then the one that works on every file system, only slowly. */
const storageDrivers = [undefined, 'vfs'] as const;

/** A Docker engine to build with. */
export interface DockerEngine {
  /** For DOCKER_HOST. */
  host: string;
  /** Whether it has a network of its own, and so does not reach this machine's loopback interface. */
  isApart: boolean;
  /** Ends the engine and removes what it had; leaves one that was there before as it is. */
  stop(): Promise<void>;
}

export interface DockerEngineOptions {
  /** Made if need be; images, containers and the log are below it. */
  folder: string;
  env: NodeJS.ProcessEnv;
  progress: Progress;
}

/**
 * Gives an engine: the one that is running (DOCKER_HOST, or Docker's current context), or else one of its own that reaches
 * nothing, not even this machine, which is enough for builds `FROM scratch`. Where Docker is missing, it is installed with apt-get.
 *
 * @returns why there is none, in words, where none can be had
 */
export async function startDocker(options: DockerEngineOptions): Promise<DockerEngine | string> {
  const { env, progress } = options;
  const running = await runningEngine(env);
  if (running !== undefined) return running;
  if (process.platform !== 'linux' || process.getuid?.() !== 0) {
    return 'no Docker engine answers, and only root on Linux can start one';
  }
  if (!(await isInstalled(env))) {
    progress('installing docker.io');
    try {
      await installDebian(['docker.io'], env);
    } catch (error) {
      return `Docker is not installed, and apt-get cannot install it: ${lastLine(messageOf(error))}`;
    }
    // Where there is an init system, the package has started one.
    const started = await runningEngine(env);
    if (started !== undefined) return started;
  }
  let reason = '';
  for (const driver of storageDrivers) {
    const engine = await ownEngine(options, driver);
    if (typeof engine !== 'string') return engine;
    reason = engine;
  }
  return `dockerd does not come up: ${reason}`;
}

async function runningEngine(env: NodeJS.ProcessEnv): Promise<DockerEngine | undefined> {
  try {
    await docker(['version', '--format', '{{.Server.Version}}'], env);
    const { stdout } = await docker(['context', 'inspect', '--format', '{{.Endpoints.docker.Host}}'], env);
    return { host: stdout.trim(), isApart: false, stop: async () => undefined };
  } catch {
    return undefined;
  }
}

async function isInstalled(env: NodeJS.ProcessEnv): Promise<boolean> {
  return run('dockerd', ['--version'], { env, timeout: answerWithin }).then(
    () => true,
    () => false,
  );
}

/** Starts an engine that shares nothing with another one, nor a network with anybody, as one on another host. @returns the end of its log when it does not come up */
async function ownEngine(
  { folder, env }: DockerEngineOptions,
  driver: string | undefined,
): Promise<DockerEngine | string> {
  await mkdir(folder, { recursive: true });
  // The path of a socket may have 107 bytes, and containerd's is deep.
  const sockets = await mkdtemp(join(tmpdir(), 'mcprt-docker-'));
  const data = await mkdtemp(join(folder, 'docker-'));
  const log = join(folder, 'dockerd.log');
  // Instead of the machine's own configuration.
  const config = join(sockets, 'daemon.json');
  await writeFile(config, '{}');
  const host = `unix://${join(sockets, 'docker.sock')}`;
  const engine = await startProcess(
    'dockerd',
    'unshare',
    [
      '--net',
      'dockerd',
      `--host=${host}`,
      `--data-root=${data}`,
      `--exec-root=${join(sockets, 'exec')}`,
      `--pidfile=${join(sockets, 'dockerd.pid')}`,
      `--config-file=${config}`,
      '--iptables=false',
      '--ip6tables=false',
      '--bridge=none',
      ...(driver === undefined ? [] : [`--storage-driver=${driver}`]),
    ],
    { log, env: { PATH: env.PATH, HOME: folder } },
  );
  const stop = async (): Promise<void> => {
    const containerd = await containerdOf(join(sockets, 'exec'), engine);
    await stopProcesses([engine]);
    // dockerd takes its containerd along, unless it had to be killed.
    await stopProcesses(containerd === undefined ? [] : [containerd]);
    await Promise.all([sockets, data].map((one) => rm(one, { recursive: true, force: true, maxRetries: 5 })));
  };
  for (const end = Date.now() + startDeadline; Date.now() < end && isRunning(engine); await sleep(50)) {
    if (!existsSync(join(sockets, 'docker.sock'))) continue;
    const answers = await docker(['version'], { ...env, DOCKER_HOST: host }).then(
      () => true,
      () => false,
    );
    if (answers) return { host, isApart: true, stop };
  }
  await stop();
  return lastLine(await readFile(log, 'utf8'));
}

async function containerdOf(execRoot: string, engine: LabProcess): Promise<LabProcess | undefined> {
  try {
    const pid = Number(await readFile(join(execRoot, 'containerd', 'containerd.pid'), 'utf8'));
    return { ...engine, name: 'containerd', pid, started: startTime(pid) ?? '' };
  } catch {
    return undefined;
  }
}

function docker(args: string[], env: NodeJS.ProcessEnv): Promise<{ stdout: string }> {
  return run('docker', args, { env, timeout: answerWithin });
}

function lastLine(text: string): string {
  return text.trimEnd().split('\n').at(-1) ?? '';
}
