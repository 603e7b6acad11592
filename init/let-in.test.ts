import { expect, it } from '@jest/globals';
import { kinds } from '../shared/cluster/objects.js';
import { memoryApi } from '../shared/cluster/testing/memory-api.js';
import { grantIdentities, type Wanted } from './identities.js';
import { isLetIn, observeBound } from './let-in.js';

const mine = 'acme/platform';
const backup: Wanted = { environment: 'mcprt-backup', operation: 'backup' };

it('lets in whom init has bound, for that operation, and nobody of another repository', async () => {
  const on = memoryApi();
  for (const name of ['kube-system', 'default', 'cert-manager', 'mcp-sentinel'])
    on.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  expect(await observeBound(on.cluster, mine)).toEqual([]);
  await grantIdentities(on.cluster, mine, [backup], []);
  expect(on.objects(kinds.clusterRoleBinding)).not.toEqual([]);
  const bound = (await observeBound(on.cluster, mine)) ?? [];
  const isIn = (name: string, operation: 'backup' | 'restore', repository = mine): boolean =>
    isLetIn({ name, operation }, repository, bound);
  expect(isIn('mcprt-backup', 'backup')).toBe(true);
  expect(isIn('mcprt-backup', 'restore')).toBe(false);
  expect(isIn('staging-backup', 'backup')).toBe(false);
  expect(isIn('mcprt-backup', 'backup', 'acme/other')).toBe(false);
});

it.each([
  ['acme/platform', true],
  ['acme/other', false],
])('takes an account for its own only where it was made for it: %s', async (owner, expected) => {
  const on = memoryApi();
  const kube = { namespace: 'kube-system', name: 'mcprt-backup' };
  on.put({
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { ...kube, annotations: { 'mcprt.dev/repository': owner } },
  });
  on.put({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: 'mcprt-backup', labels: { 'app.kubernetes.io/managed-by': 'mcprt' } },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'mcprt-backup' },
    subjects: [{ kind: 'ServiceAccount', ...kube }],
  });
  const bound = (await observeBound(on.cluster, mine)) ?? [];
  expect(isLetIn({ name: 'mcprt-backup', operation: 'backup' }, mine, bound)).toBe(expected);
});
