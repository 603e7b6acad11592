import { describe, expect, it } from '@jest/globals';
import type { KubeObject } from '../cluster/objects.js';
import {
  configAnnotation,
  isSameImage,
  permissionLines,
  planRollout,
  referenceOf,
  significant,
  stateOf,
  type Wanted,
  type WantedImage,
} from './plan.js';
import { managed, observed, workload } from './testing/objects.js';

const digest = (letter: string): string => `sha256:${letter.repeat(64)}`;
const repository = 'registry.example.com:5000/api';
const image = (parts: Partial<WantedImage> = {}): WantedImage => ({
  target: { deployment: 'api', container: 'api', dockerfile: '' },
  origin: 'found',
  repository,
  tag: 'v2',
  digest: digest('b'),
  recipe: 'r',
  ...parts,
});
const wanted = (parts: Partial<Wanted> = {}): Wanted => ({
  images: [],
  config: {},
  pullSecret: undefined,
  permissions: [],
  policies: undefined,
  ...parts,
});
const pull = { imagePullSecrets: [{ name: 'mcp-runtime-registry-pull' }] };
const readsConfig = { initContainers: [{ name: 'i', envFrom: [{ configMapRef: { name: 'mcp-sentinel-config' } }] }] };
const old = `${repository}:v1@${digest('a')}`;
const api = (parts: Parameters<typeof workload>[2] = {}, reference = old): KubeObject =>
  workload('api', { api: reference }, { pod: pull, ...parts });
const lines = (plan: ReturnType<typeof planRollout>): string[] =>
  plan.changes.map(({ subject, field }) => `${subject}: ${field}`);

describe('referenceOf', () => {
  it.each<[string, Partial<WantedImage>]>([
    [`${repository}:v2@${digest('b')}`, {}],
    [`${repository}@${digest('b')}`, { tag: '' }],
    [`${repository}:v2`, { digest: undefined }],
  ])('is %s', (reference, parts) => {
    expect(referenceOf(image(parts))).toBe(reference);
  });
});

describe('isSameImage', () => {
  it.each([`${repository}:v2@${digest('b')}`, `${repository}:other@${digest('b')}`, `${repository}@${digest('b')}`])(
    'is told by repository and digest, whatever the tag: %s',
    (reference) => {
      expect(isSameImage(reference, image())).toBe(true);
    },
  );

  it.each([
    `${repository}:v2`,
    `${repository}:v2@${digest('a')}`,
    `registry.example.com/api:v2@${digest('b')}`,
    `other/${repository}@${digest('b')}`,
    '',
  ])('is not told by the tag, nor is it another repository’s: "%s"', (reference) => {
    expect(isSameImage(reference, image())).toBe(false);
  });

  it('is none that is still to be built', () => {
    expect(isSameImage(`${repository}:v2`, image({ digest: undefined }))).toBe(false);
  });
});

describe('planRollout', () => {
  it('writes nothing where everything is right already, and still waits for what is to run', () => {
    const live = api({ metadata: { generation: 7 } }, `${repository}:v1@${digest('b')}`);
    const plan = planRollout(
      observed({ deployments: [live], config: { MCP_REGISTRY_ENDPOINT: 'r' } }),
      wanted({ images: [image()], config: { MCP_REGISTRY_ENDPOINT: 'r' } }),
    );
    expect(plan).toMatchObject({
      changes: [],
      writes: [],
      permissions: [],
      pullSecret: undefined,
      policies: { lacking: [] },
      previous: { workloads: [], permissions: [] },
    });
    expect(plan.config).toEqual({ changed: [], written: {} });
    expect(plan.awaited).toEqual([
      {
        kind: 'Deployment',
        name: 'api',
        uid: 'uid-api',
        generation: 7,
        replicas: 1,
        images: new Map([['api', `${repository}:v1@${digest('b')}`]]),
      },
    ]);
  });

  it('writes another image by its digest, and remembers the one that was there', () => {
    const plan = planRollout(observed({ deployments: [api()] }), wanted({ images: [image()] }));
    expect(plan.changes).toMatchObject([
      { subject: 'Deployment mcp-sentinel/api', field: 'image of api', from: old, to: referenceOf(image()) },
    ]);
    expect(plan.writes).toMatchObject([{ name: 'api', uid: 'uid-api', images: { api: referenceOf(image()) } }]);
    expect(plan.previous.workloads).toMatchObject([{ name: 'api', images: { api: old } }]);
    expect(plan.awaited[0]?.images).toEqual(new Map([['api', referenceOf(image())]]));
  });

  it('warns of an image for a Deployment that is scaled to 0: nobody knows whether it runs', () => {
    const plan = planRollout(
      observed({ deployments: [api({ spec: { replicas: 0 } })] }),
      wanted({ images: [image()] }),
    );
    expect(plan.writes).toHaveLength(1);
    expect(plan.skipped).toMatchObject([{ code: 'workload-skipped', cause: expect.stringContaining('untried') }]);
  });

  it('writes the image of an init container, and knows it as one', () => {
    const pod = { ...pull, initContainers: [{ name: 'migrate', image: old }] };
    const target = { deployment: 'api', container: 'migrate', dockerfile: '' };
    const plan = planRollout(
      observed({ deployments: [workload('api', { api: 'i' }, { pod })] }),
      wanted({ images: [image({ target })] }),
    );
    expect(plan.writes).toMatchObject([{ images: { migrate: referenceOf(image()) }, initContainers: ['migrate'] }]);
    expect(plan.awaited[0]?.images).toEqual(new Map([['migrate', referenceOf(image())]]));
  });

  it('names an image by its digest that runs by its tag alone: the tag may have been used again', () => {
    const live = api({}, `${repository}:v2`);
    expect(planRollout(observed({ deployments: [live] }), wanted({ images: [image()] })).writes).toHaveLength(1);
  });

  it('leaves every other workload alone, also a StatefulSet of the same name', () => {
    const set = workload('api', { api: 'i' }, { kind: 'StatefulSet', metadata: { uid: 'set' } });
    const seen = observed({ deployments: [api(), workload('ui', { ui: 'i' })], statefulSets: [set] });
    const plan = planRollout(seen, wanted({ images: [image()] }));
    expect(plan.writes.map(({ kind, name }) => `${kind}/${name}`)).toEqual(['Deployment/api']);
    expect(plan.awaited).toHaveLength(1);
  });

  it('writes again what mcprt has applied before: server-side apply would take away what is left out', () => {
    const managedFields = [managed('mcprt', { images: ['side'], pullSecrets: ['mcp-runtime-registry-pull'] })];
    const live = workload('api', { api: old, side: 's', own: 'o' }, { pod: pull, metadata: { managedFields } });
    const plan = planRollout(observed({ deployments: [live] }), wanted({ images: [image()] }));
    expect(plan.writes[0]).toMatchObject({
      images: { api: referenceOf(image()), side: 's' },
      pullSecrets: ['mcp-runtime-registry-pull'],
    });
    expect(plan.writes[0]?.images).not.toHaveProperty('own');
  });

  it('gives a Deployment the pull Secret that it lacks, also where its image is right', () => {
    const live = workload('api', { api: referenceOf(image()) }, { pod: { imagePullSecrets: [{ name: 'mine' }] } });
    const plan = planRollout(observed({ deployments: [live] }), wanted({ images: [image()] }));
    expect(plan.changes).toMatchObject([
      { field: 'pull Secrets', from: 'mine', to: 'mine, mcp-runtime-registry-pull' },
    ]);
    expect(plan.writes[0]?.pullSecrets).toEqual(['mcp-runtime-registry-pull']);
    expect(plan.previous.workloads[0]?.pullSecrets).toEqual([]);
  });

  describe('when the configuration changes', () => {
    const config = { MCP_REGISTRY_ENDPOINT: 'new', PLATFORM_TRAEFIK_NAMESPACE: 'kube-system' };
    const before = { ...config, MCP_REGISTRY_ENDPOINT: 'old', API_BASE: '/api' };
    const reader = (annotations?: Record<string, string>): KubeObject =>
      api({ pod: { ...pull, ...readsConfig }, ...(annotations === undefined ? {} : { annotations }) });
    const stampOf = (seen: Parameters<typeof observed>[0]): string | null | undefined =>
      planRollout(observed(seen), wanted({ config })).writes[0]?.annotation;

    it('writes the keys that are ours as a whole, and tells those that change', () => {
      const plan = planRollout(observed({ config: before }), wanted({ config }));
      expect(plan.config).toEqual({ changed: ['MCP_REGISTRY_ENDPOINT'], written: config });
      expect(lines(plan)).toEqual(['ConfigMap mcp-sentinel/mcp-sentinel-config: MCP_REGISTRY_ENDPOINT']);
      expect(plan.previous.config).toEqual(before);
    });

    it('restarts those that read it, of every kind, and no other', () => {
      const set = workload('db', {}, { kind: 'StatefulSet', pod: readsConfig });
      const agent = workload('agent', {}, { kind: 'DaemonSet', pod: readsConfig });
      const seen = { deployments: [reader(), workload('ui', { ui: 'i' })], statefulSets: [set], daemonSets: [agent] };
      const plan = planRollout(observed({ ...seen, config: before }), wanted({ config }));
      expect(plan.writes.map(({ name }) => name)).toEqual(['api', 'db', 'agent']);
      expect(plan.changes.slice(1).map(({ field }) => field)).toEqual(['restart', 'restart', 'restart']);
      expect(plan.awaited).toHaveLength(3);
      expect(plan.writes.every(({ images }) => Object.keys(images).length === 0)).toBe(true);
      expect(plan.previous.workloads.map(({ annotation }) => annotation)).toEqual([null, null, null]);
    });

    it('leaves a database alone that reads another key', () => {
      const env = [
        { name: 'A', valueFrom: { configMapKeyRef: { name: 'mcp-sentinel-config', key: 'CLICKHOUSE_DB' } } },
      ];
      const clickhouse = workload('clickhouse', {}, { kind: 'StatefulSet', pod: { containers: [{ name: 'c', env }] } });
      const plan = planRollout(
        observed({ deployments: [reader()], statefulSets: [clickhouse], config: before }),
        wanted({ config }),
      );
      expect(plan.writes.map(({ name }) => name)).toEqual(['api']);
    });

    it('says of a StatefulSet that it may be a database, and which keys it reads', () => {
      const set = workload('db', {}, { kind: 'StatefulSet', pod: readsConfig });
      const plan = planRollout(observed({ statefulSets: [set], config: before }), wanted({ config }));
      expect(plan.changes.at(-1)).toMatchObject({
        subject: 'StatefulSet mcp-sentinel/db',
        field: 'restart',
        reason: expect.stringMatching(/^it reads MCP_REGISTRY_ENDPOINT at its start only; it may be a database/),
      });
    });

    it.each<[string, 'Deployment' | 'StatefulSet' | 'DaemonSet', object, string]>([
      ['paused', 'Deployment', { paused: true }, 'it is paused'],
      ['renewed by hand', 'StatefulSet', { updateStrategy: { type: 'OnDelete' } }, 'only when somebody deletes them'],
      ['renewed by hand', 'DaemonSet', { updateStrategy: { type: 'OnDelete' } }, 'only when somebody deletes them'],
      [
        'kept by its partition',
        'StatefulSet',
        { updateStrategy: { rollingUpdate: { partition: 1 } } },
        'partition of 1',
      ],
    ])('leaves one out that is %s (%s), with a warning: it would never be done', (_, kind, spec, why) => {
      const live = workload('still', {}, { kind, spec, pod: readsConfig });
      const list = { Deployment: 'deployments', StatefulSet: 'statefulSets', DaemonSet: 'daemonSets' } as const;
      const plan = planRollout(observed({ [list[kind]]: [live], config: before }), wanted({ config }));
      expect([plan.writes, plan.awaited, plan.previous.workloads]).toEqual([[], [], []]);
      expect(plan.skipped).toMatchObject([
        {
          code: 'workload-skipped',
          severity: 'warning',
          subject: `${kind} mcp-sentinel/still`,
          cause: expect.stringContaining(why),
          evidence: ['it reads MCP_REGISTRY_ENDPOINT of mcp-sentinel-config'],
        },
      ]);
    });

    it('leaves one out that is scaled to 0, without a word: its next pods read what is new', () => {
      const live = workload('idle', {}, { spec: { replicas: 0 }, pod: readsConfig });
      const plan = planRollout(observed({ deployments: [live], config: before }), wanted({ config }));
      expect([plan.writes, plan.awaited, plan.skipped]).toEqual([[], [], []]);
    });

    it('restarts one of whose pods a partition keeps some, and says how many', () => {
      const updateStrategy = { rollingUpdate: { partition: 1 } };
      const set = workload('db', {}, { kind: 'StatefulSet', spec: { replicas: 3, updateStrategy }, pod: readsConfig });
      const plan = planRollout(observed({ statefulSets: [set], config: before }), wanted({ config }));
      expect(plan.changes.at(-1)?.reason).toContain('its partition keeps 1 of its pods');
      expect(plan.skipped).toEqual([]);
    });

    it('tells one change only of a workload that gets another image: that restarts it as well', () => {
      const plan = planRollout(
        observed({ deployments: [reader()], config: before }),
        wanted({ config, images: [image()] }),
      );
      expect(plan.changes.map(({ field }) => field)).toEqual(['MCP_REGISTRY_ENDPOINT', 'image of api']);
      expect(plan.writes[0]?.annotation).toMatch(/^[0-9a-f]{16}$/);
    });

    it('restarts by the same mark whenever the configuration is the same, whatever the order of its keys', () => {
      const turned = Object.fromEntries(Object.entries(before).reverse());
      expect(stampOf({ deployments: [reader()], config: turned })).toBe(
        stampOf({ deployments: [reader()], config: before }),
      );
      const other = { ...before, API_BASE: '/other' };
      expect(stampOf({ deployments: [reader()], config: other })).not.toBe(
        stampOf({ deployments: [reader()], config: before }),
      );
    });

    describe('and the run before was cut off after it had written it', () => {
      const now = { ...before, ...config };
      const journal = {
        run: 'r',
        expires: new Date(0),
        previous: { config: before, workloads: [], permissions: [] },
      };
      const stamp = stampOf({ deployments: [reader()], config: before }) ?? '';

      it('restarts what that one had still to restart', () => {
        const plan = planRollout(observed({ deployments: [reader()], config: now, journal }), wanted({ config }));
        expect(plan.config.changed).toEqual([]);
        expect(plan.writes).toMatchObject([{ name: 'api', annotation: stamp }]);
      });

      it('waits for what that one has restarted, and does not restart it again', () => {
        const live = reader({ [configAnnotation]: stamp });
        const plan = planRollout(observed({ deployments: [live], config: now, journal }), wanted({ config }));
        expect(plan.writes).toEqual([]);
        expect(plan.awaited).toMatchObject([{ name: 'api' }]);
      });

      it('restarts nothing without what that one has written down', () => {
        const plan = planRollout(observed({ deployments: [reader()], config: now }), wanted({ config }));
        expect([plan.writes, plan.awaited]).toEqual([[], []]);
      });
    });
  });

  it('tells that the pull Secret changes, and nothing that is in it', () => {
    const plan = planRollout(observed({ pullSecret: 'old-text' }), wanted({ pullSecret: 'new-text' }));
    expect(plan.pullSecret).toBe('new-text');
    expect(lines(plan)).toEqual(['Secret mcp-sentinel/mcp-runtime-registry-pull: password of the registry']);
    expect(JSON.stringify(plan.changes)).not.toMatch(/old-text|new-text/);
  });

  describe('policies', () => {
    const policy: KubeObject = {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: 'platform-default-deny', namespace: 'mcp-team-a' },
      spec: { ingress: [] },
    };

    it('are looked after when that is wanted', () => {
      const plan = planRollout(
        observed({ policies: [policy] }),
        wanted({ policies: { traefikNamespace: 'kube-system' } }),
      );
      expect(plan.policies).toEqual({ lacking: [policy], traefikNamespace: 'kube-system' });
      expect(plan.changes).toMatchObject([{ subject: 'NetworkPolicy platform-default-deny of 1 team' }]);
    });

    it('are left alone when it is not', () => {
      const plan = planRollout(observed({ policies: [policy] }), wanted());
      expect([plan.policies.lacking, plan.changes]).toEqual([[], []]);
    });
  });

  describe('permissions', () => {
    const role = (rules: object[], metadata: object = {}): KubeObject => ({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata: { name: 'api', namespace: 'mcp-sentinel', ...metadata },
      rules,
    });

    it('are not written where applying them changes nothing but what the server keeps', () => {
      const live = role([], { uid: 'u', resourceVersion: '1', managedFields: [{}] });
      const after = role([], { uid: 'u', resourceVersion: '2', managedFields: [{}, {}] });
      const plan = planRollout(observed(), wanted({ permissions: [{ wanted: role([]), live, after }] }));
      expect([plan.permissions, plan.changes, plan.previous.permissions]).toEqual([[], [], []]);
    });

    it('are written where they differ, with what was there to be put back', () => {
      const change = {
        wanted: role([{ verbs: ['get'] }]),
        live: role([], { uid: 'u' }),
        after: role([{ verbs: ['get'] }]),
      };
      const plan = planRollout(observed(), wanted({ permissions: [change] }));
      expect(plan.permissions).toEqual([change]);
      expect(plan.previous.permissions).toEqual([
        { kind: 'Role', namespace: 'mcp-sentinel', name: 'api', object: role([]) },
      ]);
    });

    it('are remembered as missing where they are made', () => {
      const plan = planRollout(
        observed(),
        wanted({ permissions: [{ wanted: role([]), live: undefined, after: role([]) }] }),
      );
      expect(plan.changes).toMatchObject([
        { subject: 'Role mcp-sentinel/api', field: 'made', reason: 'it is not there' },
      ]);
      expect(plan.previous.permissions).toMatchObject([{ object: null }]);
    });
  });

  describe('its digest', () => {
    const digestOf = (parts: Partial<Wanted>, seen: Parameters<typeof observed>[0] = {}): string =>
      planRollout(observed({ deployments: [api()], ...seen }), wanted({ images: [image()], ...parts })).digest;

    it('stays the same while an image is built: the approval was one of that commit', () => {
      const toBuild = digestOf({ images: [image({ origin: 'to build', digest: undefined })] });
      expect(digestOf({ images: [image({ origin: 'built', digest: digest('c') })] })).toBe(toBuild);
    });

    it('is another for an image that is built from something else', () => {
      const built = (parts: Partial<WantedImage>): string =>
        digestOf({ images: [image({ origin: 'to build', digest: undefined, ...parts })] });
      expect(built({ recipe: 'q' })).not.toBe(built({}));
      expect(built({ tag: 'v3' })).not.toBe(built({}));
    });

    it('is another where a tag that was found has moved, or is to be built by now', () => {
      const found = digestOf({});
      expect(digestOf({ images: [image({ digest: digest('c') })] })).not.toBe(found);
      expect(digestOf({ images: [image({ origin: 'to build', digest: undefined })] })).not.toBe(found);
    });

    it.each<[string, Partial<Wanted>, Parameters<typeof observed>[0]]>([
      ['another cluster', {}, { fingerprint: 'g' }],
      ['another tag', { images: [image({ tag: 'v3' })] }, {}],
      ['another image that runs', {}, { deployments: [api({}, `${repository}@${digest('d')}`)] }],
      ['another configuration', { config: { MCP_REGISTRY_ENDPOINT: 'r' } }, {}],
      ['another pull Secret', { pullSecret: 'text' }, {}],
    ])('is another for %s', (_, parts, seen) => {
      expect(digestOf(parts, seen)).not.toBe(digestOf({}));
    });

    it('is another for another pull Secret in place of one that is to be written too', () => {
      expect(digestOf({ pullSecret: 'a' })).not.toBe(digestOf({ pullSecret: 'b' }));
    });

    it('is another for another digest that the user gave', () => {
      const given = (letter: string) =>
        digestOf({ images: [image({ origin: 'given', tag: '', digest: digest(letter) })] });
      expect(given('b')).not.toBe(given('c'));
    });
  });
});

describe('stateOf', () => {
  it('has the images of the named containers, the annotation, and only pull Secrets that mcprt gave', () => {
    const live = workload(
      'api',
      { api: 'i', side: 'j' },
      { pod: pull, annotations: { [configAnnotation]: 'x', a: 'b' } },
    );
    expect(stateOf(live, ['api', 'gone'])).toEqual({
      kind: 'Deployment',
      name: 'api',
      images: { api: 'i' },
      initContainers: [],
      pullSecrets: [],
      annotation: 'x',
    });
  });
});

describe('permissionLines', () => {
  const role = (parts: object): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Role',
    metadata: { name: 'api' },
    ...parts,
  });

  it('tells what is added, taken away and changed, path by path', () => {
    const live = role({ rules: [{ verbs: ['get', 'list'] }], old: 1 });
    const after = role({ rules: [{ verbs: ['get', 'watch'], resources: ['pods'] }] });
    expect(permissionLines({ wanted: after, live, after }).sort()).toEqual([
      'old: − 1',
      'rules.0.resources: + ["pods"]',
      'rules.0.verbs.1: "list" → "watch"',
    ]);
  });
});

describe('significant', () => {
  it('keeps what a manifest says, and leaves out what the server keeps on it', () => {
    const object: KubeObject = {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'a', namespace: 'b', labels: { c: 'd' }, annotations: { e: 'f' }, uid: 'u', generation: 3 },
      secrets: [],
      status: {},
    };
    expect(significant(object)).toEqual({
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'a', namespace: 'b', labels: { c: 'd' }, annotations: { e: 'f' } },
      secrets: [],
    });
  });
});
