import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '../../../shared/cluster/cluster.js';
import { recordsAt, textAt } from '../../../shared/cluster/fields.js';
import { type KubeObject, kinds } from '../../../shared/cluster/objects.js';
import { messageOf } from '../../../shared/errors.js';
import { createObject } from '../objects.js';
import { missingOf } from './environment.js';
import { type NodeRegistry, PullError, type PulledImage, pull } from './pull.js';

/**
 * What an image's labels say of how its container behaves:
 *   exit         it ends at once with this code
 *   oom          it is killed for its memory
 *   log          what it prints
 *   ready        `never`: it runs, and its readiness probe fails
 *   ready-after  how long its start takes, in ms
 *   http-status  what it answers to requests, instead of what a healthy one does
 */
const label = (name: string): string => `lab.mcprt.dev/${name}`;

export interface PodPorts {
  cluster: Cluster;
  node: string;
  registries: ReadonlyMap<string, NodeRegistry>;
  /** The node's images, by reference: one that is there is not pulled again unless the pod says so. */
  images: Map<string, PulledImage>;
  remove(pod: KubeObject): Promise<void>;
}

/** A pod on the node of a kubelet stand-in. */
export interface PodLife {
  pod: KubeObject;
  log(container: string, previous: boolean): string | undefined;
  httpStatus(): number | undefined;
  /** Whether all its containers are ready, and it is not being ended. */
  ready(): boolean;
  /** The labels of the image that each container was made of. */
  containers(): { name: string; imageLabels: Readonly<Record<string, string>> }[];
  /** Ends the pod, which the API server has marked for deletion. */
  end(marked: KubeObject): void;
  /** Does nothing more with it. */
  freeze(): void;
}

type State = Record<string, Record<string, unknown>>;

interface Container {
  name: string;
  image: string;
  pullPolicy: string;
  spec: Record<string, unknown>;
  state: State;
  lastState: State;
  pulled: PulledImage | undefined;
  restarts: number;
  ready: boolean;
  log: string;
  previousLog: string;
}

/** A kubelet's times, hundred times as fast. In ms. */
const times = { start: 20, ready: 60, backOff: 150, longestBackOff: 2_000, retry: 300, grace: 60, probe: 500 };

export function startPod(pod: KubeObject, ports: PodPorts): PodLife {
  const frozen = new AbortController();
  const startedAt = now();
  const containers = recordsAt(pod, 'spec', 'containers').map(
    (spec): Container => ({
      name: textAt(spec, 'name'),
      image: textAt(spec, 'image'),
      pullPolicy: textAt(spec, 'imagePullPolicy'),
      spec,
      state: { waiting: { reason: 'ContainerCreating' } },
      lastState: {},
      pulled: undefined,
      restarts: 0,
      ready: false,
      log: '',
      previousLog: '',
    }),
  );
  let writing: Promise<unknown> = Promise.resolve();
  const report = (): Promise<unknown> => {
    const value = statusOf(pod, containers, startedAt);
    writing = writing
      .then(() => ports.cluster.patch(kinds.pod, pod.metadata, [{ op: 'add', path: '/status', value }], 'status'))
      // It was deleted meanwhile, or the API server is away: the next report tells it.
      .catch(() => undefined);
    return writing;
  };
  const life: Life = {
    pod,
    ports,
    signal: frozen.signal,
    report,
    say: (type, reason, message) => tellEvent(ports, pod, type, reason, message).catch(() => undefined),
    pause: (ms) => sleep(ms, undefined, { signal: frozen.signal }),
  };
  const lives = containers.map((container) =>
    live(container, life).catch((error: unknown) => {
      if (!frozen.signal.aborted) process.stderr.write(`kubelet stand-in: ${pod.metadata.name}: ${messageOf(error)}\n`);
    }),
  );
  return {
    pod,
    log: (name, previous) => {
      const found = containers.find((one) => one.name === name);
      return previous ? found?.previousLog : found?.log;
    },
    httpStatus: () => {
      const text = containers[0]?.pulled?.labels[label('http-status')];
      return text === undefined || !containers[0]?.ready ? undefined : Number(text);
    },
    ready: () => !frozen.signal.aborted && containers.every(({ ready }) => ready),
    containers: () => containers.map(({ name, pulled }) => ({ name, imageLabels: pulled?.labels ?? {} })),
    end(marked) {
      frozen.abort();
      void Promise.all(lives)
        .then(() => sleep(times.grace))
        .then(() => ports.remove(marked))
        .catch(() => undefined);
    },
    freeze: () => frozen.abort(),
  };
}

interface Life {
  pod: KubeObject;
  ports: PodPorts;
  signal: AbortSignal;
  report(): Promise<unknown>;
  say(type: 'Normal' | 'Warning', reason: string, message: string): Promise<unknown>;
  pause(ms: number): Promise<unknown>;
}

async function live(container: Container, life: Life): Promise<void> {
  await pulled(container, life);
  await configured(container, life);
  for (;;) {
    const code = await runOnce(container, life);
    if (code === undefined) return;
    // The first restart comes at once; only after that one does the kubelet wait.
    if (container.restarts > 0) await backOff(container, life);
    container.restarts += 1;
  }
}

async function pulled(container: Container, { pod, ports, say, report, pause, signal }: Life): Promise<void> {
  const { image } = container;
  const present = ports.images.get(image);
  if (present !== undefined && container.pullPolicy !== 'Always') {
    container.pulled = present;
    return;
  }
  for (let wait = times.backOff; !signal.aborted; wait = Math.min(wait * 2, times.longestBackOff)) {
    try {
      await say('Normal', 'Pulling', `Pulling image "${image}"`);
      const found = await pull(ports.cluster, pod, image, ports.registries);
      if (found.architecture !== 'amd64') {
        throw new PullError(
          `rpc error: code = NotFound desc = failed to pull and unpack image "${image}": no match for platform in manifest: not found`,
        );
      }
      ports.images.set(image, found);
      container.pulled = found;
      return;
    } catch (error) {
      if (!(error instanceof PullError)) {
        // The API server is away, and with it the pull Secret.
        await pause(times.retry);
        continue;
      }
      container.state = { waiting: { reason: 'ErrImagePull', message: error.message } };
      await Promise.all([
        report(),
        say('Warning', 'Failed', `Failed to pull image "${image}": ${error.message}`),
        say('Warning', 'Failed', 'Error: ErrImagePull'),
      ]);
      await pause(wait / 2);
      container.state = {
        waiting: {
          reason: 'ImagePullBackOff',
          message: `Back-off pulling image "${image}": ErrImagePull: ${error.message}`,
        },
      };
      await Promise.all([report(), say('Warning', 'Failed', 'Error: ImagePullBackOff')]);
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

/** @returns the code that it ended with; undefined when it goes on */
async function runOnce(container: Container, { say, report, pause }: Life): Promise<number | undefined> {
  const labels = container.pulled?.labels ?? {};
  const at = (name: string): string | undefined => labels[label(name)];
  container.previousLog = container.log;
  container.log = at('log') ?? `${container.name} is starting`;
  const began = now();
  await pause(times.start);
  container.state = { running: { startedAt: began } };
  const isKilled = at('oom') === 'true';
  const exit = isKilled ? 137 : at('exit') === undefined ? undefined : Number(at('exit'));
  if (exit !== undefined) {
    await pause(times.start);
    const ended = {
      terminated: {
        exitCode: exit,
        reason: isKilled ? 'OOMKilled' : exit === 0 ? 'Completed' : 'Error',
        startedAt: began,
        finishedAt: now(),
        containerID: containerId(),
      },
    };
    container.state = ended;
    container.lastState = ended;
    await report();
    return exit;
  }
  await report();
  if (at('ready') === 'never') {
    for (;;) {
      await say('Warning', 'Unhealthy', 'Readiness probe failed: HTTP probe failed with statuscode: 503');
      await pause(times.probe);
    }
  }
  await pause(Number(at('ready-after') ?? times.ready));
  container.ready = true;
  await report();
  return undefined;
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

function statusOf(pod: KubeObject, containers: readonly Container[], startTime: string): Record<string, unknown> {
  const isReady = containers.every(({ ready }) => ready);
  const isRunning =
    containers.every(({ state }) => state.running !== undefined || state.terminated !== undefined) ||
    containers.some(({ restarts }) => restarts > 0);
  const condition = (type: string, value: boolean): Record<string, unknown> => ({
    type,
    status: value ? 'True' : 'False',
    lastTransitionTime: now(),
    ...(value || type === 'Initialized'
      ? {}
      : {
          reason: 'ContainersNotReady',
          message: `containers with unready status: [${containers
            .filter(({ ready }) => !ready)
            .map(({ name }) => name)
            .join(' ')}]`,
        }),
  });
  const scheduled = recordsAt(pod, 'status', 'conditions').filter(({ type }) => type === 'PodScheduled');
  return {
    phase: isRunning ? 'Running' : 'Pending',
    qosClass: textAt(pod, 'status', 'qosClass') || 'BestEffort',
    startTime,
    hostIP: '127.0.0.1',
    podIP: '10.42.0.2',
    podIPs: [{ ip: '10.42.0.2' }],
    conditions: [
      ...(scheduled.length > 0 ? scheduled : [{ type: 'PodScheduled', status: 'True', lastTransitionTime: startTime }]),
      condition('PodReadyToStartContainers', true),
      condition('Initialized', true),
      condition('ContainersReady', isReady),
      condition('Ready', isReady),
    ],
    containerStatuses: containers.map((one) => ({
      name: one.name,
      image: one.image,
      imageID:
        one.pulled === undefined ? '' : `${one.image.split('@')[0]?.replace(/:[^:/]*$/, '')}@${one.pulled.digest}`,
      containerID: one.state.running === undefined ? '' : containerId(),
      ready: one.ready,
      started: one.state.running !== undefined,
      restartCount: one.restarts,
      state: one.state,
      lastState: one.lastState,
    })),
  };
}

let events = 0;

async function tellEvent(
  { cluster, node }: PodPorts,
  pod: KubeObject,
  type: 'Normal' | 'Warning',
  reason: string,
  message: string,
): Promise<void> {
  events += 1;
  const { namespace = '', name, uid } = pod.metadata;
  await createObject(cluster, kinds.event, {
    metadata: { namespace, name: `${name}.${process.pid.toString(16)}${events.toString(16)}` },
    involvedObject: { apiVersion: 'v1', kind: 'Pod', namespace, name, uid },
    type,
    reason,
    message,
    count: 1,
    firstTimestamp: now(),
    lastTimestamp: now(),
    source: { component: 'kubelet', host: node },
  });
}

function now(): string {
  return new Date().toISOString().replace(/\.\d+Z$/, 'Z');
}

function containerId(): string {
  return `containerd://${randomBytes(32).toString('hex')}`;
}
