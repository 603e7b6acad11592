import { describe, expect, it } from '@jest/globals';
import { ApiError } from '../cluster/api-error.js';
import type { Cluster } from '../cluster/cluster.js';
import type { KubeObject } from '../cluster/objects.js';
import { McprtError } from '../errors.js';
import { parseManifest, previewPermissions, requireKind } from './permissions.js';

const role = `apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: { name: api, namespace: mcp-sentinel }
rules: []
`;
const clusterRole = `apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: api }
`;

describe('parseManifest', () => {
  const refusalOf = (text: string): McprtError => {
    try {
      parseManifest(text, 'k8s/rbac.yaml');
    } catch (error) {
      if (error instanceof McprtError) return error;
      throw error;
    }
    throw new Error('it was not refused');
  };

  it('reads every document, and passes over empty ones', () => {
    const found = parseManifest(`---\n${role}---\n# nothing\n---\n${clusterRole}---\n`, 'f');
    expect(found.map(({ kind, metadata }) => [kind, metadata.namespace, metadata.name])).toEqual([
      ['Role', 'mcp-sentinel', 'api'],
      ['ClusterRole', undefined, 'api'],
    ]);
  });

  it('reads nothing of an empty file', () => {
    expect(parseManifest('', 'f')).toEqual([]);
  });

  it.each<[string, string, string]>([
    ['a workload', role.replace('kind: Role', 'kind: Deployment'), 'Deployment is not a kind of permission'],
    ['a Secret', 'apiVersion: v1\nkind: Secret\nmetadata: { name: a, namespace: b }', 'Secret is not'],
    ['a kind of another group', role.replace('rbac.authorization.k8s.io', 'example.com'), 'Role is not'],
    ['an old version', role.replace('/v1', '/v1beta1'), 'Role is not'],
    ['a Role without a namespace', role.replace(', namespace: mcp-sentinel', ''), 'Role api names no namespace'],
    ['an object without a name', 'kind: Role\nmetadata: {}', 'no Kubernetes object with a name'],
    ['a text', 'hello', 'no Kubernetes object with a name'],
    ['a list', '- a', 'no Kubernetes object with a name'],
    ['an alias of nothing', role.replace('[]', '*nothing'), 'nothing'],
  ])('refuses %s', (_, text, what) => {
    const refusal = refusalOf(text);
    expect(refusal.code).toBe('rollout-manifest');
    expect(refusal.message).toContain(what);
  });

  it('names the file and the line of the document that is wrong', () => {
    expect(refusalOf(`${clusterRole}---\nkind: Secret\nmetadata: { name: a }\n`).message).toMatch(
      /^k8s\/rbac\.yaml:4: /,
    );
  });

  it('names the line at which the YAML is broken', () => {
    expect(refusalOf(`${clusterRole}rules: [\n`).message).toMatch(/^k8s\/rbac\.yaml:[45]: /);
    expect(refusalOf('kind: Role\nmetadata: { name: a }\nkind: Role\n').message).toMatch(/^k8s\/rbac\.yaml:3: /);
  });
});

describe('previewPermissions', () => {
  const [wanted] = parseManifest(role, 'f') as [KubeObject];
  const cluster = (live: KubeObject | undefined, apply: () => Promise<KubeObject>) => {
    const options: unknown[] = [];
    return {
      options,
      cluster: {
        get: async () => live,
        apply: (_kind: unknown, _object: unknown, given: unknown) => {
          options.push(given);
          return apply();
        },
      } as unknown as Cluster,
    };
  };

  it('asks the server what applying would give, and stores nothing', async () => {
    const [live, after] = [{ ...wanted }, { ...wanted, rules: [{}] }];
    const { cluster: fake, options } = cluster(live, async () => after);
    expect(await previewPermissions(fake, [wanted])).toEqual([{ wanted, live, after }]);
    expect(options).toEqual([{ force: true, dryRun: true }]);
  });

  it('takes the manifest itself where its namespace is not there yet', async () => {
    const { cluster: fake } = cluster(undefined, () => Promise.reject(new ApiError(404, 'NotFound', '', 'apply')));
    expect(await previewPermissions(fake, [wanted])).toEqual([{ wanted, live: undefined, after: wanted }]);
  });

  it('fails with what the server refuses', async () => {
    const { cluster: fake } = cluster(undefined, () => Promise.reject(new ApiError(403, 'Forbidden', '', 'apply')));
    await expect(previewPermissions(fake, [wanted])).rejects.toMatchObject({ code: 'cluster-forbidden' });
  });
});

describe('requireKind', () => {
  it('knows the kinds of permissions, and no other', () => {
    expect(requireKind({ kind: 'ClusterRoleBinding' }).plural).toBe('clusterrolebindings');
    expect(() => requireKind({ kind: 'Secret' })).toThrow('Secret is not a kind of permission');
  });
});
