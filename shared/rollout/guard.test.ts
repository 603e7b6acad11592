import { describe, expect, it } from '@jest/globals';
import { McprtError } from '../errors.js';
import { guardArchitecture, guardPlan, guardReconcilers, guardSource } from './guard.js';
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
    writes: [{ kind: 'Deployment', name, uid: `uid-${name}`, images, pullSecrets: [], annotation: null }],
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
  const node = (architecture: string, unschedulable = false) => ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: architecture },
    spec: unschedulable ? { unschedulable } : {},
    status: { nodeInfo: { architecture } },
  });
  const refused = (nodes: ReturnType<typeof node>[], platforms: Record<string, string[]>) =>
    refusalOf(() => guardArchitecture(observed({ nodes }), new Map(Object.entries(platforms))));

  it.each<[string, ReturnType<typeof node>[], string[]]>([
    ['is for the nodes’ processor', [node('amd64')], ['linux/amd64']],
    ['is for the nodes’ processor, with a variant', [node('arm64')], ['linux/arm64/v8']],
    ['is for several, among them each node’s', [node('amd64'), node('arm64')], ['linux/arm64', 'linux/amd64']],
    ['does not tell what it is for', [node('amd64')], []],
    ['is not for a node that takes no pods', [node('amd64'), node('arm64', true)], ['linux/amd64']],
    ['meets nodes that do not tell what they are', [node('')], ['linux/amd64']],
  ])('lets an image pass that %s', (_, nodes, platforms) => {
    expect(refused(nodes, { image: platforms })).toBeUndefined();
  });

  it('refuses an image that one of the nodes cannot run, and names that image only', () => {
    const refusal = refused([node('amd64'), node('arm64')], {
      right: ['linux/amd64', 'linux/arm64'],
      wrong: ['linux/amd64'],
    });
    expect(refusal?.code).toBe('rollout-architecture');
    expect(refusal?.why).toBe('nodes: amd64, arm64\nwrong: linux/amd64');
  });
});
