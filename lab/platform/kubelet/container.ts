import { randomBytes } from 'node:crypto';
import { textAt } from '../../../shared/cluster/fields.js';
import type { KubeObject } from '../../../shared/cluster/objects.js';
import { missingOf } from './environment.js';
import type { PodPorts } from './ports.js';
import { PullError, type PulledImage, pull } from './pull.js';

/**
 * What an image's labels say of how its container behaves:
 *   exit         it ends at once with this code
 *   crashes      it ends so often with code 1, and runs from then on
 *   oom          it is killed for its memory
 *   log          what it prints
 *   ready        `never`: it runs, and its readiness probe fails
 *   ready-after  how long its start takes, in ms; of an init container, how long it runs
 *   probe        what its readiness probe answers as long as it is not ready
 *   liveness     what its liveness probe answers, until it is killed for it
 *   startup      what its startup probe answers, until it is killed for it; of a sidecar, for ever
 *   hangs        an init container that does not end
 *   http-status  what it answers to requests, instead of what a healthy one does
 *   pull-after   how long its pull takes, in ms
 *   pull-error   what its pull fails with
 *   waits        `REASON: MESSAGE` by which it is not made or started
 *   digest       the digest that the node tells instead of its own
 */
export const label = (name: string): string => `lab.mcprt.dev/${name}`;

export type State = Record<string, Record<string, unknown>>;

export interface Container {
  name: string;
  role: 'container' | 'init container' | 'sidecar';
  image: string;
  pullPolicy: string;
  spec: Record<string, unknown>;
  state: State;
  lastState: State;
  pulled: PulledImage | undefined;
  restarts: number;
  ready: boolean;
  started: boolean;
  log: string;
  previousLog: string;
}

/** What a container lives in. */
export interface Life {
  pod: KubeObject;
  ports: PodPorts;
  signal: AbortSignal;
  report(): Promise<unknown>;
  say(type: 'Normal' | 'Warning', reason: string, message: string): Promise<unknown>;
  pause(ms: number): Promise<unknown>;
}

/** A kubelet's times, hundred times as fast. In ms. */
export const times = {
  start: 20,
  ready: 60,
  backOff: 150,
  longestBackOff: 2_000,
  retry: 300,
  grace: 60,
  probe: 500,
  probesToDeath: 2,
} as const;

/** Makes a container of a pod, before anything has become of it. */
export function newContainer(spec: Record<string, unknown>, role: Container['role'], reason: string): Container {
  return {
    name: textAt(spec, 'name'),
    role,
    image: textAt(spec, 'image'),
    pullPolicy: textAt(spec, 'imagePullPolicy'),
    spec,
    state: { waiting: { reason } },
    lastState: {},
    pulled: undefined,
    restarts: 0,
    ready: false,
    started: false,
    log: '',
    previousLog: '',
  };
}

/** Lives until the container goes on without an end, or, of an init container, has ended well. */
export async function live(container: Container, life: Life): Promise<void> {
  await pulled(container, life);
  await configured(container, life);
  for (;;) {
    const code = (await refused(container, life)) ?? (await runOnce(container, life));
    if (code === undefined || (code === 0 && container.role === 'init container')) return;
    // The first restart comes at once; only after that one does the kubelet wait.
    if (container.restarts > 0) await backOff(container, life);
    container.restarts += 1;
  }
}

const labelOf = (container: Container, name: string): string | undefined => container.pulled?.labels[label(name)];

async function pulled(container: Container, { pod, ports, say, report, pause, signal }: Life): Promise<void> {
  const { image } = container;
  const present = ports.images.get(image);
  if (present !== undefined && container.pullPolicy !== 'Always') {
    container.pulled = present;
    return;
  }
  for (let wait: number = times.backOff; !signal.aborted; wait = Math.min(wait * 2, times.longestBackOff)) {
    try {
      await say('Normal', 'Pulling', `Pulling image "${image}"`);
      const found = await pull(ports.cluster, pod, image, ports.registries);
      await pause(Number(found.labels[label('pull-after')] ?? 0));
      const wrong = found.labels[label('pull-error')];
      if (wrong !== undefined) throw new PullError(wrong);
      ports.images.set(image, found);
      container.pulled = found;
      return;
    } catch (error) {
      if (!(error instanceof PullError)) {
        // The API server is away, and with it the pull Secret.
        await pause(times.retry);
        continue;
      }
      // The runtime may give the reason itself, as it does for a signature.
      const own = /^(\w+): /.exec(error.message)?.[1] ?? '';
      const reason = /Failed$/.test(own) ? own : 'ErrImagePull';
      container.state = { waiting: { reason, message: error.message } };
      await Promise.all([
        report(),
        say('Warning', 'Failed', `Failed to pull image "${image}": ${error.message}`),
        say('Warning', 'Failed', `Error: ${reason}`),
      ]);
      await pause(wait / 2);
      container.state = {
        waiting: {
          reason: 'ImagePullBackOff',
          message: `Back-off pulling image "${image}": ${reason}: ${error.message}`,
        },
      };
      await Promise.all([
        report(),
        say('Normal', 'BackOff', `Back-off pulling image "${image}"`),
        say('Warning', 'Failed', 'Error: ImagePullBackOff'),
      ]);
      await pause(wait);
    }
  }
}

/** Waits until every Secret and ConfigMap is there that the container's environment is made of. */
async function configured(container: Container, { pod, ports, report, say, pause }: Life): Promise<void> {
  for (;;) {
    const missing = await missingOf(container.spec, pod.metadata.namespace ?? '', (kind, ref) =>
      ports.cluster.get<KubeObject>(kind, ref),
    ).catch(() => 'the API server is away');
    if (missing === '') return;
    container.state = { waiting: { reason: 'CreateContainerConfigError', message: missing } };
    await Promise.all([report(), say('Warning', 'Failed', `Error: ${missing}`)]);
    await pause(times.retry);
  }
}

/** What the runtime refuses to make or to start. @returns the code of a start that failed; undefined when there is none */
async function refused(container: Container, { report, say, pause }: Life): Promise<number | undefined> {
  const [, reason, message] = /^(\w+): (.*)$/s.exec(labelOf(container, 'waits') ?? '') ?? [];
  if (reason === undefined) return undefined;
  for (;;) {
    container.state = { waiting: { reason, message: message ?? '' } };
    await Promise.all([report(), say('Warning', 'Failed', `Error: ${message}`)]);
    if (reason === 'RunContainerError') {
      // What could not be started counts as a run that has ended.
      container.lastState = {
        terminated: { exitCode: 128, reason: 'StartError', message, startedAt: now(), finishedAt: now() },
      };
      await pause(times.retry);
      return 128;
    }
    await pause(times.retry);
  }
}

/** @returns the code that it ended with; undefined when it goes on */
async function runOnce(container: Container, life: Life): Promise<number | undefined> {
  const { say, report, pause } = life;
  const of = (name: string): string | undefined => labelOf(container, name);
  container.previousLog = container.log;
  // An image for another processor is pulled and begun like any other, unless an index says so.
  const isForeign = container.pulled !== undefined && container.pulled.architecture !== 'amd64';
  container.log = isForeign ? 'exec /server: exec format error' : (of('log') ?? `${container.name} is starting`);
  const began = now();
  await pause(times.start);
  container.state = { running: { startedAt: began } };
  container.ready = false;
  container.started = false;
  const ends = async (exitCode: number, reason: string): Promise<number> => {
    const terminated = { exitCode, reason, startedAt: began, finishedAt: now(), containerID: containerId() };
    container.state = { terminated };
    container.lastState = { terminated };
    container.ready = exitCode === 0 && container.role === 'init container';
    await report();
    return exitCode;
  };
  const own = container.restarts < Number(of('crashes') ?? 0) ? '1' : of('exit');
  const exit = isForeign ? '255' : own;
  if (of('oom') === 'true' || exit !== undefined) {
    await pause(times.start);
    if (of('oom') === 'true') return ends(137, 'OOMKilled');
    return ends(Number(exit), exit === '0' ? 'Completed' : 'Error');
  }
  await report();
  const isKilled = await probedToDeath(container, life);
  if (isKilled) return ends(137, 'Error');
  container.started = true;
  if (container.role === 'init container') {
    if (of('hangs') === 'true') return undefined;
    await pause(Number(of('ready-after') ?? times.ready));
    return ends(0, 'Completed');
  }
  const answer = of('probe') ?? 'HTTP probe failed with statuscode: 503';
  const unready = (): Promise<unknown> => say('Warning', 'Unhealthy', `Readiness probe failed: ${answer}`);
  if (of('ready') === 'never') {
    for (;;) {
      await unready();
      await pause(times.probe);
    }
  }
  const after = Number(of('ready-after') ?? times.ready);
  if (after > times.probe) await unready();
  await pause(after);
  container.ready = true;
  await report();
  return undefined;
}

/** Whether a probe has the container killed. A sidecar's startup probe only holds the pod up. */
async function probedToDeath(container: Container, { say, pause }: Life): Promise<boolean> {
  for (const [name, word] of [
    ['startup', 'Startup'],
    ['liveness', 'Liveness'],
  ] as const) {
    const answer = labelOf(container, name);
    if (answer === undefined) continue;
    for (let failed = 0; container.role === 'sidecar' || failed < times.probesToDeath; failed += 1) {
      await say('Warning', 'Unhealthy', `${word} probe failed: ${answer}`);
      await pause(times.probe);
    }
    await say('Normal', 'Killing', `Container ${container.name} failed ${name} probe, will be restarted`);
    return true;
  }
  return false;
}

async function backOff(container: Container, { pod, report, say, pause }: Life): Promise<void> {
  const step = Math.min(container.restarts - 1, 5);
  const told = Math.min(10 * 2 ** step, 300);
  const id = `${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})`;
  const message = `back-off ${told < 60 ? `${told}s` : `${Math.floor(told / 60)}m${told % 60}s`} restarting failed container=${container.name} pod=${id}`;
  container.state = { waiting: { reason: 'CrashLoopBackOff', message } };
  await Promise.all([
    report(),
    say('Warning', 'BackOff', `Back-off restarting failed container ${container.name} in pod ${id}`),
  ]);
  await pause(times.backOff * 2 ** step);
}

/** A time as a kubelet tells it. */
export function now(): string {
  return new Date().toISOString().replace(/\.\d+Z$/, 'Z');
}

/** An id as containerd gives one. */
export function containerId(): string {
  return `containerd://${randomBytes(32).toString('hex')}`;
}
