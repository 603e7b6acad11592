import { describe, expect, it } from '@jest/globals';
import { recordsAt } from '../shared/cluster/fields.js';
import { type KubeObject, kinds } from '../shared/cluster/objects.js';
import { type MemoryApi, memoryApi } from '../shared/cluster/testing/memory-api.js';
import { makeAccounts } from './accounts.js';
import { grantIdentities, type Wanted } from './identities.js';
import { removeFromCluster } from './removal.js';

const mine = 'acme/platform';

function api(): MemoryApi {
  const made = memoryApi();
  for (const name of ['kube-system', 'default', 'cert-manager', 'mcp-sentinel'])
    made.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  return made;
}

function boundTo(on: MemoryApi, operation: string): string[] {
  const found = on.find(kinds.clusterRoleBinding, { name: `mcprt-${operation}` });
  return recordsAt(found, 'subjects').map(({ name }) => String(name));
}

const backup: Wanted = { environment: 'mcprt-backup', operation: 'backup' };
const user = (repository: string, environment: string): string => `mcprt:repo:${repository}:environment:${environment}`;

describe('the identities of a repository', () => {
  it('are bound to the operation of their environment, and make no account', async () => {
    const on = api();
    await grantIdentities(on.cluster, mine, [backup], ['web-tls']);
    expect(boundTo(on, 'backup')).toEqual([user(mine, 'mcprt-backup')]);
    expect(on.objects(kinds.serviceAccount)).toEqual([]);
    const rules = recordsAt(on.find(kinds.clusterRole, { name: 'mcprt-backup' }), 'rules');
    const secrets = rules.filter(({ resources }) => Array.isArray(resources) && resources.includes('secrets'));
    expect(JSON.stringify(secrets)).toContain('web-tls');
    expect(secrets.every(({ resourceNames }) => Array.isArray(resourceNames) && resourceNames.length > 0)).toBe(true);
  });

  it('lose what their environment is not for any more', async () => {
    const on = api();
    await grantIdentities(on.cluster, mine, [{ environment: 'mcprt-restore', operation: 'install' }], []);
    await grantIdentities(on.cluster, mine, [{ environment: 'mcprt-restore', operation: 'restore' }], []);
    expect(boundTo(on, 'restore')).toEqual([user(mine, 'mcprt-restore')]);
    expect(on.find(kinds.clusterRoleBinding, { name: 'mcprt-install' })).toBeUndefined();
  });

  it('leave those of another repository alone', async () => {
    const on = api();
    await grantIdentities(on.cluster, 'acme/other', [backup], []);
    await grantIdentities(on.cluster, mine, [backup], []);
    expect(boundTo(on, 'backup')).toEqual([user('acme/other', 'mcprt-backup'), user(mine, 'mcprt-backup')]);
    await grantIdentities(on.cluster, mine, [], []);
    expect(boundTo(on, 'backup')).toEqual([user('acme/other', 'mcprt-backup')]);
  });

  it('take the place of an account with a token, which goes', async () => {
    const on = api();
    const kube = { namespace: 'kube-system' };
    on.put({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { ...kube, name: 'mcprt-backup' } });
    on.put(tokenSecret('mcprt-backup-token'));
    await grantIdentities(on.cluster, mine, [backup], []);
    expect(on.objects(kinds.serviceAccount)).toEqual([]);
    expect(on.objects(kinds.secret)).toEqual([]);
  });
});

describe('what others have', () => {
  const kube = { namespace: 'kube-system' };
  const account = (name: string, owner?: string): KubeObject => ({
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: {
      ...kube,
      name,
      ...(owner === undefined ? {} : { annotations: { 'mcprt.dev/repository': owner } }),
    },
  });
  const bound = (operation: string, ...subjects: object[]): KubeObject => ({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: `mcprt-${operation}` },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: `mcprt-${operation}` },
    subjects,
  });
  const of = (name: string) => ({ kind: 'ServiceAccount', name, ...kube });
  const person = (name: string) => ({ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name });

  it('stays: accounts of another repository, of hands, and options', async () => {
    const on = api();
    for (const object of [
      account('mcprt-backup', 'acme/other'),
      bound('backup', of('mcprt-backup'), person('somebody')),
      account('mcprt-verify'),
      bound('verify', of('mcprt-verify')),
      bound('rollout-permissions', person(user(mine, 'production'))),
    ])
      on.put(object);
    const { retired } = await grantIdentities(on.cluster, mine, [backup], []);
    expect(retired).toEqual([]);
    expect(boundTo(on, 'backup')).toEqual(['mcprt-backup', 'somebody', user(mine, 'mcprt-backup')]);
    expect(boundTo(on, 'verify')).toEqual(['mcprt-verify']);
    expect(boundTo(on, 'rollout-permissions')).toEqual([user(mine, 'production')]);
    expect(on.objects(kinds.serviceAccount).map(({ metadata }) => metadata.name)).toEqual([
      'mcprt-backup',
      'mcprt-verify',
    ]);
  });

  it('stays when two repositories are granted at once', async () => {
    const on = api();
    const repositories = ['acme/one', 'acme/two', 'acme/three'];
    await Promise.all(repositories.map((one) => grantIdentities(on.cluster, one, [backup], [])));
    expect(boundTo(on, 'backup').sort()).toEqual(repositories.map((one) => user(one, 'mcprt-backup')).sort());
  });
});

function tokenSecret(name: string): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { namespace: 'kube-system', name },
    type: 'kubernetes.io/service-account-token',
    data: {},
  };
}

describe('a removal', () => {
  it('takes all of it, also what earlier releases made, and nothing else', async () => {
    const on = api();
    await grantIdentities(on.cluster, mine, [backup, { environment: 'mcprt-restore', operation: 'restore' }], []);
    on.put(tokenSecret('mcprt-wipe-token'));
    on.put({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: 'kube-system', name: 'mcprt-anchor' } });
    on.put({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: 'kube-system', name: 'coredns' } });
    const writes = on.writes.length;
    const foretold = await removeFromCluster(on.cluster, true);
    expect(on.writes).toHaveLength(writes);
    const removed = await removeFromCluster(on.cluster, false);
    expect(removed).toEqual(foretold);
    expect(removed).toEqual(
      expect.arrayContaining([
        'ClusterRoleBinding mcprt-backup',
        'Secret kube-system/mcprt-wipe-token',
        'ConfigMap kube-system/mcprt-anchor',
        'ValidatingAdmissionPolicy mcprt-accounts',
      ]),
    );
    const left = Object.values(kinds).flatMap((kind) => on.objects(kind));
    expect(left.filter(({ metadata }) => metadata.name.startsWith('mcprt'))).toEqual([]);
    expect(on.find(kinds.configMap, { namespace: 'kube-system', name: 'coredns' })).toBeDefined();
    expect(await removeFromCluster(on.cluster, false)).toEqual([]);
  });

  it('waits for a restore that is under way', async () => {
    const on = api();
    on.put({
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name: 'mcprt-brake', annotations: {} },
      spec: {},
    });
    await expect(removeFromCluster(on.cluster, false)).rejects.toMatchObject({ code: 'restore-locked' });
    expect(on.writes).toEqual([]);
  });
});

describe('accounts with tokens', () => {
  const server = { address: 'https://k3s.example.com:6443', certificateAuthority: undefined, name: undefined };

  it('take back what the repository does not want any more, and leave those of others', async () => {
    const on = api();
    await grantIdentities(on.cluster, 'acme/other', [backup], []);
    await grantIdentities(on.cluster, mine, [backup, { environment: 'mcprt-wipe', operation: 'wipe' }], []);
    // The memory has no tokens to give: what is bound before is what counts here.
    await makeAccounts(on.cluster, mine, [backup], { server, secrets: [] }).catch(() => undefined);
    expect(boundTo(on, 'backup').sort()).toEqual(['mcprt-backup', user('acme/other', 'mcprt-backup')].sort());
    expect(boundTo(on, 'wipe')).toEqual([]);
  });
});
