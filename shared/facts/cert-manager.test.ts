import { describe, expect, it } from '@jest/globals';
import { ApiError } from '../cluster/api-error.js';
import { objectOf } from '../cluster/cluster.js';
import { type KubeObject, kinds } from '../cluster/objects.js';
import { type MemoryApi, memoryApi } from '../cluster/testing/memory-api.js';
import { type CertManager, controllerOf, controllers } from './cert-manager.js';

interface Made {
  namespace?: string;
  name?: string;
  running?: boolean;
  label?: string;
  image?: string;
  container?: Record<string, unknown>;
  /** All of its labels, in place of the usual ones. */
  labels?: Record<string, string>;
}

function controller({
  namespace = 'cert-manager',
  name = 'cert-manager',
  running = true,
  label = 'v1.21.2',
  image = 'x/cert-manager-controller:v1.20.0',
  container = {},
  labels: given,
}: Made): KubeObject {
  const replicas = running ? 1 : 0;
  const labels = given ?? {
    'app.kubernetes.io/name': name,
    'app.kubernetes.io/component': 'controller',
    'app.kubernetes.io/version': label,
  };
  const mesh = { name: 'mesh', image: 'mesh/proxy:v9.9.9', args: ['--cluster-resource-namespace=mesh'] };
  const own = { name: 'main', image, args: [], ...container };
  const volumes = [{ name: 'settings', configMap: { name: 'settings', items: [{ key: 'a', path: 'b.yaml' }] } }];
  return objectOf(kinds.deployment, {
    metadata: { name, namespace, labels },
    spec: { replicas, template: { spec: { containers: [mesh, own], volumes } } },
    status: { replicas, availableReplicas: replicas },
  });
}

async function seen(made: Made[], file?: string): Promise<CertManager> {
  const api: MemoryApi = memoryApi();
  for (const name of ['cert-manager', 'a-first', 'z-last']) api.put(objectOf(kinds.namespace, { metadata: { name } }));
  for (const one of made) api.put(controller(one));
  api.put(
    objectOf(kinds.deployment, {
      metadata: { name: 'other', namespace: 'a-first', labels: { 'app.kubernetes.io/component': 'controller' } },
      spec: { template: { spec: { containers: [{ name: 'x', image: 'y/argocd:v1' }] } } },
      status: { availableReplicas: 1 },
    }),
  );
  if (file !== undefined) {
    api.put(
      objectOf(kinds.configMap, { metadata: { name: 'settings', namespace: 'cert-manager' }, data: { a: file } }),
    );
  }
  return controllerOf(api.cluster, await controllers(api.cluster));
}

describe('cert-manager’s controller that is no Deployment', () => {
  const podOf = (name: string, owner?: { kind: string; name: string }, more: Partial<KubeObject> = {}): KubeObject =>
    objectOf(kinds.pod, {
      metadata: {
        name,
        namespace: 'z-last',
        ...(owner && { ownerReferences: [{ apiVersion: 'apps/v1', uid: '1', controller: true, ...owner }] }),
      },
      spec: { containers: [{ name: 'main', image: 'x/cert-manager-controller:v1.20.0', args: ['--v=2'] }] },
      status: more.status ?? { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
    });
  const found = async (...objects: KubeObject[]): Promise<CertManager> => {
    const api = memoryApi();
    for (const name of ['cert-manager', 'z-last']) api.put(objectOf(kinds.namespace, { metadata: { name } }));
    for (const one of objects) api.put(one);
    return controllerOf(api.cluster, await controllers(api.cluster));
  };
  const notReady = { status: { phase: 'Running', conditions: [] } };

  it.each([
    ['StatefulSet', { kind: 'StatefulSet', name: 'certs' }],
    ['DaemonSet', { kind: 'DaemonSet', name: 'certs' }],
    ['Rollout of Argo', { kind: 'ReplicaSet', name: 'certs-5d4f' }],
    ['pod', undefined],
  ])('is found by its pods: a %s', async (_, owner) => {
    const runsAs = owner ?? { kind: 'Pod', name: 'certs-0' };
    // A Rollout may have a Deployment that is scaled to 0 beside it.
    expect(await found(podOf('certs-0', owner), controller({ running: false }))).toMatchObject({
      state: 'running',
      version: 'v1.20.0',
      namespace: 'z-last',
      runsAs,
    });
  });

  it('runs where one of its pods is Ready, and twice where two workloads make them', async () => {
    const set = { kind: 'StatefulSet', name: 'certs' };
    expect(await found(podOf('certs-0', set, notReady))).toMatchObject({ state: 'unready' });
    const both = await found(podOf('certs-0', set, notReady), podOf('certs-1', set));
    expect([both.state, both.doubt]).toEqual(['running', undefined]);
    expect((await found(podOf('certs-0', set), podOf('alone'))).doubt).toContain('cert-manager runs 2 times');
  });

  it('is not what is over, and not looked for where a Deployment acts', async () => {
    const over = podOf('over', undefined, { status: { phase: 'Succeeded' } });
    expect(await found(over)).toMatchObject({ state: 'absent' });
    const acting = await found(podOf('certs-0'), controller({}));
    expect([acting.namespace, acting.runsAs]).toEqual(['cert-manager', undefined]);
  });

  it('is told to be unknown where pods may not be listed', async () => {
    const api = memoryApi();
    const { cluster } = api;
    const forbidden = new ApiError(403, 'Forbidden', 'no', 'list pods');
    const list: typeof cluster.list = (kind, ...more) =>
      kind === kinds.pod ? Promise.reject(forbidden) : cluster.list(kind, ...more);
    const narrow = { ...cluster, list };
    const seen = await controllerOf(narrow, await controllers(narrow));
    expect([seen.state, seen.doubt]).toEqual(['absent', expect.stringContaining('may not list pods')]);
  });
});

describe('cert-manager’s controller', () => {
  it('is absent where others only have the label of its component', async () => {
    expect(await seen([])).toMatchObject({ state: 'absent' });
  });

  it('is the one that acts, where an old one is left beside it', async () => {
    const found = await seen([{ namespace: 'a-first', running: false }, {}, { namespace: 'z-last', running: false }]);
    expect(found).toMatchObject({ state: 'running', namespace: 'cert-manager' });
    expect(found.doubt).toBeUndefined();
  });

  it('is doubted where two act', async () => {
    const found = await seen([{ namespace: 'z-last' }, {}]);
    expect(found.state).toBe('running');
    expect(found.doubt).toMatch(/runs 2 times \(.*z-last\/cert-manager.*\)/);
  });

  it('is found under a name of the chart’s user, by its image', async () => {
    expect(await seen([{ name: 'acme-certs' }])).toMatchObject({ state: 'running', version: 'v1.21.2' });
  });

  it('is found by its image where nothing is labelled as it is usual, also beside an old one', async () => {
    const unlabelled = { namespace: 'z-last', name: 'certs', labels: { app: 'certs' } };
    expect(await seen([unlabelled])).toMatchObject({ state: 'running', namespace: 'z-last', version: 'v1.20.0' });
    expect(await seen([{ running: false }, unlabelled])).toMatchObject({ state: 'running', namespace: 'z-last' });
    const alone = await seen([{ running: false }]);
    expect([alone.state, alone.doubt]).toEqual(['stopped', undefined]);
  });

  it('has the version of its label or its image, and of no word', async () => {
    expect(await seen([{ label: 'latest' }])).toMatchObject({ version: 'v1.20.0' });
    expect((await seen([{ label: 'v1.22.0' }])).doubt).toContain('newer than the newest whose rules are known');
    expect((await seen([{ label: 'v1.21.9' }])).doubt).toBeUndefined();
    const unknown = await seen([{ label: 'latest', image: 'host:5000/cert-manager-controller@sha256:00' }]);
    expect(unknown.version).toBeUndefined();
    expect(unknown.doubt).toContain('tells no version');
  });

  it.each<[string, Record<string, unknown>[]]>([
    ['as a file of its own', [{ name: 'settings', mountPath: '/etc/cm/c.yaml', subPath: 'b.yaml' }]],
    ['in a folder with a slash', [{ name: 'settings', mountPath: '/etc/cm/' }]],
    [
      'inside of another mount',
      [
        { name: 'other', mountPath: '/etc' },
        { name: 'settings', mountPath: '/etc/cm' },
      ],
    ],
  ])('reads its file that is mounted %s', async (_, volumeMounts) => {
    const path = volumeMounts[0]?.subPath === undefined ? '/etc/cm/b.yaml' : '/etc/cm/c.yaml';
    const container = { args: ['--config', path], volumeMounts };
    const found = await seen([{ container }], 'clusterResourceNamespace: issuers');
    expect(found.settings.clusterResourceNamespace).toBe('issuers');
    expect(found.doubt).toBeUndefined();
  });

  it('is doubted where its file or a flag cannot be read', async () => {
    const container = { args: ['--config=/etc/cm/b.yaml'], volumeMounts: [{ name: 'settings', mountPath: '/etc/cm' }] };
    expect((await seen([{ container }], 'a: [')).doubt).toContain('holds nothing that can be read');
    expect((await seen([{ container }], ' \n')).doubt).toContain('holds nothing that can be read');
    const env = [{ name: 'NS', valueFrom: { configMapKeyRef: { name: 'x', key: 'y' } } }];
    const flagged = await seen([{ container: { args: ['--cluster-resource-namespace=$(NS)'], env } }]);
    expect(flagged.settings.clusterResourceNamespace).toBe('cert-manager');
    expect(flagged.doubt).toContain('--cluster-resource-namespace');
  });
});
