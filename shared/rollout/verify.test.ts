import { describe, expect, it } from '@jest/globals';
import type { KubeObject } from '../cluster/objects.js';
import type { EndpointState } from '../platform/endpoints.js';
import type { WantedImage } from './plan.js';
import { workload } from './testing/objects.js';
import { endpointFindings, otherImages, type RunningImage, runningImages } from './verify.js';

const digest = (letter: string): string => `sha256:${letter.repeat(64)}`;
const image: WantedImage = {
  target: { deployment: 'mcp-sentinel-ui', container: 'ui', dockerfile: '' },
  origin: 'given',
  repository: 'registry.example.com/mcp-sentinel-ui',
  tag: '',
  digest: digest('a'),
  recipe: '',
};
const runs = (found: string): RunningImage[] => [
  { deployment: 'mcp-sentinel-ui', container: 'ui', pod: 'ui-1', digest: found },
];

describe('otherImages', () => {
  it('finds nothing where the pods run what was rolled out', () => {
    expect(otherImages([image], runs(digest('a')), new Map())).toEqual([]);
  });

  it('takes the image of an index that a node has pulled for its processor', () => {
    const children = new Map([[digest('a'), [digest('b'), digest('c')]]]);
    expect(otherImages([image], runs(digest('c')), children)).toEqual([]);
  });

  it.each([digest('d'), ''])('names a pod that runs another image, or tells none: %s', (found) => {
    const [finding] = otherImages([image], runs(found), new Map());
    expect(finding).toMatchObject({ code: 'image-other', subject: 'Deployment mcp-sentinel/mcp-sentinel-ui' });
    expect(finding?.evidence[0]).toContain('pod ui-1');
  });
});

describe('runningImages', () => {
  const statuses = {
    initContainerStatuses: [{ name: 'migrate', imageID: `r/m@${digest('f')}` }],
    containerStatuses: [{ name: 'ui', imageID: `r/ui@${digest('a')}` }],
  };
  const pod = (name: string, metadata: object, phase: string): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, ownerReferences: [{ apiVersion: 'v1', kind: 'R', name: 'r', uid: 'rs' }], ...metadata },
    status: { phase, ...statuses },
  });
  const live = workload('mcp-sentinel-ui', { ui: 'i' });
  const scene = {
    workloads: [live],
    replicaSets: [
      {
        apiVersion: 'apps/v1',
        kind: 'ReplicaSet',
        metadata: {
          name: 'r',
          uid: 'rs',
          ownerReferences: [{ apiVersion: 'v1', kind: 'D', name: 'd', uid: live.metadata.uid ?? '' }],
        },
      },
    ],
    pods: [
      pod('runs', {}, 'Running'),
      pod('goes', { deletionTimestamp: 'now' }, 'Running'),
      pod('evicted', {}, 'Failed'),
      pod('comes', {}, 'Pending'),
    ],
    warnings: [],
    nodes: [],
  };

  it('are those of pods that run: not over, and begun', () => {
    expect(runningImages([image], scene).map(({ pod: name, digest: found }) => [name, found])).toEqual([
      ['runs', digest('a')],
    ]);
  });

  it('are those of init containers too', () => {
    const first = { ...image, target: { ...image.target, container: 'migrate' } };
    expect(runningImages([first], scene)).toMatchObject([{ container: 'migrate', digest: digest('f') }]);
  });
});

describe('endpointFindings', () => {
  const state = (problem: string): EndpointState => ({
    endpoint: {
      host: 'platform.example.com',
      path: '/api/v1/stats',
      behind: 'mcp-analytics-api',
      expected: [401],
      isJson: true,
    },
    status: undefined,
    problem,
  });

  it('is an error where it was healthy before, and a warning where it was not', () => {
    expect(endpointFindings([state('')], [state('it answers 500')])[0]?.severity).toBe('error');
    expect(endpointFindings([state('it answers 502')], [state('it answers 500')])[0]?.severity).toBe('warning');
    expect(endpointFindings([state('it answers 502')], [state('')])).toEqual([]);
  });
});
