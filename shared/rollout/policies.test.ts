import { describe, expect, it } from '@jest/globals';
import { ApiError } from '../cluster/api-error.js';
import type { Cluster, PatchOperation } from '../cluster/cluster.js';
import type { KubeObject } from '../cluster/objects.js';
import { addRules, lackingRule, listTeamPolicies } from './policies.js';

const policy = (ingress: unknown, metadata: Partial<KubeObject['metadata']> = {}): KubeObject => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name: 'platform-default-deny', namespace: 'mcp-team-a', resourceVersion: '1', ...metadata },
  spec: { podSelector: {}, ...(ingress === undefined ? {} : { ingress }) },
});
const byName = { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } };
const rule = { from: [{ namespaceSelector: byName }] };

describe('lackingRule', () => {
  it.each<[string, unknown]>([
    ['the very rule', [rule]],
    ['it among others', [{ from: [{ podSelector: {} }] }, rule]],
    ['a rule for everybody', [{}]],
    ['a rule with an empty list of peers', [{ from: [], ports: [] }]],
    ['a rule for every namespace', [{ from: [{ namespaceSelector: {} }] }]],
    ['a rule for every pod of the namespace', [{ from: [{ namespaceSelector: byName, podSelector: {} }] }]],
    [
      'a rule that names the namespace in a list',
      [
        {
          from: [
            {
              namespaceSelector: {
                matchExpressions: [
                  { key: 'kubernetes.io/metadata.name', operator: 'In', values: ['traefik', 'kube-system'] },
                ],
              },
            },
          ],
        },
      ],
    ],
  ])('leaves a policy alone that has %s', (_, ingress) => {
    expect(lackingRule([policy(ingress)], 'kube-system')).toEqual([]);
  });

  it.each<[string, unknown]>([
    ['no rules at all', undefined],
    ['an empty list of rules', []],
    [
      'a rule for another namespace',
      [
        {
          from: [
            {
              namespaceSelector: {
                matchLabels: { 'kubernetes.io/metadata.name': 'kube-system-2' },
              },
            },
          ],
        },
      ],
    ],
    ['a rule for its own pods', [{ from: [{ podSelector: {} }] }]],
    ['a rule for addresses', [{ from: [{ ipBlock: { cidr: '0.0.0.0/0' } }] }]],
    ['the rule for one port only', [{ ...rule, ports: [{ port: 80 }] }]],
    [
      'the rule for some pods only',
      [{ from: [{ namespaceSelector: byName, podSelector: { matchLabels: { a: 'b' } } }] }],
    ],
    [
      'a rule that wants a further label of the namespace',
      [{ from: [{ namespaceSelector: { matchLabels: { ...byName.matchLabels, team: 'x' } } }] }],
    ],
    [
      'a rule for every other namespace',
      [
        {
          from: [
            {
              namespaceSelector: {
                matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: ['kube-system'] }],
              },
            },
          ],
        },
      ],
    ],
  ])('finds a policy that has %s', (_, ingress) => {
    const found = policy(ingress);
    expect(lackingRule([found], 'kube-system')).toEqual([found]);
  });

  it('leaves a policy alone that is being deleted', () => {
    expect(lackingRule([policy([], { deletionTimestamp: '2026-01-01T00:00:00Z' })], 'kube-system')).toEqual([]);
  });
});

describe('listTeamPolicies', () => {
  it('takes those of teams only: other namespaces may have a policy of that name', async () => {
    const items = ['mcp-team-a', 'mcp-servers', 'my-mcp-team-b'].map((namespace) => policy([], { namespace }));
    const cluster = { list: async () => ({ items, resourceVersion: '1' }) } as unknown as Cluster;
    const found = await listTeamPolicies(cluster);
    expect(found.map(({ metadata }) => metadata.namespace)).toEqual(['mcp-team-a']);
  });
});

describe('addRules', () => {
  const quiet = { signal: new AbortController().signal, progress: () => undefined };
  /** Refuses patches as told, then takes them; what is read again is `again`. */
  const server = (refusals: ApiError[], again?: KubeObject) => {
    const patches: PatchOperation[][] = [];
    const cluster = {
      patch: async (_kind: unknown, _ref: unknown, operations: PatchOperation[]) => {
        patches.push(operations);
        const refusal = refusals.shift();
        if (refusal !== undefined) throw refusal;
        return policy([]);
      },
      get: async () => again,
    } as unknown as Cluster;
    return { cluster, patches };
  };
  const moved = (): ApiError => new ApiError(409, 'Conflict', 'changed meanwhile', 'patch');

  it('adds the rule to those that are there, and only to what was read', async () => {
    const { cluster, patches } = server([]);
    expect(await addRules(cluster, [policy([{ from: [{ podSelector: {} }] }])], 'kube-system', quiet)).toBe(1);
    expect(patches).toEqual([
      [
        { op: 'test', path: '/metadata/resourceVersion', value: '1' },
        { op: 'add', path: '/spec/ingress/-', value: rule },
      ],
    ]);
  });

  it('makes the list of rules where there is none', async () => {
    const { cluster, patches } = server([]);
    await addRules(cluster, [policy(undefined)], 'kube-system', quiet);
    expect(patches[0]?.[1]).toEqual({ op: 'add', path: '/spec/ingress', value: [rule] });
  });

  it('sends no patch for a policy that has the rule', async () => {
    const { cluster, patches } = server([]);
    expect(await addRules(cluster, [policy([rule])], 'kube-system', quiet)).toBe(0);
    expect(patches).toEqual([]);
  });

  it.each([moved(), new ApiError(409, 'Conflict', '', 'patch')])(
    'reads a policy again that was changed meanwhile, and patches that: %s',
    async (refusal) => {
      const { cluster, patches } = server([refusal], policy([], { resourceVersion: '2' }));
      expect(await addRules(cluster, [policy([])], 'kube-system', quiet)).toBe(1);
      expect(patches[1]?.[0]).toEqual({ op: 'test', path: '/metadata/resourceVersion', value: '2' });
    },
  );

  it('patches no more when the platform has added the rule meanwhile', async () => {
    const { cluster, patches } = server([moved()], policy([rule]));
    expect(await addRules(cluster, [policy([])], 'kube-system', quiet)).toBe(0);
    expect(patches).toHaveLength(1);
  });

  it.each<[string, ApiError]>([
    ['gone', new ApiError(404, 'NotFound', '', 'patch')],
    ['gone when it is read again', moved()],
  ])('leaves a policy that is %s', async (_, refusal) => {
    expect(await addRules(server([refusal]).cluster, [policy([])], 'kube-system', quiet)).toBe(0);
  });

  it('gives up on a policy that is changed each time', async () => {
    const { cluster } = server([moved(), moved(), moved(), moved()], policy([]));
    await expect(addRules(cluster, [policy([])], 'kube-system', quiet)).rejects.toMatchObject({ status: 409 });
  });

  it('does not try again what is forbidden', async () => {
    const { cluster, patches } = server([new ApiError(403, 'Forbidden', '', 'patch')], policy([]));
    await expect(addRules(cluster, [policy([])], 'kube-system', quiet)).rejects.toMatchObject({ status: 403 });
    expect(patches).toHaveLength(1);
  });
});
