import { describe, expect, it } from '@jest/globals';
import { ApiError } from '../cluster/api-error.js';
import type { Cluster, Ref } from '../cluster/cluster.js';
import type { Kind, KubeObject } from '../cluster/objects.js';
import type { Previous, PreviousWorkload } from './journal.js';
import { configAnnotation } from './plan.js';
import { podsSince, putBack } from './rollback.js';
import { managed, workload } from './testing/objects.js';

const api = (images: Record<string, string>, parts: Partial<PreviousWorkload> = {}): PreviousWorkload => ({
  kind: 'Deployment',
  name: 'api',
  images,
  initContainers: [],
  pullSecrets: [],
  annotation: null,
  ...parts,
});
const previous = (parts: Partial<Previous>): Previous => ({ config: {}, workloads: [], permissions: [], ...parts });
const configMap = (data: Record<string, string>): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'mcp-sentinel-config', namespace: 'mcp-sentinel' },
  data,
});

/** A cluster with some objects, which keeps what is applied to it and what is deleted. */
function server(live: readonly KubeObject[], refuse?: ApiError) {
  const writes: { verb: 'apply' | 'delete'; object: KubeObject | Ref; force: boolean }[] = [];
  const cluster = {
    get: async ({ kind }: Kind, { name }: Ref) => live.find((one) => one.kind === kind && one.metadata.name === name),
    apply: async (_kind: Kind, object: KubeObject, { force = false } = {}) => {
      if (refuse !== undefined) throw refuse;
      writes.push({ verb: 'apply', object, force });
      return { ...object, metadata: { ...object.metadata, generation: 9 } };
    },
    delete: async (_kind: Kind, ref: Ref) => {
      writes.push({ verb: 'delete', object: ref, force: false });
      return true;
    },
  } as unknown as Cluster;
  return { cluster, writes };
}

describe('putBack', () => {
  describe('of a workload', () => {
    const back = (
      live: KubeObject[],
      before: PreviousWorkload,
      written: PreviousWorkload[] = [],
      refuse?: ApiError,
    ) => {
      const { cluster, writes } = server(live, refuse);
      return putBack(cluster, previous({ workloads: [before] }), { config: false, workloads: written }).then(
        (result) => ({ ...result, writes }),
      );
    };

    it('writes the image of before, and waits for it', async () => {
      const { restored, left, failed, awaited, writes } = await back(
        [workload('api', { api: 'new' })],
        api({ api: 'old' }),
        [api({ api: 'new' })],
      );
      expect([restored, left, failed]).toEqual([['Deployment mcp-sentinel/api'], [], []]);
      expect(writes).toMatchObject([
        {
          object: {
            metadata: { uid: 'uid-api' },
            spec: { template: { spec: { containers: [{ name: 'api', image: 'old' }] } } },
          },
        },
      ]);
      expect(awaited).toEqual([
        {
          kind: 'Deployment',
          name: 'api',
          uid: 'uid-api',
          generation: 9,
          replicas: 1,
          images: new Map([['api', 'old']]),
        },
      ]);
    });

    it('takes no field over by force: one that somebody else has written meanwhile is theirs', async () => {
      const { writes } = await back([workload('api', { api: 'new' })], api({ api: 'old' }));
      expect(writes).toMatchObject([{ force: false }]);
    });

    it('writes nothing where everything is as it was, and waits for it all the same', async () => {
      const { restored, awaited, writes } = await back([workload('api', { api: 'old' })], api({ api: 'old' }), [
        api({ api: 'new' }),
      ]);
      expect([restored, writes]).toEqual([[], []]);
      expect(awaited).toMatchObject([{ name: 'api', generation: 1 }]);
    });

    it.each<[string, KubeObject]>([
      ['restart', workload('api', { api: 'old' }, { annotations: { [configAnnotation]: 'new' } })],
      [
        'pull Secret',
        workload(
          'api',
          { api: 'old' },
          { metadata: { managedFields: [managed('mcprt', { images: ['api'], pullSecrets: ['pull'] })] } },
        ),
      ],
    ])('takes a %s back also where the image is as it was', async (_, live) => {
      expect((await back([live], api({ api: 'old' }))).restored).toEqual(['Deployment mcp-sentinel/api']);
    });

    it('puts an init container’s image back among the init containers', async () => {
      const pod = { initContainers: [{ name: 'migrate', image: 'new' }] };
      const { writes } = await back(
        [workload('api', { api: 'i' }, { pod })],
        api({ migrate: 'old' }, { initContainers: ['migrate'] }),
      );
      expect(writes).toMatchObject([
        { object: { spec: { template: { spec: { initContainers: [{ name: 'migrate', image: 'old' }] } } } } },
      ]);
      expect(JSON.stringify(writes)).not.toContain('"containers"');
    });

    it('puts back what somebody has paused meanwhile, and does not wait for it', async () => {
      const paused = workload('api', { api: 'old' }, { spec: { paused: true } });
      expect((await back([paused], api({ api: 'old' }))).awaited).toEqual([]);
    });

    it('leaves another writer’s image, and names the workload', async () => {
      const { restored, left, awaited, writes } = await back(
        [workload('api', { api: 'theirs' })],
        api({ api: 'old' }),
        [api({ api: 'new' })],
      );
      expect(left).toEqual(['Deployment mcp-sentinel/api']);
      expect([restored, awaited, writes]).toEqual([[], [], []]);
    });

    it('leaves a workload of which another writer has changed only one of the containers', async () => {
      const live = workload('api', { api: 'new', side: 'theirs' });
      const both = (image: string) => api({ api: image, side: image });
      expect((await back([live], both('old'), [both('new')])).left).toHaveLength(1);
    });

    it('puts a workload back of which the run before had written down another container than this one', async () => {
      const live = workload('api', { api: 'old', side: 'new' });
      const { restored, left } = await back([live], api({ api: 'old', side: 'old' }), [api({ side: 'new' })]);
      expect([restored, left]).toEqual([['Deployment mcp-sentinel/api'], []]);
    });

    it.each<[string, PreviousWorkload, PreviousWorkload]>([
      ['this run has written', api({ api: 'old' }), api({ api: 'new' })],
      ['the run before has written down', api({ api: 'old', side: 'old' }), api({ side: 'new' })],
    ])('leaves a workload without the container that %s: a name and an image make none', async (_, before, written) => {
      const { left } = await back([workload('api', { side: 'new' })], before, [written]);
      expect(left).toHaveLength(1);
    });

    it.each<[string, KubeObject[], ApiError | undefined]>([
      ['that is gone', [], undefined],
      [
        'whose fields are somebody else’s by now',
        [workload('api', { api: 'theirs' })],
        new ApiError(409, 'Conflict', 'conflict with "kubectl"', 'apply'),
      ],
    ])('leaves and names one %s', async (_, live, refuse) => {
      const { left, failed } = await back(live, api({ api: 'old' }), [], refuse);
      expect([left, failed]).toEqual([['Deployment mcp-sentinel/api'], []]);
    });

    it('tells what cannot be put back, and why', async () => {
      const refuse = new ApiError(403, 'Forbidden', 'may not patch', 'apply');
      const { restored, left, failed } = await back([workload('api', { api: 'new' })], api({ api: 'old' }), [], refuse);
      expect([restored, left]).toEqual([[], []]);
      expect(failed).toEqual([expect.stringMatching(/^Deployment mcp-sentinel\/api: .*may not patch/)]);
    });
  });

  describe('of the configuration', () => {
    const before = { MCP_REGISTRY_ENDPOINT: 'old', API_BASE: '/old' };
    const back = async (live: Record<string, string>, config: boolean) => {
      const { cluster, writes } = server([configMap(live)]);
      const { restored } = await putBack(cluster, previous({ config: before }), { config, workloads: [] });
      return { restored, written: writes.map(({ object }) => (object as KubeObject).data) };
    };

    it('writes our keys as they were, leaves those out that were not there, and keeps to ours', async () => {
      const live = { MCP_REGISTRY_ENDPOINT: 'new', PLATFORM_TRAEFIK_NAMESPACE: 'added', API_BASE: '/changed' };
      expect(await back(live, true)).toEqual({
        restored: ['ConfigMap mcp-sentinel/mcp-sentinel-config'],
        written: [{ MCP_REGISTRY_ENDPOINT: 'old' }],
      });
    });

    it.each<[string, Record<string, string>, boolean]>([
      ['our keys are as they were', { MCP_REGISTRY_ENDPOINT: 'old', API_BASE: '/changed' }, true],
      ['the rollout has not written it', { MCP_REGISTRY_ENDPOINT: 'theirs' }, false],
    ])('writes nothing where %s', async (_, live, config) => {
      expect(await back(live, config)).toEqual({ restored: [], written: [] });
    });
  });

  it('takes permissions away that were not there, and writes the others as they were', async () => {
    const object = { kind: 'ClusterRole', metadata: { name: 'was' }, rules: [] };
    const { cluster, writes } = server([]);
    const { restored } = await putBack(
      cluster,
      previous({
        permissions: [
          { kind: 'Role', namespace: 'n', name: 'made', object: null },
          { kind: 'ClusterRole', namespace: '', name: 'was', object },
        ],
      }),
      { config: false, workloads: [] },
    );
    expect(restored.sort()).toEqual(['ClusterRole was', 'Role made']);
    expect(writes).toEqual([
      { verb: 'delete', object: { name: 'made', namespace: 'n' }, force: false },
      { verb: 'apply', object, force: true },
    ]);
  });
});

describe('podsSince', () => {
  it('are the pods that a rollback has started, of the workloads that it has written', () => {
    const set = (name: string): KubeObject => workload(name, {}, { kind: 'StatefulSet' });
    const pod = (app: string, creationTimestamp: string): KubeObject => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: `${app}-${creationTimestamp}`, namespace: 'mcp-sentinel', labels: { app }, creationTimestamp },
    });
    const [before, after] = ['2026-01-01T00:00:09Z', '2026-01-01T00:00:10Z'];
    const scene = {
      workloads: [set('db'), set('other')],
      replicaSets: [],
      pods: [pod('db', before), pod('db', after), pod('other', after)],
      warnings: [],
      nodes: [],
    };
    const written = {
      kind: 'StatefulSet',
      name: 'db',
      uid: 'uid-db',
      generation: 1,
      replicas: 1,
      images: new Map(),
    } as const;
    const found = podsSince(scene, [written], new Date('2026-01-01T00:00:10.500Z'));
    expect(found.map(({ metadata }) => metadata.name)).toEqual([`db-${after}`]);
  });
});
