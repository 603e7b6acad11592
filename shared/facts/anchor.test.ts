import { describe, expect, it } from '@jest/globals';
import { clustersOwn } from '../backup/testing/memory-world.js';
import { objectOf } from '../cluster/cluster.js';
import { kinds } from '../cluster/objects.js';
import { type MemoryApi, memoryApi } from '../cluster/testing/memory-api.js';
import { type Anchor, readAnchor, writeAnchor } from './anchor.js';

const anchor = (generation: number, more: Partial<Anchor> = {}): Anchor => ({
  generation,
  statement: `s${generation}`,
  inventory: [],
  ledger: [],
  content: '',
  ...more,
});
const ref = { namespace: 'kube-system', name: 'mcprt-anchor' };
const cluster = (): MemoryApi => {
  const api = memoryApi();
  clustersOwn(api);
  return api;
};

describe('the anchor', () => {
  it('moves forward, and never back', async () => {
    const { cluster: one } = cluster();
    for (const generation of [1, 3, 2, 3]) await writeAnchor(one, anchor(generation));
    expect(await readAnchor(one)).toMatchObject({ generation: 3, statement: 's3' });
  });

  it('does not go back behind another run that was faster', async () => {
    const api = cluster();
    await writeAnchor(api.cluster, anchor(1));
    api.hooks.before = async ({ method }) => {
      if (method !== 'PATCH') return;
      api.hooks.before = () => undefined;
      await writeAnchor(api.cluster, anchor(9));
    };
    await writeAnchor(api.cluster, anchor(2));
    expect(await readAnchor(api.cluster)).toMatchObject({ generation: 9 });
  });

  it('is an error where it cannot be read: taken for none, it would let a replay through', async () => {
    const api = cluster();
    for (const generation of ['many', '9007199254740993', '9'.repeat(400)]) {
      const data = { generation, statement: 's', inventory: '' };
      api.put(objectOf(kinds.configMap, { metadata: ref, data }));
      await expect(readAnchor(api.cluster)).rejects.toMatchObject({
        code: 'anchor-unreadable',
        next: expect.stringContaining('kubectl delete configmap -n kube-system mcprt-anchor'),
      });
    }
    await expect(writeAnchor(api.cluster, anchor(2))).rejects.toMatchObject({ code: 'anchor-unreadable' });
    api.remove(kinds.configMap, ref);
    await writeAnchor(api.cluster, anchor(2));
    expect(await readAnchor(api.cluster)).toMatchObject({ generation: 2 });
  });

  it('of an earlier version has no ledger and no digest of its content, and an empty list is one', async () => {
    const api = cluster();
    api.put(objectOf(kinds.configMap, { metadata: ref, data: { generation: '4', statement: 's4', inventory: '' } }));
    expect(await readAnchor(api.cluster)).toEqual(anchor(4));
  });

  it('holds what 5,000 tenants have', async () => {
    const { cluster: one } = cluster();
    const names = Array.from(
      { length: 10_000 },
      (_, index) => `Secret mcp-team-${'x'.repeat(50)}-${index}/mcp-runtime-registry-pull`,
    );
    const ledger = Array.from({ length: 5_000 }, (_, index) => ({
      identifiers: [`server-${index}.tenants.example.com`],
      serial: `0${index}`.repeat(8),
      at: '2026-11-24T12:00:00Z',
    }));
    for (const generation of [1, 2]) await writeAnchor(one, anchor(generation, { inventory: names, ledger }));
    expect(await readAnchor(one)).toEqual(anchor(2, { inventory: names, ledger }));
  });
});
