import { describe, expect, it } from '@jest/globals';
import type { KubeObject } from '../cluster/objects.js';
import { nodesFor } from './placement.js';
import { workload } from './testing/objects.js';

const node = (name: string, labels: Record<string, string> = {}, spec: object = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, labels },
  spec,
});
const nodes = [
  node('plain'),
  node('arm', { 'kubernetes.io/arch': 'arm64', cores: '8' }),
  node('gpu', {}, { taints: [{ key: 'gpu', value: 'a100', effect: 'NoSchedule' }] }),
  node('soft', {}, { taints: [{ key: 'gpu', effect: 'PreferNoSchedule' }] }),
  node('away', {}, { unschedulable: true }),
];
const free = ['plain', 'arm', 'soft'];
const namesFor = (pod: object): string[] =>
  nodesFor(workload('api', { api: 'i' }, { pod }), nodes).map(({ metadata }) => metadata.name);
const affinity = (...nodeSelectorTerms: object[]) => ({
  affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } },
});
const label = (key: string, operator: string, ...values: string[]) => ({
  matchExpressions: [{ key, operator, values }],
});

describe('nodesFor', () => {
  it.each<[string, object, string[]]>([
    ['nothing', {}, free],
    ['a node’s name', { nodeName: 'plain' }, ['plain']],
    ['a label', { nodeSelector: { 'kubernetes.io/arch': 'arm64' } }, ['arm']],
    ['a label that no node has', { nodeSelector: { 'kubernetes.io/arch': 's390x' } }, []],
    ['one of some values', affinity(label('kubernetes.io/arch', 'In', 'arm64', 'arm')), ['arm']],
    ['none of some values', affinity(label('kubernetes.io/arch', 'NotIn', 'arm64')), ['plain', 'soft']],
    ['a label of any value', affinity(label('cores', 'Exists')), ['arm']],
    ['no such label', affinity(label('cores', 'DoesNotExist')), ['plain', 'soft']],
    ['more than a number', affinity(label('cores', 'Gt', '7')), ['arm']],
    ['less than a number', affinity(label('cores', 'Lt', '8')), []],
    ['either of two terms', affinity(label('cores', 'Gt', '9'), label('cores', 'DoesNotExist')), ['plain', 'soft']],
    [
      'a node by its field',
      affinity({ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['soft'] }] }),
      ['soft'],
    ],
    ['a term that says nothing', affinity({}), []],
    ['an operator that nobody knows', affinity(label('cores', 'Like', '8')), []],
  ])('are those that a pod may be on that asks for %s', (_, pod, names) => {
    expect(namesFor(pod)).toEqual(names);
  });

  it('are those of a DaemonSet also where they are cordoned or not Ready', () => {
    const dead = node('dead', {}, { taints: [{ key: 'node.kubernetes.io/not-ready', effect: 'NoExecute' }] });
    const found = nodesFor(workload('agent', {}, { kind: 'DaemonSet' }), [...nodes, dead]);
    expect(found.map(({ metadata }) => metadata.name)).toEqual([...free, 'away', 'dead']);
  });

  it.each<[string, object, string[]]>([
    ['the very taint', { key: 'gpu', operator: 'Equal', value: 'a100', effect: 'NoSchedule' }, ['gpu']],
    ['the taint of any value and effect', { key: 'gpu', operator: 'Exists' }, ['gpu']],
    ['every taint', { operator: 'Exists' }, ['gpu', 'away']],
    ['a cordon', { key: 'node.kubernetes.io/unschedulable', operator: 'Exists' }, ['away']],
    ['another value', { key: 'gpu', value: 'h100' }, []],
    ['another effect', { key: 'gpu', operator: 'Exists', effect: 'NoExecute' }, []],
    ['another key', { key: 'tpu', operator: 'Exists' }, []],
    ['nothing, as it has no key', { value: 'a100' }, []],
  ])('are also those with taints where it tolerates %s', (_, toleration, more) => {
    expect(namesFor({ tolerations: [toleration] }).filter((name) => !free.includes(name))).toEqual(more);
  });
});
