import { describe, expect, it } from '@jest/globals';
import { ApiError } from '../cluster/api-error.js';
import { objectOf } from '../cluster/cluster.js';
import { kinds } from '../cluster/objects.js';
import { memoryApi } from '../cluster/testing/memory-api.js';
import { deleteTargets } from './delete.js';
import type { WipeTarget } from './targets.js';

const signal = new AbortController().signal;
const target = (uid: string, more: Partial<WipeTarget> = {}): WipeTarget => ({
  kind: kinds.namespace,
  name: 'registry',
  uid,
  because: 'a test',
  leaving: false,
  foreign: false,
  ...more,
});

describe('deleteTargets', () => {
  it('deletes the very object that was planned', async () => {
    const api = memoryApi();
    const { metadata } = api.put(objectOf(kinds.namespace, { metadata: { name: 'registry' } }));
    await deleteTargets(api.cluster, [target(metadata.uid ?? '')], signal);
    expect(api.objects(kinds.namespace)).toEqual([]);
  });

  it('deletes what is in a namespace, and not its namesake in another', async () => {
    const api = memoryApi();
    const at = (namespace: string): string => {
      api.put(objectOf(kinds.namespace, { metadata: { name: namespace } }));
      return api.put(objectOf(kinds.configMap, { metadata: { namespace, name: 'a' } })).metadata.uid ?? '';
    };
    const [uid] = [at('one'), at('two')];
    await deleteTargets(api.cluster, [target(uid, { kind: kinds.configMap, namespace: 'one', name: 'a' })], signal);
    expect(api.objects(kinds.configMap).map(({ metadata }) => metadata.namespace)).toEqual(['two']);
  });

  it('passes on a refusal', async () => {
    const api = memoryApi();
    const { metadata } = api.put(objectOf(kinds.namespace, { metadata: { name: 'registry' } }));
    const refused = new ApiError(403, 'Forbidden', 'no', 'DELETE');
    api.hooks.before = () => {
      throw refused;
    };
    await expect(deleteTargets(api.cluster, [target(metadata.uid ?? '')], signal)).rejects.toBe(refused);
  });

  it('leaves alone what was made anew under the same name, and what is on its way out', async () => {
    const api = memoryApi();
    const { metadata } = api.put(objectOf(kinds.namespace, { metadata: { name: 'registry' } }));
    await deleteTargets(api.cluster, [target('of-another')], signal);
    await deleteTargets(api.cluster, [target(metadata.uid ?? '', { leaving: true })], signal);
    expect(api.objects(kinds.namespace)).toHaveLength(1);
  });

  it('ends at a cancel', async () => {
    const api = memoryApi();
    const { metadata } = api.put(objectOf(kinds.namespace, { metadata: { name: 'registry' } }));
    await expect(
      deleteTargets(api.cluster, [target(metadata.uid ?? '')], AbortSignal.abort(new Error('cancelled'))),
    ).rejects.toThrow('cancelled');
    expect(api.objects(kinds.namespace)).toHaveLength(1);
  });
});
