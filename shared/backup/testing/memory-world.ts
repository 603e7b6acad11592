import { objectOf } from '../../cluster/cluster.js';
import { kinds } from '../../cluster/objects.js';
import type { MemoryApi } from '../../cluster/testing/memory-api.js';

/** The namespaces of an empty cluster, and the little of cert-manager that a restore waits for: it looks at canaries. */
export function clustersOwn(api: MemoryApi): void {
  for (const name of ['default', 'kube-system', 'kube-public', 'kube-node-lease']) {
    api.put(objectOf(kinds.namespace, { metadata: { name } }));
  }
  putApiServers(api, ['192.0.2.1']);
  api.hooks.after = (event, object) => {
    // cert-manager's readiness controller, which looks at a canary when it has its Secret.
    if (event !== 'ADDED' || object.kind !== 'Certificate' || !object.metadata.name.startsWith('mcprt-barrier-'))
      return;
    setImmediate(() => {
      const seen = api.find(kinds.secret, { namespace: object.metadata.namespace ?? '', name: object.metadata.name });
      const reason = seen === undefined ? 'DoesNotExist' : 'MissingData';
      api.put({ ...object, status: { conditions: [{ type: 'Ready', status: 'False', reason }] } });
    });
  };
}

/** The API servers that Service `kubernetes` leads to. */
export function putApiServers(api: MemoryApi, addresses: readonly string[]): void {
  const endpoints = addresses.map((address) => ({ addresses: [address], conditions: { ready: true } }));
  api.put(objectOf(kinds.endpointSlice, { metadata: { namespace: 'default', name: 'kubernetes' }, endpoints }));
}

export type State = 'running' | 'stopped' | 'absent';

/** cert-manager's Deployment in one of its states, with its flags and its configuration file; none where it is absent. */
export function putController(
  api: MemoryApi,
  state: State,
  { args, file }: { args: readonly string[]; file?: string } = { args: ['--cluster-resource-namespace=cert-manager'] },
): void {
  if (state === 'absent') return;
  const namespace = 'cert-manager';
  api.put(objectOf(kinds.namespace, { metadata: { name: namespace } }));
  const labels = {
    'app.kubernetes.io/name': 'cert-manager',
    'app.kubernetes.io/component': 'controller',
    'app.kubernetes.io/version': 'v1.21.2',
  };
  const container = {
    name: 'cert-manager-controller',
    image: 'x/cert-manager-controller:v1.21.2',
    args,
    volumeMounts: [{ name: 'config', mountPath: '/var/cert-manager/config' }],
  };
  const replicas = state === 'running' ? 1 : 0;
  const volumes = [{ name: 'config', configMap: { name: 'cert-manager' } }];
  api.put(
    objectOf(kinds.deployment, {
      metadata: { name: 'cert-manager', namespace, labels },
      spec: { replicas, template: { spec: { containers: [container], volumes } } },
      status: { replicas, availableReplicas: replicas },
    }),
  );
  if (file === undefined) return;
  const metadata = { name: 'cert-manager', namespace };
  api.put(objectOf(kinds.configMap, { metadata, data: { 'config.yaml': file } }));
}
