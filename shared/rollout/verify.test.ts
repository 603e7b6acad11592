import { describe, expect, it } from '@jest/globals';
import type { EndpointState } from '../platform/endpoints.js';
import type { WantedImage } from './plan.js';
import { endpointFindings, otherImages, type RunningImage } from './verify.js';

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
