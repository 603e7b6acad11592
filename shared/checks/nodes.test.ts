import { describe, expect, it } from '@jest/globals';
import { objectOf } from '../cluster/cluster.js';
import { type KubeObject, kinds } from '../cluster/objects.js';
import type { PlatformFacts } from '../facts/observe-platform.js';
import { checkNodes } from './rules/nodes.js';

interface NodeLook {
  ready?: boolean;
  cordoned?: boolean;
  arch?: string;
  label?: string;
}

function node(name: string, { ready = true, cordoned = false, arch = 'amd64', label }: NodeLook = {}): KubeObject {
  return objectOf(kinds.node, {
    metadata: { name, ...(label === undefined ? {} : { labels: { 'kubernetes.io/arch': label } }) },
    spec: cordoned ? { unschedulable: true } : {},
    status: {
      nodeInfo: { architecture: arch },
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False', message: 'kubelet' }],
    },
  });
}

const found = (nodes: KubeObject[], more: Partial<PlatformFacts> = {}): unknown[] =>
  checkNodes({ nodes, unseen: [], imagePlatform: undefined, ...more } as unknown as PlatformFacts).map(
    ({ code, severity, subject, evidence }) => [code, severity, subject, ...evidence],
  );

describe('nodes', () => {
  it('that are ready and of one processor are nothing to tell', () => {
    expect(found([node('a'), node('b')])).toEqual([]);
    expect(found([node('a')], { imagePlatform: 'linux/amd64' })).toEqual([]);
  });

  it('that are not Ready are a warning while others are, and an error when none is', () => {
    expect(found([node('a'), node('b', { ready: false })])).toEqual([
      ['node-not-ready', 'warning', 'Node b', 'Ready=False: kubelet'],
    ]);
    expect(found([node('b', { ready: false })])).toEqual([
      ['node-not-ready', 'error', 'Node b', 'Ready=False: kubelet'],
      ['node-unschedulable', 'error', 'nodes', 'b: not Ready'],
    ]);
    const silent = objectOf(kinds.node, { metadata: { name: 'c' } });
    expect(found([node('a'), silent])).toEqual([['node-not-ready', 'warning', 'Node c', 'Ready=unknown: ']]);
  });

  it('that are all cordoned take no pod', () => {
    expect(found([node('a', { cordoned: true })])).toEqual([
      ['node-unschedulable', 'error', 'nodes', 'a: scheduling disabled'],
    ]);
    expect(found([node('a', { cordoned: true }), node('b')])).toEqual([]);
    expect(found([])).toEqual([['node-unschedulable', 'error', 'nodes']]);
  });

  it('are not judged where they may not be read', () => {
    expect(found([], { unseen: ['nodes'] })).toEqual([]);
  });

  it('of several processors are told, but for those that take no pods', () => {
    expect(found([node('a'), node('b', { arch: 'arm64' })], { imagePlatform: 'linux/amd64' })).toEqual([
      ['node-architecture-mixed', 'error', 'nodes', 'a: amd64', 'b: arm64'],
    ]);
    expect(found([node('a'), node('b', { arch: 'arm64', cordoned: true })])).toEqual([]);
    expect(found([node('a', { arch: '' }), node('b')])).toEqual([]);
    expect(found([node('a', { arch: '', label: 'arm64' }), node('b')])).toHaveLength(1);
  });

  it('of another processor than the images are an error', () => {
    expect(found([node('a', { arch: 'arm64' })], { imagePlatform: 'linux/amd64' })).toEqual([
      ['node-architecture', 'error', 'MCP_IMAGE_PLATFORM', 'a: arm64'],
    ]);
    expect(found([node('a', { arch: 'arm64' })])).toEqual([]);
    expect(found([node('a', { arch: '' })], { imagePlatform: 'linux/amd64' })).toEqual([]);
  });
});
