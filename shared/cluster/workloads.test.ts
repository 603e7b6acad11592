import { describe, expect, it } from '@jest/globals';
import type { KubeObject } from './objects.js';
import { isOver, podsOf, troublesOf } from './workloads.js';

const workload = (kind: string, spec: object, status: object, generation = 1): KubeObject => ({
  apiVersion: 'apps/v1',
  kind,
  metadata: { name: 'api', namespace: 'a', generation },
  spec,
  status: { observedGeneration: 1, ...status },
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

describe('isOver', () => {
  it.each<[string, object, object, boolean]>([
    ['one that runs', {}, { phase: 'Running' }, false],
    ['one that waits', {}, { phase: 'Pending' }, false],
    ['one of which nothing is told yet', {}, {}, false],
    ['one that goes', { deletionTimestamp: 'now' }, { phase: 'Running' }, true],
    ['one that was evicted', {}, { phase: 'Failed', reason: 'Evicted' }, true],
    ['one that ended with its node', {}, { phase: 'Failed', reason: 'Terminated' }, true],
    ['one that completed', {}, { phase: 'Succeeded' }, true],
  ])('knows %s', (_, metadata, status, over) => {
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', ...metadata }, status };
    expect(isOver(pod)).toBe(over);
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
            lastState: { terminated: { exitCode: 1, reason: 'Error', message: 'exec format error' } },
          },
        ],
      },
    };
    expect(troublesOf(pod)).toEqual([
      {
        container: 'bad',
        role: 'container',
        image: 'i',
        reason: 'CrashLoopBackOff',
        message: 'back-off | exec format error',
        ended: 'Error',
        exitCode: 1,
        restarts: 4,
      },
    ]);
  });
});
