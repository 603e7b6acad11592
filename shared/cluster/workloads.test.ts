import { describe, expect, it } from '@jest/globals';
import type { KubeObject } from './objects.js';
import { podsOf, rolloutState, troublesOf } from './workloads.js';

const workload = (kind: string, spec: object, status: object, generation = 1): KubeObject => ({
  apiVersion: 'apps/v1',
  kind,
  metadata: { name: 'api', namespace: 'a', generation },
  spec,
  status: { observedGeneration: 1, ...status },
});
const whole = { replicas: 2, updatedReplicas: 2, readyReplicas: 2, availableReplicas: 2 };

describe('rolloutState', () => {
  it.each<[string, KubeObject, string]>([
    ['a Deployment that is complete', workload('Deployment', { replicas: 2 }, whole), ''],
    ['one scaled to 0', workload('Deployment', { replicas: 0 }, {}), ''],
    ['one that its controller has not seen', workload('Deployment', { replicas: 2 }, whole, 2), 'newest change'],
    [
      'one half updated',
      workload('Deployment', { replicas: 2 }, { ...whole, updatedReplicas: 1 }),
      '1 of 2 replicas are updated',
    ],
    ['one with old pods left', workload('Deployment', { replicas: 2 }, { ...whole, replicas: 3 }), '1 old replicas'],
    [
      'one whose new pod is not available',
      workload('Deployment', { replicas: 2 }, { ...whole, availableReplicas: 1 }),
      '1 of 2 replicas are available',
    ],
    [
      'one that makes no progress',
      workload(
        'Deployment',
        { replicas: 2 },
        {
          ...whole,
          updatedReplicas: 1,
          conditions: [
            { type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', message: 'timed out' },
          ],
        },
      ),
      'timed out',
    ],
    [
      'a StatefulSet that is not ready',
      workload('StatefulSet', { replicas: 2 }, { ...whole, readyReplicas: 0 }),
      '0 of 2 replicas are ready',
    ],
    [
      'a DaemonSet with a pod missing',
      workload('DaemonSet', {}, { desiredNumberScheduled: 2, updatedNumberScheduled: 2, numberAvailable: 1 }),
      '1 of 2 pods are available',
    ],
    [
      'a DaemonSet that is complete',
      workload('DaemonSet', {}, { desiredNumberScheduled: 2, updatedNumberScheduled: 2, numberAvailable: 2 }),
      '',
    ],
  ])('judges %s', (_, object, why) => {
    const state = rolloutState(object);
    expect(state.complete).toBe(why === '');
    expect(state.why).toContain(why);
  });
});

describe('podsOf', () => {
  const pod = (name: string, namespace: string, labels: Record<string, string>): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels },
  });

  it('takes pods of the same namespace with all labels of the selector', () => {
    const api = workload('Deployment', { selector: { matchLabels: { app: 'api' } } }, {});
    const pods = [pod('1', 'a', { app: 'api', x: 'y' }), pod('2', 'a', { app: 'ui' }), pod('3', 'b', { app: 'api' })];
    expect(podsOf(api, pods).map(({ metadata }) => metadata.name)).toEqual(['1']);
    expect(podsOf(workload('Deployment', {}, {}), pods)).toEqual([]);
  });
});

describe('troublesOf', () => {
  it('names what a container does instead of running, with the last words of the run before', () => {
    const pod: KubeObject = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p' },
      status: {
        containerStatuses: [
          { name: 'fine', state: { running: {} } },
          { name: 'new', state: { waiting: { reason: 'ContainerCreating' } } },
          {
            name: 'bad',
            image: 'i',
            restartCount: 4,
            state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off' } },
            lastState: { terminated: { exitCode: 1, message: 'exec format error' } },
          },
        ],
      },
    };
    expect(troublesOf(pod)).toEqual([
      {
        container: 'bad',
        image: 'i',
        reason: 'CrashLoopBackOff',
        message: 'back-off | exec format error',
        exitCode: 1,
        restarts: 4,
      },
    ]);
  });
});
