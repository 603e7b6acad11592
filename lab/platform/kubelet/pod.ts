import { setTimeout as sleep } from 'node:timers/promises';
import { recordsAt } from '../../../shared/cluster/fields.js';
import { type KubeObject, kinds } from '../../../shared/cluster/objects.js';
import { messageOf } from '../../../shared/errors.js';
import { createObject } from '../objects.js';
import { type Container, type Life, label, live, newContainer, now, times } from './container.js';
import { endedStatus, statusOf } from './pod-status.js';
import type { PodPorts } from './ports.js';
import { unmountedOf } from './volumes.js';

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

export function startPod(pod: KubeObject, ports: PodPorts): PodLife {
  const frozen = new AbortController();
  const startTime = now();
  const first = recordsAt(pod, 'spec', 'initContainers').map((spec) =>
    newContainer(spec, spec.restartPolicy === 'Always' ? 'sidecar' : 'init container', 'PodInitializing'),
  );
  const main = recordsAt(pod, 'spec', 'containers').map((spec) =>
    newContainer(spec, 'container', first.length > 0 ? 'PodInitializing' : 'ContainerCreating'),
  );
  const containers = [...first, ...main];
  let isSetUp = false;
  let writing: Promise<unknown> = Promise.resolve();
  const write = (value: object): Promise<unknown> => {
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
    report: () => write(statusOf(pod, { containers, startTime, isSetUp })),
    say: (type, reason, message) => tellEvent(ports, pod, type, reason, message).catch(() => undefined),
    pause: (ms) => sleep(ms, undefined, { signal: frozen.signal }),
  };
  const ending = ports.ending(pod);
  const end = async (): Promise<void> => {
    if (ending === undefined) return;
    await life.pause(ending.after ?? 0);
    frozen.abort();
    await writing;
    await write(endedStatus(pod, ending, containers));
    await life.say('Warning', ending.reason, ending.message);
  };
  const run = async (): Promise<void> => {
    if (ending !== undefined && ending.after === undefined) return;
    await mounted(life);
    isSetUp = true;
    for (const container of first) await begun(container, life);
    await Promise.all(main.map((container) => live(container, life)));
  };
  const lives = Promise.all(
    [run(), end()].map((work) =>
      work.catch((error: unknown) => {
        if (!frozen.signal.aborted)
          process.stderr.write(`kubelet stand-in: ${pod.metadata.name}: ${messageOf(error)}\n`);
      }),
    ),
  );
  return {
    pod,
    log: (name, previous) => {
      const found = containers.find((one) => one.name === name);
      return previous ? found?.previousLog : found?.log;
    },
    httpStatus: () => {
      const text = main[0]?.pulled?.labels[label('http-status')];
      return text === undefined || !main[0]?.ready ? undefined : Number(text);
    },
    ready: () => !frozen.signal.aborted && main.every(({ ready }) => ready),
    containers: () => main.map(({ name, pulled }) => ({ name, imageLabels: pulled?.labels ?? {} })),
    end(marked) {
      frozen.abort();
      void lives
        .then(() => sleep(times.grace))
        .then(() => ports.remove(marked))
        .catch(() => undefined);
    },
    freeze: () => frozen.abort(),
  };
}

/** Waits until an init container has ended well, or a sidecar has started. */
async function begun(container: Container, life: Life): Promise<void> {
  if (container.role === 'init container') {
    await live(container, life);
    // One that hangs has not ended.
    while (container.state.terminated === undefined) await life.pause(times.retry);
    return;
  }
  const living = live(container, life);
  living.catch(() => undefined);
  while (!container.started) await life.pause(times.start);
}

/** Waits until every Secret and ConfigMap is there that the pod's volumes are made of. */
async function mounted({ pod, ports, say, report, pause }: Life): Promise<void> {
  for (;;) {
    const missing = await unmountedOf(pod, (kind, ref) => ports.cluster.get<KubeObject>(kind, ref)).catch(
      () => 'the API server is away',
    );
    if (missing === '') return;
    await Promise.all([report(), say('Warning', 'FailedMount', missing)]);
    await pause(times.retry);
  }
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
