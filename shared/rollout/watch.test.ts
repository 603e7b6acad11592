import { describe, expect, it } from '@jest/globals';
import type { Finding } from '../checks/finding.js';
import type { KubeObject } from '../cluster/objects.js';
import type { Symptom } from './judge.js';
import { overdue, recent } from './watch.js';

const symptom = (patience: number, parts: Partial<Finding> = {}): Symptom => ({
  patience,
  finding: {
    code: 'image-pull',
    severity: 'error',
    subject: 'Deployment a',
    cause: '',
    evidence: [],
    remedy: '',
    confidence: 'certain',
    ...parts,
  },
});

describe('overdue', () => {
  it('is at once what may not last at all', () => {
    const one = symptom(0);
    expect(overdue([one], new Map(), 100)).toEqual([one.finding]);
  });

  it('is what has lasted as long as it may, and not a moment earlier', () => {
    const since = new Map<string, number>();
    const one = symptom(50);
    expect(overdue([one], since, 100)).toEqual([]);
    expect(overdue([one], since, 149)).toEqual([]);
    expect(overdue([one], since, 150)).toEqual([one.finding]);
  });

  it('begins anew with what has passed in between', () => {
    const since = new Map<string, number>();
    const one = symptom(50);
    overdue([one], since, 100);
    overdue([], since, 120);
    expect(overdue([one], since, 150)).toEqual([]);
    expect(overdue([one], since, 200)).toEqual([one.finding]);
  });

  it('goes on counting when only the words change: a back-off tells another time with each try', () => {
    const since = new Map<string, number>();
    overdue([symptom(50, { evidence: ['10s'] })], since, 100);
    expect(overdue([symptom(50, { evidence: ['20s'] })], since, 150)).toHaveLength(1);
  });

  it.each<[string, Partial<Finding>]>([
    ['another workload', { subject: 'Deployment b' }],
    ['another trouble', { code: 'pod-crash-loop' }],
  ])('counts anew for %s', (_, parts) => {
    const since = new Map<string, number>();
    overdue([symptom(50)], since, 100);
    expect(overdue([symptom(50, parts)], since, 150)).toEqual([]);
  });

  it('tells those only that have lasted too long', () => {
    const [short, long] = [symptom(0), symptom(50, { code: 'node-not-ready' })];
    expect(overdue([short, long], new Map(), 100)).toEqual([short.finding]);
  });
});

describe('recent', () => {
  const since = new Date('2026-01-01T00:00:10.900Z');
  const event = (times: object): KubeObject => ({ apiVersion: 'v1', kind: 'Event', metadata: { name: 'e' }, ...times });
  const isKept = (times: object): boolean => {
    const scene = { workloads: [], replicaSets: [], pods: [], nodes: [], warnings: [event(times)] };
    return recent(scene, since).warnings.length === 1;
  };

  it.each<[string, object]>([
    ['of the same second: events tell whole seconds', { lastTimestamp: '2026-01-01T00:00:10Z' }],
    ['that tells no time', {}],
    [
      'that began before and is repeated',
      { eventTime: '2026-01-01T00:00:00.000000Z', series: { lastObservedTime: '2026-01-01T00:00:20.000000Z' } },
    ],
  ])('keeps a warning %s', (_, times) => {
    expect(isKept(times)).toBe(true);
  });

  it.each<[string, object]>([
    ['last told before', { lastTimestamp: '2026-01-01T00:00:09Z' }],
    ['told before, and never again', { eventTime: '2026-01-01T00:00:09.999999Z', lastTimestamp: null }],
  ])('leaves a warning out that was %s', (_, times) => {
    expect(isKept(times)).toBe(false);
  });

  it.each<[string, object, boolean]>([
    ['that had ended before', { creationTimestamp: '2026-01-01T00:00:09Z', phase: 'Failed' }, false],
    ['that has ended since', { creationTimestamp: '2026-01-01T00:00:11Z', phase: 'Failed' }, true],
    ['that runs since before', { creationTimestamp: '2026-01-01T00:00:09Z', phase: 'Running' }, true],
    [
      'that goes, and makes room',
      { creationTimestamp: '2026-01-01T00:00:09Z', deletionTimestamp: 'now', phase: 'Running' },
      true,
    ],
  ])('knows a pod %s', (_, { phase, ...metadata }: { phase?: string }, isThere) => {
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', ...metadata }, status: { phase } };
    const scene = { workloads: [], replicaSets: [], pods: [pod], nodes: [], warnings: [] };
    expect(recent(scene, since).pods.length === 1).toBe(isThere);
  });
});
