import { describe, expect, it } from '@jest/globals';
import * as z from 'zod';
import { clustersOwn } from '../backup/testing/memory-world.js';
import { objectOf } from './cluster.js';
import { memory } from './memory.js';
import { kinds } from './objects.js';
import { type MemoryApi, memoryApi } from './testing/memory-api.js';

const count = memory<number>({
  name: 'mcprt-count',
  shape: z.object({ n: z.string().regex(/^\d+$/).transform(Number) }).transform(({ n }) => n),
  texts: (n) => ({ n: String(n) }),
  unreadable: { code: 'count-unreadable', what: 'it cannot be read', next: (remove) => remove },
});

function server(): MemoryApi {
  const api = memoryApi();
  clustersOwn(api);
  return api;
}

describe('what a cluster remembers', () => {
  it('is nothing at first, then what was last written, and nothing again', async () => {
    const { cluster } = server();
    expect(await count.read(cluster)).toBeUndefined();
    expect(await count.update(cluster, () => 1)).toBe(1);
    expect(await count.update(cluster, (found = 0) => found + 1)).toBe(2);
    expect(await count.read(cluster)).toBe(2);
    await count.forget(cluster);
    expect(await count.read(cluster)).toBeUndefined();
  });

  it.each(['POST', 'PATCH'])('is decided anew where another run was faster: %s', async (method) => {
    const api = server();
    if (method === 'PATCH') await count.update(api.cluster, () => 1);
    api.hooks.before = async (call) => {
      if (call.method !== method) return;
      api.hooks.before = () => undefined;
      await count.update(api.cluster, () => 41);
    };
    expect(await count.update(api.cluster, (found = 0) => found + 1)).toBe(42);
    expect(await count.read(api.cluster)).toBe(42);
  });

  it('is forgotten by a run that decides so from what is there, and not brought back where it is gone', async () => {
    const { cluster } = server();
    const end = (found: number | undefined): number | undefined => (found === 2 ? undefined : found);
    await count.update(cluster, () => 1);
    expect(await count.update(cluster, end)).toBe(1);
    await count.update(cluster, () => 2);
    expect(await count.update(cluster, end)).toBeUndefined();
    expect(await count.read(cluster)).toBeUndefined();
    expect(await count.update(cluster, end)).toBeUndefined();
    expect(await count.read(cluster)).toBeUndefined();
  });

  it('is not forgotten where another run has made it anew meanwhile', async () => {
    const api = server();
    await count.update(api.cluster, () => 2);
    api.hooks.before = async (call) => {
      if (call.method !== 'DELETE') return;
      api.hooks.before = () => undefined;
      await count.forget(api.cluster);
      await count.update(api.cluster, () => 7);
    };
    expect(await count.update(api.cluster, (found) => (found === 2 ? undefined : found))).toBe(7);
    expect(await count.read(api.cluster)).toBe(7);
  });

  it('is not written where nothing is to be done', async () => {
    const api = server();
    await count.update(api.cluster, () => 1);
    const before = api.cluster.writes;
    await count.update(api.cluster, (found = 0) => found);
    expect(api.cluster.writes).toBe(before);
  });

  it('is never taken for nothing: what cannot be read is an error that quotes nothing, for a write as well', async () => {
    const api = server();
    const metadata = { namespace: 'kube-system', name: 'mcprt-count' };
    api.put(objectOf(kinds.configMap, { metadata, data: { n: 'a secret' } }));
    const error = {
      code: 'count-unreadable',
      why: expect.not.stringContaining('secret'),
      next: '`kubectl delete configmap -n kube-system mcprt-count`',
    };
    await expect(count.read(api.cluster)).rejects.toMatchObject(error);
    await expect(count.update(api.cluster, () => 1)).rejects.toMatchObject(error);
  });
});
