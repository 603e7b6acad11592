import { describe, expect, it } from '@jest/globals';
import { McprtError } from '../errors.js';
import { containersOf, findTargets, imageOf, parseImages, parseTargets, presets } from './targets.js';
import { workload } from './testing/objects.js';

const digest = `sha256:${'a'.repeat(64)}`;

describe('parseTargets', () => {
  it('reads one target a line, with and without a container, and passes over comments and empty lines', () => {
    expect(parseTargets('\n# mine\n  api=app@services/api/Dockerfile  \nweb.ui=Dockerfile\n')).toEqual([
      { deployment: 'api', container: 'app', dockerfile: 'services/api/Dockerfile' },
      { deployment: 'web.ui', container: '', dockerfile: 'Dockerfile' },
    ]);
  });

  it.each(['api', 'api=', '=Dockerfile', 'api=@Dockerfile', 'api=a@b@Dockerfile', 'API=Dockerfile', 'api=my file'])(
    'says that "%s" is no target',
    (line) => {
      expect(() => parseTargets(line)).toThrow('entry 1 is not deployment=container@dockerfile');
    },
  );

  it.each(['api=/etc/Dockerfile', 'api=../Dockerfile', 'api=app@a/../../Dockerfile'])(
    'refuses a Dockerfile outside the source: %s',
    (line) => {
      expect(() => parseTargets(line)).toThrow('is not below the source');
    },
  );

  it('takes a name with dots for what it is', () => {
    expect(parseTargets('api=a/..b/Dockerfile')).toHaveLength(1);
  });

  it.each([
    ['api=a\napi=b', 'api is there twice'],
    ['api=x@a\napi=x@b', 'api/x is there twice'],
  ])('refuses a target that is there twice: %j', (text, message) => {
    expect(() => parseTargets(text)).toThrow(message);
  });

  it('takes two containers of one Deployment', () => {
    expect(parseTargets('api=x@a\napi=y@b')).toHaveLength(2);
  });
});

describe('parseImages', () => {
  it('reads references with a digest, for a Deployment or for one of its containers', () => {
    expect(parseImages(`api=r.example.com:5000/api:v1@${digest}\nui/web=ui@${digest}`)).toEqual([
      { deployment: 'api', container: '', host: 'r.example.com:5000', path: 'api', tag: 'v1', digest },
      { deployment: 'ui', container: 'web', host: '', path: 'ui', tag: '', digest },
    ]);
  });

  it.each([
    'api=r/api:v1',
    'api=r/api@sha256:abc',
    `api=r/api@${digest}0`,
    `api=@${digest}`,
    `r/api@${digest}`,
    `api=r//api@${digest}`,
    `api=r/API@${digest}`,
  ])('refuses what does not say which image it is: %s', (line) => {
    expect(() => parseImages(line)).toThrow('is not deployment=image@sha256:digest');
  });

  it('refuses an image that is there twice', () => {
    expect(() => parseImages(`api=a@${digest}\napi=b@${digest}`)).toThrow('api is there twice');
  });
});

describe('findTargets', () => {
  const mono = [workload('mcp-sentinel-api', { api: 'i' }), workload('mcp-sentinel-ui', { ui: 'i' })];
  const split = [
    workload('mcp-platform-api', { 'platform-api': 'i' }),
    workload('mcp-runtime-api', { 'runtime-api': 'i' }),
    workload('mcp-analytics-api', { 'analytics-api': 'i' }),
    workload('mcp-sentinel-ui', { ui: 'i' }),
  ];
  const auto = { layout: 'auto', targets: [], images: [] } as const;
  const refusal = (work: () => unknown): Pick<McprtError, 'code' | 'message' | 'why' | 'next'> => {
    try {
      work();
    } catch (error) {
      if (error instanceof McprtError) return error;
      throw error;
    }
    throw new Error('it was not refused');
  };

  it('takes the preset of the layout that the cluster shows', () => {
    expect(findTargets(mono, auto)).toEqual({ layout: 'mono', targets: presets.mono });
    expect(findTargets(split, auto)).toEqual({ layout: 'split', targets: presets.split });
  });

  it('sees the layout split where an upgrade has left the old API behind, scaled to 0', () => {
    const idle = workload('mcp-sentinel-api', { api: 'i' }, { spec: { replicas: 0 } });
    expect(findTargets([idle, ...split], auto).layout).toBe('split');
  });

  it('sees the layout mono where the new APIs are scaled to 0', () => {
    const idle = split.slice(0, 3).map(({ metadata }) => workload(metadata.name, {}, { spec: { replicas: 0 } }));
    expect(findTargets([...idle, ...mono], auto).layout).toBe('mono');
  });

  it('refuses a layout that the cluster does not have, and says what it has', () => {
    const refused = refusal(() => findTargets(mono, { ...auto, layout: 'split' }));
    expect(refused).toMatchObject({ code: 'rollout-layout', why: expect.stringContaining('mcp-sentinel-api') });
  });

  it('refuses a cluster without any of the platform’s APIs', () => {
    expect(refusal(() => findTargets([workload('other', { a: 'i' })], auto)).code).toBe('rollout-layout');
  });

  it('names the first Deployment that is missing of a layout that the user is sure of', () => {
    const refused = refusal(() => findTargets([], { ...auto, layout: 'mono' }));
    expect(refused.code).toBe('rollout-target');
    expect(refused.message).toContain('mcp-sentinel-api/api');
  });

  it('takes the user’s own list in a cluster of no known layout, each with its only container', () => {
    const targets = [{ deployment: 'own', container: '', dockerfile: 'Dockerfile' }];
    expect(findTargets([workload('own', { app: 'i' })], { ...auto, targets })).toEqual({
      layout: 'unknown',
      targets: [{ deployment: 'own', container: 'app', dockerfile: 'Dockerfile' }],
    });
  });

  it('takes the given images before everything else, and builds nothing for them', () => {
    const images = [{ deployment: 'mcp-sentinel-ui', container: '', host: '', path: 'r/ui', tag: '', digest }];
    const targets = [{ deployment: 'mcp-sentinel-api', container: 'api', dockerfile: 'Dockerfile' }];
    expect(findTargets(mono, { ...auto, targets, images }).targets).toEqual([
      { deployment: 'mcp-sentinel-ui', container: 'ui', dockerfile: '' },
    ]);
  });

  it.each<[string, ReturnType<typeof workload>[], string, string]>([
    ['is not there', [], '', 'no Deployment of that name'],
    ['is paused', [workload('own', { app: 'i' }, { spec: { paused: true } })], '', 'is paused'],
    ['has several containers, and none is named', [workload('own', { app: 'i', side: 'j' })], '', 'app, side'],
    ['has no containers', [workload('own', {})], '', 'several containers'],
    ['has no container of that name', [workload('own', { app: 'i' })], 'side', 'its containers are app'],
  ])('refuses a Deployment that %s', (_, deployments, container, why) => {
    const targets = [{ deployment: 'own', container, dockerfile: 'Dockerfile' }];
    const refused = refusal(() => findTargets(deployments, { ...auto, targets }));
    expect(refused).toMatchObject({ code: 'rollout-target', why: expect.stringContaining(why) });
  });

  it('says of a Deployment that stands still what sets it going', () => {
    const targets = [{ deployment: 'own', container: '', dockerfile: 'Dockerfile' }];
    const paused = workload('own', { app: 'i' }, { spec: { paused: true } });
    expect(refusal(() => findTargets([paused], { ...auto, targets }))).toMatchObject({
      next: '`kubectl rollout resume -n mcp-sentinel deployment/own`',
    });
  });

  it('takes a Deployment that is scaled to 0: its next pods have the image', () => {
    const targets = [{ deployment: 'own', container: '', dockerfile: 'Dockerfile' }];
    const idle = workload('own', { app: 'i' }, { spec: { replicas: 0 } });
    expect(findTargets([idle], { ...auto, targets }).targets).toMatchObject([{ container: 'app' }]);
  });

  it('takes an init container by its name, and none for the only container', () => {
    const pod = { initContainers: [{ name: 'migrate', image: 'm' }] };
    const live = [workload('own', { app: 'i' }, { pod })];
    const of = (container: string) => ({ ...auto, targets: [{ deployment: 'own', container, dockerfile: 'D' }] });
    expect(findTargets(live, of('migrate')).targets).toMatchObject([{ container: 'migrate' }]);
    expect(findTargets(live, of('')).targets).toMatchObject([{ container: 'app' }]);
  });

  it('refuses a container that is there twice, once by its name and once as the only one', () => {
    const targets = [
      { deployment: 'own', container: '', dockerfile: 'a/Dockerfile' },
      { deployment: 'own', container: 'app', dockerfile: 'b/Dockerfile' },
    ];
    const refused = refusal(() => findTargets([workload('own', { app: 'i' })], { ...auto, targets }));
    expect(refused).toMatchObject({ code: 'rollout-target', message: expect.stringContaining('own/app') });
  });
});

describe('imageOf', () => {
  it('is the image of that container, and empty where there is no such container or workload', () => {
    const live = workload('api', { api: 'i', side: 'j' });
    expect(containersOf(live)).toEqual([
      { name: 'api', image: 'i', isInit: false },
      { name: 'side', image: 'j', isInit: false },
    ]);
    expect([imageOf(live, 'side'), imageOf(live, 'other'), imageOf(undefined, 'api')]).toEqual(['j', '', '']);
  });
});
