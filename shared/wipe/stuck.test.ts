import { describe, expect, it } from '@jest/globals';
import { ApiError } from '../cluster/api-error.js';
import { objectOf } from '../cluster/cluster.js';
import { type KubeObject, kinds } from '../cluster/objects.js';
import { memoryApi } from '../cluster/testing/memory-api.js';
import { explainStuck } from '../facts/namespace-blockers.js';
import { untilGone } from './wait.js';

const namespace = (name: string, conditions: object[] = [], more: object = {}): KubeObject =>
  objectOf(kinds.namespace, { metadata: { name, uid: `uid-${name}`, ...more }, status: { conditions } });
const condition = (type: string, message: string, status = 'True'): object => ({ type, status, message });
const secret = (name: string, more: object = {}): KubeObject =>
  objectOf(kinds.secret, { metadata: { name, namespace: 'a', ...more } });
const quiet = { signal: new AbortController().signal, progress: () => undefined };
const soon = (): number => Date.now() + 60_000;

describe('what holds a namespace', () => {
  const groups = new Map([['cert-manager.io', ['v1']]]);
  const content = (message: string): object => condition('NamespaceContentRemaining', message);
  const secrets = content('Some resources are remaining: secrets. has 3 resource instances');

  it('is told by the objects that are left in it, and what they wait for', async () => {
    const api = memoryApi();
    api.put(namespace('a'));
    api.put(secret('held', { finalizers: ['x/y', 'z'] }));
    api.put(secret('stays'));
    api.put(secret('leaves', { deletionTimestamp: '2026-01-01T00:00:00Z' }));
    api.put(objectOf(kinds.certificate, { metadata: { name: 'c', namespace: 'a' }, spec: {} }));
    const both = content(
      'Some resources are remaining: secrets. has 3 resource instances, certificates.cert-manager.io has 1 resource instances',
    );
    expect(await explainStuck(api.cluster, [namespace('a', [both])], groups)).toEqual([
      'a: secrets held waits for x/y, z',
      'a: secrets stays is not being deleted yet',
      'a: secrets leaves is being deleted since 2026-01-01T00:00:00Z',
      'a: certificates.cert-manager.io c is not being deleted yet',
    ]);
  });

  it('is told of ten objects of a kind, five namespaces, and by name of the rest', async () => {
    const api = memoryApi();
    api.put(namespace('a'));
    for (let index = 0; index < 12; index++) api.put(secret(`s${index}`));
    const lines = await explainStuck(api.cluster, [namespace('a', [secrets])], groups);
    expect(lines).toHaveLength(10);
    const many = ['1', '2', '3', '4', '5', '6', '7'].map((name) => namespace(name));
    expect(await explainStuck(api.cluster, many, groups)).toEqual([
      ...['1', '2', '3', '4', '5'].map((name) => `${name}: the cluster’s namespace controller has not said why`),
      'and 2 more: 6, 7',
    ]);
  });

  it('is told by the controller’s own words where nothing can be read of it', async () => {
    const api = memoryApi();
    const noted = [
      content('Some resources are remaining: secrets. has 1 resource instances'),
      condition('NamespaceFinalizersRemaining', 'finalizers remain'),
      condition('NamespaceDeletionContentFailure', 'failed'),
      condition('NamespaceDeletionGroupVersionParsingFailure', 'fine', 'False'),
      condition('NamespaceFinalizersRemaining', 'fine', 'False'),
    ];
    const words = [
      'a: Some resources are remaining: secrets. has 1 resource instances',
      'a: finalizers remain',
      'a: NamespaceDeletionContentFailure: failed',
      'a: the namespace itself has finalizers mine',
    ];
    expect(await explainStuck(api.cluster, [namespace('a', noted, { finalizers: ['mine'] })], groups)).toEqual(words);
    api.hooks.before = () => {
      throw new ApiError(403, 'Forbidden', 'no', 'list');
    };
    expect(await explainStuck(api.cluster, [namespace('a', noted, { finalizers: ['mine'] })], groups)).toEqual(words);
    api.hooks.before = () => {
      throw new Error('cut');
    };
    await expect(explainStuck(api.cluster, [namespace('a', noted)], groups)).rejects.toThrow('cut');
  });

  it('is an API service that does not answer, where the controller could not discover all', async () => {
    const api = memoryApi();
    const service = (name: string, status: string): KubeObject =>
      objectOf(kinds.apiService, {
        metadata: { name },
        status: { conditions: [{ type: 'Available', status, reason: 'R', message: 'M' }] },
      });
    for (const one of [service('v1.dead', 'False'), service('v1.alive', 'True')]) api.put(one);
    const blind = condition('NamespaceDeletionDiscoveryFailure', 'blind');
    expect(await explainStuck(api.cluster, [namespace('b'), namespace('a', [blind])], groups)).toEqual([
      'b: the cluster’s namespace controller has not said why',
      'a: NamespaceDeletionDiscoveryFailure: blind',
      'APIService v1.dead does not answer: R: M',
    ]);
    const seeing = { ...blind, status: 'False' };
    expect(await explainStuck(api.cluster, [namespace('a', [seeing])], groups)).toEqual([
      'a: the cluster’s namespace controller has not said why',
    ]);
  });
});

describe('the wait for namespaces', () => {
  const world = (...names: string[]) => {
    const api = memoryApi();
    for (const name of names) api.put(namespace(name));
    return api;
  };
  const uids = (...names: string[]): string[] => names.map((name) => `uid-${name}`);

  it('is over when those are gone that it is for, whatever else is there', async () => {
    const api = world('a', 'b', 'stays');
    expect(await untilGone(api.cluster, uids('c'), { ...quiet, deadline: soon() })).toEqual([]);
    const gone = untilGone(api.cluster, uids('a', 'b'), { ...quiet, deadline: soon() });
    setTimeout(() => api.remove(kinds.namespace, { name: 'a' }), 20);
    setTimeout(() => api.remove(kinds.namespace, { name: 'b' }), 40);
    expect(await gone).toEqual([]);
  });

  it('takes one that was made anew under its name for gone', async () => {
    const api = world('a');
    const gone = untilGone(api.cluster, uids('a'), { ...quiet, deadline: soon() });
    setTimeout(() => {
      api.remove(kinds.namespace, { name: 'a' });
      api.put(objectOf(kinds.namespace, { metadata: { name: 'a', uid: 'another' } }));
    }, 20);
    expect(await gone).toEqual([]);
  });

  it('gives what is left at its deadline, as it was last seen', async () => {
    const api = world('a', 'b');
    const left = untilGone(api.cluster, uids('a', 'b'), { ...quiet, deadline: Date.now() + 300 });
    setTimeout(() => api.put(namespace('a', [condition('Seen', 'late')])), 20);
    setTimeout(() => api.remove(kinds.namespace, { name: 'b' }), 30);
    expect((await left).map(({ metadata, status }) => [metadata.name, status])).toEqual([
      ['a', { conditions: [condition('Seen', 'late')] }],
    ]);
    expect(await untilGone(api.cluster, uids('a'), { ...quiet, deadline: 0 })).toHaveLength(1);
  });

  it('is told as it is, while it lasts', async () => {
    const api = memoryApi();
    const uids = ['a', 'b', 'c', 'd'].map(
      (name) => api.put(objectOf(kinds.namespace, { metadata: { name } })).metadata.uid ?? '',
    );
    for (const [wanted, line] of [
      [uids, '4 namespaces left after 0 s'],
      [uids.slice(1), '3 namespaces left after 0 s: b, c, d'],
      [uids.slice(3), '1 namespace left after 0 s: d'],
    ] as const) {
      const told: string[] = [];
      const signal = new AbortController().signal;
      await untilGone(api.cluster, wanted, { deadline: Date.now(), signal, progress: (one) => void told.push(one) });
      expect(told).toEqual([line]);
    }
  });

  it('ends with what the cluster says where it does not let anybody look', async () => {
    const api = memoryApi();
    const refused = new ApiError(403, 'Forbidden', 'no', 'GET');
    api.hooks.before = () => {
      throw refused;
    };
    const options = { deadline: Date.now() + 1_000, signal: new AbortController().signal, progress: () => undefined };
    await expect(untilGone(api.cluster, ['u'], options)).rejects.toBe(refused);
    api.hooks.before = () => {
      throw new Error('fault');
    };
    await expect(untilGone(api.cluster, ['u'], options)).rejects.toThrow('fault');
  });

  it('looks again after a watch that breaks, and hears a cancel', async () => {
    const api = world('a');
    let watches = 0;
    const watch: typeof api.cluster.watch = async function* () {
      watches += 1;
      if (watches === 2) api.remove(kinds.namespace, { name: 'a' });
      yield* [];
      if (watches === 1) throw new Error('cut');
    };
    expect(await untilGone({ ...api.cluster, watch }, uids('a'), { ...quiet, deadline: soon() })).toEqual([]);
    expect(watches).toBe(2);
    const signal = AbortSignal.abort(new Error('cancelled'));
    await expect(untilGone(api.cluster, uids('a'), { ...quiet, signal, deadline: soon() })).rejects.toThrow(
      'cancelled',
    );
  });
});
