import { describe, expect, it } from '@jest/globals';
import type { Cluster } from '../cluster/cluster.js';
import { unfinishedSince } from './first-install.js';

const clusterWith = (object: unknown): Cluster => ({ get: async () => object }) as unknown as Cluster;
const since = (data: unknown): Promise<string | undefined> => unfinishedSince(clusterWith({ data }));

describe('a first install that was not finished', () => {
  it('is remembered by when it was begun', async () => {
    expect(await unfinishedSince(clusterWith(undefined))).toBeUndefined();
    expect(await since({ firstInstallSince: '2026-11-24T12:00:00.000Z' })).toBe('2026-11-24T12:00:00.000Z');
  });

  it.each([[undefined], [{}], [{ firstInstallSince: '' }], [{ firstInstallSince: 'yesterday' }]])(
    'is an error where it cannot be read: %j',
    async (data) => {
      await expect(since(data)).rejects.toMatchObject({
        code: 'setup-record',
        next: expect.stringContaining('kubectl delete configmap -n kube-system mcprt-setup'),
      });
    },
  );
});
