import { describe, expect, it } from '@jest/globals';
import type { KubeObject } from '../cluster/objects.js';
import { type Expected, judge, newPods, patience, reasonsAtTheEnd, rootCauses, type WorkloadView } from './judge.js';
import { managed, workload } from './testing/objects.js';

const whole = { observedGeneration: 2, replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1 };
const half = { ...whole, updatedReplicas: 1, readyReplicas: 0, availableReplicas: 0 };
const revision = { 'deployment.kubernetes.io/revision': '2' };

const deployment = (status: object, metadata: Partial<KubeObject['metadata']> = {}): KubeObject =>
  workload('api', { api: 'new' }, { metadata: { generation: 2, annotations: revision, ...metadata }, status });
const expected: Expected = {
  kind: 'Deployment',
  name: 'api',
  uid: 'uid-api',
  generation: 2,
  replicas: 1,
  images: new Map([['api', 'new']]),
};
const ownedBy = (uid: string) => [{ apiVersion: 'apps/v1', kind: 'X', name: 'x', uid }];
const replicaSet = (number: string, status: object = {}): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  metadata: {
    name: `api-${number}`,
    namespace: 'mcp-sentinel',
    uid: `rs-${number}`,
    ownerReferences: ownedBy('uid-api'),
    annotations: { 'deployment.kubernetes.io/revision': number },
  },
  status,
});
const pod = (name: string, status: object, { owner = 'rs-2', node = '', deleted = false } = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name,
    namespace: 'mcp-sentinel',
    uid: `uid-${name}`,
    labels: { app: 'api' },
    ownerReferences: ownedBy(owner),
    ...(deleted ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}),
  },
  spec: { nodeName: node },
  status,
});
const waiting = (reason: string, message = '') => ({
  containerStatuses: [{ name: 'api', image: 'new', ready: false, state: { waiting: { reason, message } } }],
});
const ending = (ended: string, restarts: number) => ({
  containerStatuses: [
    {
      name: 'api',
      ready: false,
      restartCount: restarts,
      state: { waiting: { reason: 'CrashLoopBackOff' } },
      lastState: { terminated: { reason: ended, exitCode: 1 } },
    },
  ],
});
const crashing = ending('Error', 2);
const notMade = { conditions: [{ type: 'PodReadyToStartContainers', status: 'False' }] };
const running = { containerStatuses: [{ name: 'api', ready: false, state: { running: {} } }] };
const warning = (uid: string, message: string, reason = 'Failed'): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Event',
  metadata: { name: `${uid}.${reason}`, namespace: 'mcp-sentinel' },
  reason,
  message,
  involvedObject: { uid, name: 'api-2' },
});
const node = (status: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'n1' },
  status: { conditions: [{ type: 'Ready', status, message: 'kubelet stopped' }] },
});
const scene = (parts: Partial<WorkloadView>): WorkloadView => ({
  workloads: [deployment(half)],
  replicaSets: [replicaSet('1'), replicaSet('2')],
  pods: [],
  warnings: [],
  nodes: [],
  ...parts,
});
/** Code and patience of each symptom. */
const symptoms = (parts: Partial<WorkloadView>): [string, number][] =>
  judge([expected], scene(parts)).symptoms.map(({ finding, patience: ms }) => [finding.code, ms]);

describe('judge', () => {
  it('misses nothing of a workload that is rolled out, whatever is said about its pods', () => {
    const parts = { workloads: [deployment(whole)], pods: [pod('p', waiting('CrashLoopBackOff'))] };
    expect(judge([expected], scene(parts))).toEqual({ missing: [], symptoms: [] });
  });

  it.each<[string, object, string]>([
    ['its controller has not seen the change', { ...whole, observedGeneration: 1 }, 'newest change'],
    ['its controller has never told anything', {}, 'newest change'],
    ['an old pod is left', { ...whole, replicas: 2 }, '1 old replicas'],
    ['the new pod is not available', { ...whole, availableReplicas: 0 }, '0 of 1 replicas are available'],
    ['no pod is updated', { ...whole, updatedReplicas: 0 }, '0 of 1 replicas are updated'],
  ])('waits, without a symptom, while %s', (_, status, why) => {
    const { missing, symptoms: found } = judge([expected], scene({ workloads: [deployment(status)] }));
    expect(missing).toEqual([expect.stringContaining(why)]);
    expect(missing[0]).toContain('Deployment mcp-sentinel/api');
    expect(found).toEqual([]);
  });

  it('waits while the write itself has not arrived, although what is seen is the whole workload of before', () => {
    const old = workload('api', { api: 'old' }, { metadata: { generation: 1 }, status: whole });
    const { missing, symptoms: found } = judge([expected], scene({ workloads: [old] }));
    expect(missing).toHaveLength(1);
    expect(found).toEqual([]);
  });

  it('looks at no pod until the controller has seen the change: the newest ReplicaSet is the one of before', () => {
    const parts = {
      workloads: [deployment({ ...half, observedGeneration: 1 })],
      pods: [pod('p', waiting('CrashLoopBackOff'))],
    };
    expect(symptoms(parts)).toEqual([]);
  });

  describe('when somebody else is at work', () => {
    it.each<[string, KubeObject[], string]>([
      ['deleted', [], 'it was deleted meanwhile'],
      ['made again', [deployment(whole, { uid: 'other' })], 'it was deleted and made again meanwhile'],
    ])('has failed at once for a workload that was %s', (_, workloads, cause) => {
      const { symptoms: found } = judge([expected], scene({ workloads }));
      expect(found).toMatchObject([{ finding: { code: 'rollout-overwritten', cause }, patience: 0 }]);
    });

    it('has failed at once for another image, although that one is rolled out, and names who wrote it', () => {
      const managedFields = [managed('kubectl-set', { time: '2026-01-01T00:00:00Z', images: ['api'] })];
      const other = workload('api', { api: 'other' }, { metadata: { generation: 3, managedFields }, status: whole });
      const { missing, symptoms: found } = judge([expected], scene({ workloads: [other] }));
      expect(missing).toHaveLength(1);
      expect(found).toMatchObject([
        {
          finding: {
            code: 'rollout-overwritten',
            cause: expect.stringContaining('`kubectl-set`'),
            evidence: ['container api: other instead of new, written 2026-01-01T00:00:00Z'],
          },
          patience: 0,
        },
      ]);
    });

    it('has failed at once for a container that is gone', () => {
      const other = workload('api', { web: 'new' }, { metadata: { generation: 3 }, status: whole });
      expect(judge([expected], scene({ workloads: [other] })).symptoms[0]?.finding.evidence).toEqual([
        'container api: gone instead of new',
      ]);
    });

    it('does not mind a change of something else: what was written is there', () => {
      const scaled = deployment({ ...whole, observedGeneration: 3 }, { generation: 3 });
      expect(judge([expected], scene({ workloads: [scaled] }))).toEqual({ missing: [], symptoms: [] });
    });

    it('does not take a workload of another kind and the same name for it', () => {
      const other = workload(
        'api',
        { api: 'new' },
        { kind: 'StatefulSet', metadata: { generation: 2 }, status: whole },
      );
      expect(judge([expected], scene({ workloads: [other] })).symptoms[0]?.finding.code).toBe('rollout-overwritten');
    });
  });

  it.each<[string, KubeObject, KubeObject[], string]>([
    ['an image that is not there', pod('p', waiting('ErrImagePull', 'manifest unknown')), [], 'image-pull'],
    ['a name that is none', pod('p', waiting('InvalidImageName', 'bad')), [], 'image-pull'],
    [
      'an image that only the events say is not there',
      pod('p', waiting('ImagePullBackOff', 'Back-off pulling image')),
      [warning('uid-p', 'Failed to pull image "new": not found')],
      'image-pull',
    ],
    [
      'an image for another processor',
      pod('p', waiting('ErrImagePull', 'no match for platform')),
      [],
      'image-architecture',
    ],
    ['a container that keeps crashing', pod('p', crashing), [], 'pod-crash-loop'],
    ['one that is killed for its memory', pod('p', ending('OOMKilled', 1)), [], 'pod-crash-loop'],
    [
      'a program that is not there',
      pod('p', waiting('RunContainerError', 'no such file or directory')),
      [],
      'pod-config',
    ],
    ['an image that is never pulled', pod('p', waiting('ErrImageNeverPull')), [], 'image-pull'],
    ['a refused signature', pod('p', waiting('SignatureValidationFailed', 'no signature')), [], 'image-pull'],
  ])('has failed at once for %s', (_, one, warnings, code) => {
    expect(symptoms({ pods: [one], warnings })).toEqual([[code, patience.none]]);
  });

  it.each<[string, KubeObject, KubeObject[], string]>([
    ['a registry that does not answer', pod('p', waiting('ErrImagePull', 'connection refused')), [], 'image-pull'],
    [
      'a back-off whose cause another pod’s events tell',
      pod('p', waiting('ImagePullBackOff', 'Back-off pulling image')),
      [warning('uid-q', 'Failed to pull image "new": not found')],
      'image-pull',
    ],
    ['a container that has ended once', pod('p', waiting('Error')), [], 'pod-crash-loop'],
    ['one that has ended twice', pod('p', ending('Error', 1)), [], 'pod-crash-loop'],
    [
      'a node that is slow to make a container',
      pod('p', waiting('CreateContainerError', 'context deadline exceeded')),
      [],
      'pod-config',
    ],
    [
      'a volume that cannot be mounted yet',
      pod('p', { ...waiting('ContainerCreating'), ...notMade }),
      [warning('uid-p', 'MountVolume.SetUp failed for volume "v" : secret "s" not found', 'FailedMount')],
      'pod-config',
    ],
  ])('gives time to %s', (_, one, warnings, code) => {
    expect(symptoms({ pods: [one], warnings })).toEqual([[code, patience.passing]]);
  });

  it.each<[string, KubeObject, string, number]>([
    [
      'credentials that are new',
      pod('p', waiting('ErrImagePull', '401 Unauthorized')),
      'pull-secret-stale',
      patience.refusal,
    ],
    [
      'a Secret that somebody else may be about to make',
      pod('p', waiting('CreateContainerConfigError', 'secret "a" not found')),
      'pod-config',
      patience.scheduling,
    ],
  ])('gives a moment to %s', (_, one, code, ms) => {
    expect(symptoms({ pods: [one] })).toEqual([[code, ms]]);
  });

  it('gives whoever crashes time while a StatefulSet of the same rollout restarts', () => {
    const set = workload('db', {}, { kind: 'StatefulSet', status: { observedGeneration: 1, replicas: 1 } });
    const base: Expected = {
      ...expected,
      kind: 'StatefulSet',
      name: 'db',
      uid: 'uid-db',
      generation: 1,
      images: new Map(),
    };
    const parts = { workloads: [deployment(half), set], pods: [pod('p', crashing)] };
    const of = (...all: Expected[]): number[] => judge(all, scene(parts)).symptoms.map((one) => one.patience);
    expect(of(expected, base)).toEqual([patience.passing]);
    expect(of(expected)).toEqual([patience.none]);
  });

  it('does not believe the warnings of a volume once the pod says that it is made', () => {
    const warnings = [warning('uid-p', 'MountVolume.SetUp failed', 'FailedMount')];
    const made = { conditions: [{ type: 'PodReadyToStartContainers', status: 'True' }] };
    expect(symptoms({ pods: [pod('p', { ...waiting('ContainerCreating'), ...made })], warnings })).toEqual([]);
    // A cluster before 1.29 does not tell: a slow pull looks the same.
    expect(symptoms({ pods: [pod('p', waiting('ContainerCreating'))], warnings })).toEqual([
      ['pod-config', patience.late],
    ]);
  });

  describe('of pods that have ended', () => {
    const ended = (name: string, reason: string, phase = 'Failed') =>
      pod(name, { phase, reason, message: 'why', ...crashing });

    it.each<[string, KubeObject[]]>([
      ['evicted', [ended('a', 'Evicted'), pod('b', running)]],
      ['ended with its node', [ended('a', 'Terminated')]],
      ['turned away by its node', [ended('a', 'NodeShutdown'), ended('b', 'OutOfcpu')]],
      ['completed', [ended('a', '', 'Succeeded'), ended('b', '', 'Succeeded'), ended('c', '', 'Succeeded')]],
    ])('says nothing of one that was %s: another one is made', (_, pods) => {
      expect(symptoms({ pods })).toEqual([]);
    });

    it('says so where one after another is ended', () => {
      const pods = ['a', 'b', 'c'].map((name) => ended(name, 'Evicted'));
      expect(symptoms({ pods })).toEqual([['pod-ended', patience.passing]]);
      expect(judge([expected], scene({ pods })).symptoms[0]?.finding.cause).toContain('Evicted');
    });
  });

  describe('of evicted pods whose programs end well', () => {
    const over = (name: string) => pod(name, { phase: 'Succeeded' });
    const pods = ['a', 'b', 'c'].map(over);
    const evictions = pods.map(({ metadata }) => ({
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: `evicted-${metadata.name}` },
      involvedObject: { uid: metadata.uid },
      reason: 'Evicted',
      message: 'Pod ephemeral local storage usage exceeds the total limit of containers 32Mi. ',
    }));

    it('says so by their events, as their status does not', () => {
      const { symptoms: found } = judge([expected], scene({ pods, warnings: evictions }));
      expect(found.map(({ finding }) => finding.code)).toEqual(['pod-ended']);
      expect(found[0]?.finding.cause).toContain('Evicted');
      expect(found[0]?.finding.evidence[0]).toContain('ephemeral local storage');
    });

    it('says nothing while there are two', () => {
      expect(judge([expected], scene({ pods, warnings: evictions.slice(1) })).symptoms).toEqual([]);
    });
  });

  describe('of what somebody stopped meanwhile', () => {
    const paused = workload(
      'api',
      { api: 'new' },
      { metadata: { generation: 2, annotations: revision }, spec: { paused: true }, status: half },
    );

    it('waits for an image that is to be tried, and says what stops it', () => {
      const { symptoms: found } = judge([expected], scene({ workloads: [paused] }));
      expect(found).toMatchObject([
        {
          finding: { code: 'rollout-overwritten', cause: 'somebody stopped it meanwhile: it is paused' },
          patience: patience.passing,
        },
      ]);
    });

    it('does not wait for a restart: it comes when they let it go on', () => {
      const restarted = { ...expected, images: new Map<string, string>() };
      expect(judge([restarted], scene({ workloads: [paused] }))).toEqual({ missing: [], symptoms: [] });
    });

    it('does not wait for a DaemonSet past a node that is not Ready', () => {
      const set = workload(
        'api',
        {},
        {
          kind: 'DaemonSet',
          metadata: { generation: 2 },
          status: { observedGeneration: 2, desiredNumberScheduled: 2 },
        },
      );
      const agent: Expected = { ...expected, kind: 'DaemonSet', images: new Map() };
      const missing = (status: string) => judge([agent], scene({ workloads: [set], nodes: [node(status)] })).missing;
      expect(missing('Unknown')).toEqual([]);
      expect(missing('True')).toHaveLength(1);
    });
  });

  it.each<[string, object, object, boolean]>([
    ['is done when what was wanted runs', {}, {}, true],
    ['is not done with an old pod left', {}, { replicas: 4 }, false],
    ['is not done before what was wanted runs', {}, { availableReplicas: 0 }, false],
    ['is not done before its controller has seen it', {}, { observedGeneration: 1 }, false],
    ['is not done with fewer than it wants itself', { replicas: 1 }, { availableReplicas: 0, readyReplicas: 0 }, false],
  ])('of what an autoscaler has made larger than there is room for, %s', (_, spec, status, isDone) => {
    const counts = { ...whole, replicas: 3, updatedReplicas: 3, readyReplicas: 1, availableReplicas: 1 };
    const live = workload(
      'api',
      { api: 'new' },
      {
        metadata: { generation: 2, annotations: revision },
        spec: { replicas: 3, ...spec },
        status: { ...counts, ...status },
      },
    );
    expect(judge([expected], scene({ workloads: [live] })).missing).toHaveLength(isDone ? 0 : 1);
  });

  it('has no symptom while a pod is made, or runs and is not ready yet', () => {
    const pods = [pod('p', waiting('ContainerCreating')), pod('q', waiting('PodInitializing')), pod('r', running)];
    expect(symptoms({ pods })).toEqual([]);
  });

  it('looks at the newest ReplicaSet’s pods only, and not at those that go', () => {
    const crash = waiting('CrashLoopBackOff');
    const pods = [pod('old', crash, { owner: 'rs-1' }), pod('gone', crash, { deleted: true })];
    expect(symptoms({ pods })).toEqual([]);
  });

  it('gives the scheduler time, as a replica may make room', () => {
    const status = { conditions: [{ type: 'PodScheduled', status: 'False', message: '0/1 nodes: memory' }] };
    expect(symptoms({ pods: [pod('p', status)] })).toEqual([['pod-unschedulable', patience.scheduling]]);
    const going = pod('old', running, { owner: 'rs-1', deleted: true });
    expect(symptoms({ pods: [pod('p', status), going] })).toEqual([['pod-unschedulable', patience.passing]]);
    const nominated = { ...status, nominatedNodeName: 'n1' };
    expect(symptoms({ pods: [pod('p', nominated)] })).toEqual([['pod-unschedulable', patience.passing]]);
  });

  it('blames a node that is not Ready, and not what the container on it does', () => {
    const pods = [pod('p', crashing, { node: 'n1' })];
    expect(symptoms({ pods, nodes: [node('Unknown')] })).toEqual([['node-not-ready', patience.node]]);
    expect(symptoms({ pods, nodes: [node('True')] })).toEqual([['pod-crash-loop', patience.none]]);
  });

  describe('when no pod may be made', () => {
    const message = 'pods "api" is forbidden: exceeded quota: q';
    const failing = [{ type: 'ReplicaFailure', status: 'True', message }];
    it.each<[string, Partial<WorkloadView>]>([
      ['its own condition', { workloads: [deployment({ ...half, conditions: failing })] }],
      [
        'its newest ReplicaSet’s condition',
        { replicaSets: [replicaSet('1'), replicaSet('2', { conditions: failing })] },
      ],
      ['an event of its newest ReplicaSet', { warnings: [warning('rs-2', message, 'FailedCreate')] }],
    ])('says so by %s, and gives it a moment', (_, parts) => {
      expect(symptoms(parts)).toEqual([['workload-quota', patience.refusal]]);
    });

    it('gives time where a pod that goes makes room, or a webhook may come back', () => {
      const warnings = [warning('rs-2', message, 'FailedCreate')];
      const going = pod('old', running, { owner: 'rs-1', deleted: true });
      expect(symptoms({ warnings, pods: [going] })).toEqual([['workload-quota', patience.passing]]);
      const away = [warning('rs-2', 'failed calling webhook "w": connection refused', 'FailedCreate')];
      expect(symptoms({ warnings: away })).toEqual([['workload-quota', patience.passing]]);
    });

    it.each<[string, Partial<WorkloadView>]>([
      ['of an earlier ReplicaSet', { warnings: [warning('rs-1', message, 'FailedCreate')] }],
      [
        'of an earlier ReplicaSet’s condition',
        { replicaSets: [replicaSet('1', { conditions: failing }), replicaSet('2')] },
      ],
      [
        'of a time before its pods were made',
        { warnings: [warning('rs-2', message, 'FailedCreate')], pods: [pod('p', running)] },
      ],
    ])('does not mind the words %s', (_, parts) => {
      expect(symptoms(parts)).toEqual([]);
    });
  });

  describe('when the Deployment says that it makes no progress', () => {
    const late = deployment({
      ...half,
      conditions: [
        { type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', message: 'timed out progressing' },
      ],
    });

    it('gives it a moment: the words may be those of the rollout before', () => {
      expect(symptoms({ workloads: [late] })).toEqual([['workload-not-ready', patience.refusal]]);
    });

    it('tells the cause instead where one is seen', () => {
      expect(symptoms({ workloads: [late], pods: [pod('p', crashing)] })).toEqual([['pod-crash-loop', patience.none]]);
    });
  });

  it('tells what is missing of every workload', () => {
    const ui = workload('ui', { ui: 'new' }, { status: {} });
    const both = [expected, { ...expected, name: 'ui', uid: 'uid-ui', generation: 1, images: new Map() }];
    expect(judge(both, scene({ workloads: [deployment(whole), ui] })).missing).toEqual([
      expect.stringContaining('mcp-sentinel/ui'),
    ]);
  });
});

describe('reasonsAtTheEnd', () => {
  it('tells every symptom, also one that might have passed', () => {
    const pods = [pod('p', waiting('ErrImagePull', 'connection refused'))];
    expect(reasonsAtTheEnd([expected], scene({ pods }))).toMatchObject([{ code: 'image-pull' }]);
  });

  it('tells a probe that fails where nothing else is wrong', () => {
    const warnings = [warning('uid-p', 'Readiness probe failed: 503', 'Unhealthy')];
    const [finding] = reasonsAtTheEnd([expected], scene({ pods: [pod('p', running)], warnings }));
    expect(finding).toMatchObject({
      code: 'probe-failing',
      cause: 'its new pod runs, and its readiness probe fails: 503',
      evidence: expect.arrayContaining(['Readiness probe failed: 503']),
    });
  });

  it('tells how far it is where nothing is known to be wrong, as a likely cause only', () => {
    const [finding] = reasonsAtTheEnd([expected], scene({ pods: [pod('p', running)] }));
    expect(finding).toMatchObject({
      code: 'workload-not-ready',
      confidence: 'likely',
      evidence: [
        'Deployment mcp-sentinel/api: 0 of 1 replicas are available',
        'pod p: container api runs and is not ready',
      ],
    });
  });

  it('names the init container that does not end', () => {
    const first = { initContainerStatuses: [{ name: 'migrate', state: { running: { startedAt: 't' } } }] };
    const [found] = reasonsAtTheEnd(
      [expected],
      scene({ pods: [pod('p', { ...first, ...waiting('PodInitializing') })] }),
    );
    expect(found).toMatchObject({ cause: 'its init container migrate has not ended' });
  });

  it('does not say of a container that it runs while it is still being made', () => {
    const [finding] = reasonsAtTheEnd([expected], scene({ pods: [pod('p', waiting('ContainerCreating'))] }));
    expect(finding?.evidence).toContain('pod p: container api does not run: ContainerCreating');
  });

  it('tells nothing of a workload that is rolled out after all', () => {
    expect(reasonsAtTheEnd([expected], scene({ workloads: [deployment(whole)] }))).toEqual([]);
  });
});

describe('rootCauses', () => {
  it('tells one cause once, for all that it stops, and before what it brings about', () => {
    const parts = { pods: [pod('p', waiting('ErrImagePull', 'manifest unknown'))] };
    const image = judge([expected], scene(parts)).symptoms.map(({ finding }) => finding);
    const late = reasonsAtTheEnd([expected], scene({}));
    const ui = image.map((one) => ({ ...one, subject: 'Deployment mcp-sentinel/ui' }));
    expect(rootCauses([...late, ...image, ...ui]).map(({ code, subject }) => [code, subject])).toEqual([
      ['image-pull', 'Deployment mcp-sentinel/api, Deployment mcp-sentinel/ui'],
      ['workload-not-ready', 'Deployment mcp-sentinel/api'],
    ]);
  });
});

describe('newPods', () => {
  const labelled = (name: string, hash: string): KubeObject => {
    const one = pod(name, {});
    return { ...one, metadata: { ...one.metadata, labels: { app: 'api', 'controller-revision-hash': hash } } };
  };
  const namesOf = (pods: readonly KubeObject[]): string[] => pods.map(({ metadata }) => metadata.name);

  it('are those of the ReplicaSet with the Deployment’s revision, whoever else has such pods', () => {
    const foreign = {
      ...replicaSet('2'),
      metadata: { ...replicaSet('2').metadata, uid: 'x', ownerReferences: ownedBy('y') },
    };
    const pods = [pod('old', {}, { owner: 'rs-1' }), pod('new', {}), pod('foreign', {}, { owner: 'x' })];
    const replicaSets = [foreign, replicaSet('1'), replicaSet('2')];
    expect(namesOf(newPods(deployment(half), { replicaSets, pods }))).toEqual(['new']);
  });

  it('are none before the Deployment has a ReplicaSet of its revision', () => {
    expect(
      newPods(deployment(half), { replicaSets: [replicaSet('1')], pods: [pod('old', {}, { owner: 'rs-1' })] }),
    ).toEqual([]);
  });

  it('are those of a StatefulSet’s newest revision, and all as long as it tells none', () => {
    const pods = [labelled('old', 'r1'), labelled('new', 'r2')];
    const set = (status: object) => workload('api', {}, { kind: 'StatefulSet', status });
    expect(namesOf(newPods(set({ updateRevision: 'r2' }), { replicaSets: [], pods }))).toEqual(['new']);
    expect(namesOf(newPods(set({}), { replicaSets: [], pods }))).toEqual(['old', 'new']);
  });
});
