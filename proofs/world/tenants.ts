import pMap from 'p-map';
import { until } from '../../lab/driver/until.js';
import { pairOf } from '../../lab/platform/objects.js';
import { namespaceOf, pullSecret } from '../../lab/platform/resources.js';
import type { Cluster } from '../../shared/cluster/cluster.js';
import { type Kind, type KubeObject, kinds } from '../../shared/cluster/objects.js';

/** Makes namespaces as the platform makes them for teams, and waits until the cluster has given each its account. */
export async function makeTenants(cluster: Cluster, tenants: number): Promise<void> {
  const names = Array.from({ length: tenants }, (_, index) => `mcp-team-t${index}`);
  const create = (kind: Kind, object: KubeObject): Promise<unknown> => cluster.create(kind, object);
  await pMap(
    names,
    async (namespace) => {
      await create(
        kinds.namespace,
        namespaceOf(namespace, 'restricted', { 'platform.mcpruntime.org/managed': 'true' }),
      );
      await Promise.all(contentOf(namespace).map(([kind, object]) => create(kind, object)));
    },
    { concurrency: 24 },
  );
  const haveAccounts = async (): Promise<boolean> => {
    const { items } = await cluster.list(kinds.serviceAccount, { fieldSelector: 'metadata.name=default' });
    return items.filter(({ metadata }) => metadata.namespace?.startsWith('mcp-team-t')).length === tenants;
  };
  await until(`the accounts of ${tenants} namespaces`, haveAccounts, { seconds: 600, every: 500 });
}

function contentOf(namespace: string): [Kind, KubeObject][] {
  const key = Buffer.from('not-a-real-key').toString('base64');
  return [
    [kinds.secret, pullSecret(namespace, 'example.com', key)],
    pairOf(kinds.configMap, { metadata: { name: 'settings', namespace }, data: { team: namespace } }),
    pairOf(kinds.networkPolicy, {
      metadata: { name: 'platform-default-deny', namespace },
      spec: { podSelector: {}, policyTypes: ['Ingress', 'Egress'] },
    }),
    pairOf(kinds.resourceQuota, {
      metadata: { name: 'platform-default-quota', namespace },
      spec: { hard: { pods: '20', persistentvolumeclaims: '4' } },
    }),
  ];
}
