import { recordsAt, textAt } from '../../../shared/cluster/fields.js';
import type { KubeObject } from '../../../shared/cluster/objects.js';
import { type Container, containerId, label, now } from './container.js';
import type { Ending } from './ports.js';

/** How far a pod is, as its kubelet knows it. */
export interface PodProgress {
  containers: readonly Container[];
  startTime: string;
  /** Whether its volumes and its network are there. */
  isSetUp: boolean;
}

/** A pod's status as a kubelet writes it. */
export function statusOf(pod: KubeObject, { containers, startTime, isSetUp }: PodProgress): Record<string, unknown> {
  const first = containers.filter(({ role }) => role !== 'container');
  const main = containers.filter(({ role }) => role === 'container');
  const isInitialized = first.every(({ role, started, state }) =>
    role === 'sidecar' ? started : state.terminated?.exitCode === 0,
  );
  const isReady = [...main, ...first.filter(({ role }) => role === 'sidecar')].every(({ ready }) => ready);
  const isRunning =
    main.every(({ state }) => state.running !== undefined || state.terminated !== undefined) ||
    main.some(({ restarts }) => restarts > 0);
  const namesOf = (list: readonly Container[]): string => `[${list.map(({ name }) => name).join(' ')}]`;
  const condition = (type: string, value: boolean, reason = '', message = ''): Record<string, unknown> => ({
    type,
    status: value ? 'True' : 'False',
    lastTransitionTime: now(),
    ...(value || reason === '' ? {} : { reason, message }),
  });
  const unready = `containers with unready status: ${namesOf(main.filter(({ ready }) => !ready))}`;
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
      condition('PodReadyToStartContainers', isSetUp),
      condition(
        'Initialized',
        isInitialized,
        'ContainersNotInitialized',
        `containers with incomplete status: ${namesOf(first.filter(({ ready }) => !ready))}`,
      ),
      condition('ContainersReady', isReady, 'ContainersNotReady', unready),
      condition('Ready', isReady, 'ContainersNotReady', unready),
    ],
    ...(first.length === 0 ? {} : { initContainerStatuses: first.map(containerStatus) }),
    containerStatuses: main.map(containerStatus),
  };
}

/** A pod's status when its node has ended it, or has never let it begin. */
export function endedStatus(
  pod: KubeObject,
  { reason, message, phase = 'Failed' }: Ending,
  containers: readonly Container[],
): object {
  const exitCode = phase === 'Failed' ? 137 : 0;
  const terminated = { exitCode, reason: exitCode === 0 ? 'Completed' : 'Error', finishedAt: now() };
  return {
    phase,
    // Of a pod whose program has ended well a kubelet tells no reason, also where it has evicted it: that is in an event only.
    ...(phase === 'Failed' && { reason, message }),
    startTime: now(),
    qosClass: textAt(pod, 'status', 'qosClass') || 'BestEffort',
    containerStatuses: containers
      .filter(({ role, state }) => role === 'container' && state.waiting === undefined)
      .map((one) => ({ ...containerStatus(one), ready: false, started: false, state: { terminated } })),
  };
}

function containerStatus(one: Container): Record<string, unknown> {
  const { pulled } = one;
  const digest = pulled?.labels[label('digest')] ?? pulled?.digest;
  return {
    name: one.name,
    image: one.image,
    imageID: digest === undefined ? '' : `${one.image.split('@')[0]?.replace(/:[^:/]*$/, '')}@${digest}`,
    containerID: one.state.running === undefined ? '' : containerId(),
    ready: one.ready,
    started: one.started,
    restartCount: one.restarts,
    state: one.state,
    lastState: one.lastState,
  };
}
