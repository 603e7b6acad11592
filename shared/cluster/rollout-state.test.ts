import { describe, expect, it } from '@jest/globals';
import type { KubeObject } from './objects.js';
import { rolloutState } from './rollout-state.js';

const make = (kind: string, spec: object, status: object, metadata: object = {}): KubeObject => ({
  apiVersion: 'apps/v1',
  kind,
  metadata: { name: 'w', namespace: 'n', generation: 2, ...metadata },
  spec,
  status: { observedGeneration: 2, ...status },
});
const two = { replicas: 2 };
const whole = { replicas: 2, updatedReplicas: 2, readyReplicas: 2, availableReplicas: 2 };
const progressing = (status: string, reason: string, message = '') => ({
  conditions: [{ type: 'Progressing', status, reason, message }],
});
const deadline = { ...two, progressDeadlineSeconds: 600 };
const deployment = (parts: object, spec: object = two): KubeObject => make('Deployment', spec, { ...whole, ...parts });
const set = { ...whole, currentReplicas: 2, currentRevision: 'a', updateRevision: 'a' };
const statefulSet = (parts: object, updateStrategy: object = {}): KubeObject =>
  make('StatefulSet', { ...two, updateStrategy }, { ...set, ...parts });
const partition = (value: number) => ({ rollingUpdate: { partition: value } });
const everywhere = {
  desiredNumberScheduled: 2,
  currentNumberScheduled: 2,
  updatedNumberScheduled: 2,
  numberAvailable: 2,
  numberReady: 2,
};
const daemonSet = (parts: object, updateStrategy: object = {}): KubeObject =>
  make('DaemonSet', { updateStrategy }, { ...everywhere, ...parts });
const onDelete = { type: 'OnDelete' };

// One row for each rule of kstatus, and for each in which mcprt means to differ (proofs/rollout-patience/kstatus.ts).
describe('rolloutState', () => {
  it.each<[string, KubeObject, string]>([
    ['what is being deleted', make('Deployment', two, whole, { deletionTimestamp: 'now' }), 'being deleted'],
    ['what its controller has not seen', deployment({ observedGeneration: 1 }), 'newest change'],
    [
      'what no controller has seen',
      make('Deployment', two, { ...whole, observedGeneration: undefined }),
      'newest change',
    ],
    ['a Deployment that is complete', deployment(progressing('True', 'NewReplicaSetAvailable'), deadline), ''],
    ['one scaled to 0', make('Deployment', { replicas: 0 }, {}), ''],
    [
      'one that names no replicas',
      make('Deployment', {}, { ...whole, replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1 }),
      '',
    ],
    [
      'one past its deadline',
      deployment(progressing('False', 'ProgressDeadlineExceeded', 'timed out'), deadline),
      'timed out',
    ],
    ['one half updated', deployment({ updatedReplicas: 1 }), '1 of 2 replicas are updated'],
    ['one with an old pod', deployment({ replicas: 3 }), '1 old replicas'],
    [
      'one with too many pods',
      deployment({ ...whole, replicas: 3, updatedReplicas: 3, availableReplicas: 3 }),
      '1 replicas more',
    ],
    ['one whose pods are not there', deployment({ replicas: 1 }), '1 of 2 replicas are there'],
    ['one within minReadySeconds', deployment({ availableReplicas: 1 }), '1 of 2 replicas are available'],
    ['one whose pod is not ready any more', deployment({ readyReplicas: 1 }), '1 of 2 replicas are ready'],
    ['one that is still at it', deployment(progressing('True', 'ReplicaSetUpdated'), deadline), 'has not said'],
    ['one that was paused', deployment(progressing('Unknown', 'DeploymentPaused'), deadline), 'has not said'],
    ['one without a deadline, which has no such condition', deployment(progressing('True', 'ReplicaSetUpdated')), ''],
    [
      'one that is not available',
      deployment({ conditions: [{ type: 'Available', status: 'False' }] }),
      'does not call it available',
    ],
    ['a StatefulSet that is complete', statefulSet({}), ''],
    [
      'one with OnDelete, whatever its revisions',
      statefulSet({ updateRevision: 'b', updatedReplicas: 0 }, onDelete),
      '',
    ],
    ['one with OnDelete that does not run', statefulSet({ readyReplicas: 1 }, onDelete), '1 of 2 replicas are ready'],
    ['one with a pod missing', statefulSet({ replicas: 1 }), '1 of 2 replicas are there'],
    ['one that is not ready', statefulSet({ readyReplicas: 0 }), '0 of 2 replicas are ready'],
    ['one with a pod too many', statefulSet({ replicas: 3 }), '1 replicas more'],
    [
      'one that is updated as far as its partition',
      statefulSet({ updatedReplicas: 1, updateRevision: 'b' }, partition(1)),
      '',
    ],
    [
      'one that is not',
      statefulSet({ updatedReplicas: 0, updateRevision: 'b' }, partition(1)),
      '0 of 1 replicas are updated',
    ],
    ['one with an old pod', statefulSet({ currentReplicas: 1, updatedReplicas: 1 }), '1 of 2 replicas are updated'],
    [
      'one between two revisions',
      statefulSet({ updateRevision: 'b', updatedReplicas: 0 }),
      '0 of 2 replicas are updated',
    ],
    ['a DaemonSet that is complete', daemonSet({}), ''],
    ['one that has not been counted', daemonSet({ desiredNumberScheduled: undefined }), 'has not counted'],
    ['one with a pod missing', daemonSet({ currentNumberScheduled: 1 }), '1 of 2 pods are there'],
    ['one half updated', daemonSet({ updatedNumberScheduled: 1 }), '1 of 2 pods are updated'],
    ['one with OnDelete, half updated', daemonSet({ updatedNumberScheduled: 1 }, onDelete), ''],
    ['one within minReadySeconds', daemonSet({ numberAvailable: 1 }), '1 of 2 pods are available'],
    ['one that is not ready', daemonSet({ numberReady: 1 }), '1 of 2 pods are ready'],
  ])('judges %s', (_, object, why) => {
    const state = rolloutState(object);
    expect(state.complete).toBe(why === '');
    expect(state.why).toContain(why);
  });
});
