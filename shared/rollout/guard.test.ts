import { describe, expect, it } from '@jest/globals';
import { McprtError } from '../errors.js';
import { guardArchitecture, guardPlan, guardReconcilers, guardSource, guardWindow } from './guard.js';
import { planRollout, type RolloutPlan, type WantedImage } from './plan.js';
import { managed, observed, workload } from './testing/objects.js';

const refusalOf = (work: () => void): McprtError | undefined => {
  try {
    work();
    return undefined;
  } catch (error) {
    if (error instanceof McprtError) return error;
    throw error;
  }
};
const noPlan = planRollout(observed(), {
  images: [],
  config: {},
  pullSecret: undefined,
  permissions: [],
  policies: undefined,
});

describe('guardPlan', () => {
  const plan: RolloutPlan = {
    ...noPlan,
    digest: 'd',
    changes: [{ subject: 'ConfigMap a/b', field: 'KEY', from: '', to: 'new', reason: '' }],
  };

  it.each(['', 'd'])('lets a plan pass when none was approved, or this one was: "%s"', (expected) => {
    expect(refusalOf(() => guardPlan(plan, expected))).toBeUndefined();
  });

  it('refuses another plan than the approved one, and says what would be changed', () => {
    const refusal = refusalOf(() => guardPlan(plan, 'e'));
    expect(refusal?.code).toBe('rollout-plan-moved');
    expect(refusal?.why).toContain('ConfigMap a/b: KEY: – → new');
  });
});

describe('guardSource', () => {
  const target = { deployment: 'api', container: 'api', dockerfile: 'Dockerfile' };
  const image = (origin: WantedImage['origin']): WantedImage[] => [
    { target, origin, repository: 'r/api', tag: 't', digest: undefined, recipe: 'x' },
  ];

  it('refuses to build for an approval what nobody knows the commit of', () => {
    expect(refusalOf(() => guardSource(image('to build'), ''))?.code).toBe('rollout-unbound');
    expect(refusalOf(() => guardSource(image('to build'), 'abc'))).toBeUndefined();
    expect(refusalOf(() => guardSource(image('given'), ''))).toBeUndefined();
  });
});

describe('guardReconcilers', () => {
  const live = (manager: string) =>
    workload('api', { api: 'i' }, { metadata: { managedFields: [managed(manager, { images: ['api'] })] } });
  const write = (images: Record<string, string>, name = 'api'): RolloutPlan => ({
    ...noPlan,
    writes: [
      { kind: 'Deployment', name, uid: `uid-${name}`, images, pullSecrets: [], initContainers: [], annotation: null },
    ],
  });

  it('refuses to write an image that another program would put back, and names both', () => {
    const seen = observed({ deployments: [live('argocd-controller')] });
    const refusal = refusalOf(() => guardReconcilers(seen, write({ api: 'j' }), false));
    expect(refusal?.code).toBe('rollout-reconciler');
    expect(refusal?.why).toBe('api/api: `argocd-controller`');
  });

  it('lets it pass when the user allows it', () => {
    const seen = observed({ deployments: [live('argocd-controller')] });
    expect(refusalOf(() => guardReconcilers(seen, write({ api: 'j' }), true))).toBeUndefined();
  });

  it.each<[string, RolloutPlan]>([
    ['nothing is written', noPlan],
    ['no image of the workload is written', write({})],
    ['another workload is written', write({ api: 'j' }, 'ui')],
  ])('lets it pass when %s', (_, plan) => {
    const seen = observed({ deployments: [live('argocd-controller'), workload('ui', { api: 'i' })] });
    expect(refusalOf(() => guardReconcilers(seen, plan, false))).toBeUndefined();
  });

  it('lets images pass that people and installers write', () => {
    expect(
      refusalOf(() => guardReconcilers(observed({ deployments: [live('helm')] }), write({ api: 'j' }), false)),
    ).toBeUndefined();
  });
});

describe('guardArchitecture', () => {
  const node = (architecture: string, spec: object = {}) => ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: `n-${architecture}`, labels: { 'kubernetes.io/arch': architecture } },
    spec,
    status: { nodeInfo: { architecture } },
  });
  const digest = `sha256:${'a'.repeat(64)}`;
  const imageFor = (deployment: string): WantedImage => ({
    target: { deployment, container: 'c', dockerfile: '' },
    origin: 'given',
    repository: `r/${deployment}`,
    tag: '',
    digest,
    recipe: '',
  });
  const refused = (nodes: ReturnType<typeof node>[], platforms: Record<string, string[]>, pod: object = {}) =>
    refusalOf(() =>
      guardArchitecture(
        observed({ nodes, deployments: Object.keys(platforms).map((name) => workload(name, { c: 'i' }, { pod })) }),
        Object.keys(platforms).map(imageFor),
        new Map(Object.entries(platforms).map(([name, offered]) => [`r/${name}@${digest}`, offered])),
      ),
    );

  it.each<[string, ReturnType<typeof node>[], string[]]>([
    ['is for the nodes’ processor', [node('amd64')], ['linux/amd64']],
    ['is for the nodes’ processor, with a variant', [node('arm64')], ['linux/arm64/v8']],
    ['is for several, among them each node’s', [node('amd64'), node('arm64')], ['linux/arm64', 'linux/amd64']],
    ['does not tell what it is for', [node('amd64')], []],
    ['is not for a node that takes no pods', [node('amd64'), node('arm64', { unschedulable: true })], ['linux/amd64']],
    ['meets nodes that do not tell what they are', [node('')], ['linux/amd64']],
  ])('lets an image pass that %s', (_, nodes, platforms) => {
    expect(refused(nodes, { api: platforms })).toBeUndefined();
  });

  it('lets an image pass whose pods are kept from the other nodes', () => {
    const nodes = [node('amd64'), node('arm64')];
    const nodeSelector = { 'kubernetes.io/arch': 'amd64' };
    expect(refused(nodes, { api: ['linux/amd64'] }, { nodeSelector })).toBeUndefined();
    expect(refused(nodes, { api: ['linux/arm64'] }, { nodeSelector })?.code).toBe('rollout-architecture');
  });

  it('refuses an image that one of the nodes cannot run, and names that image and node only', () => {
    const refusal = refused([node('amd64'), node('arm64')], {
      right: ['linux/amd64', 'linux/arm64'],
      wrong: ['linux/amd64'],
    });
    expect(refusal?.code).toBe('rollout-architecture');
    expect(refusal?.why).toBe(`r/wrong@${digest}: amd64; not for n-arm64 (arm64)`);
  });
});

describe('guardWindow', () => {
  const slow = workload('api', { api: 'i' }, { spec: { minReadySeconds: 60 } });
  const refused = (timeout: number, writes: RolloutPlan['writes']) =>
    refusalOf(() => guardWindow(observed({ deployments: [slow] }), { ...noPlan, writes }, timeout));
  const write: RolloutPlan['writes'][number] = {
    kind: 'Deployment',
    name: 'api',
    uid: 'uid-api',
    images: {},
    initContainers: [],
    pullSecrets: [],
    annotation: null,
  };

  it('refuses what has to be Ready for longer than the rollout waits', () => {
    expect(refused(60_000, [write])).toMatchObject({ code: 'rollout-window', why: expect.stringContaining('is 60') });
    expect(refused(61_000, [write])).toBeUndefined();
  });

  it('does not mind what is not written', () => {
    expect(refused(1_000, [])).toBeUndefined();
  });
});
