import { beforeAll, describe, expect, it } from '@jest/globals';
import { kinds } from '../cluster/objects.js';
import { memoryApi } from '../cluster/testing/memory-api.js';
import type { Store } from './stores/store.js';
import { type Keys, keysOf, memoryStore, now, run, sealedBackup, type Thing } from './testing/memory.js';
import { quietPorts } from './testing/memory-store.js';
import { clustersOwn } from './testing/memory-world.js';
import { type VerifyOptions, verifyBackups } from './verify.js';

const day = 24 * 3600_000;
let keys: Keys;
let [older, newer]: [Thing, Thing] = [] as never;
const api = memoryApi({ now: () => now });

beforeAll(async () => {
  clustersOwn(api);
  const fingerprint = String(api.find(kinds.namespace, { name: 'kube-system' })?.metadata.uid);
  keys = await keysOf();
  [older, newer] = (await Promise.all([7, 8].map((one) => sealedBackup(keys, one, { fingerprint })))) as [Thing, Thing];
});

async function verify(stores: Store[], more: Partial<VerifyOptions> = {}) {
  const warnings: string[] = [];
  const ports = quietPorts(stores, { warn: (line) => void warnings.push(line) });
  const signers = keys.restore.signers;
  const wish = { signers, key: keys.restore, run, overrides: { older: false }, maxAge: 14 * day };
  return { ...(await verifyBackups(api.cluster, ports, { ...wish, ...more })), warnings };
}

describe('a check of the backups', () => {
  it('names the backup that a restore would choose, and every store that holds it', async () => {
    const stores = [memoryStore('cache', [older, newer]), memoryStore('artifact', [newer])];
    expect(await verify(stores)).toMatchObject({
      name: newer.name,
      context: { generation: 8 },
      stores: ['cache', 'artifact'],
      decrypted: true,
      snapshot: { objects: [] },
      warnings: [],
    });
  });

  it('opens nothing without a key', async () => {
    const wish = { signers: keys.restore.signers, run, overrides: { older: false }, maxAge: 14 * day };
    const found = await verifyBackups(api.cluster, quietPorts([memoryStore('cache', [newer])]), wish);
    expect(found).toMatchObject({ decrypted: false, snapshot: undefined, stores: ['cache'] });
  });

  it('says what a store has in place of it', async () => {
    const behind = await verify([memoryStore('cache', [newer]), memoryStore('artifact', [older])]);
    expect([behind.stores, behind.warnings.filter((line) => line.startsWith('artifact'))]).toEqual([
      ['cache'],
      ['artifact does not hold generation 8: its newest is generation 7'],
    ]);
  });

  it('says that a store has none, and passes over what is nobody’s', async () => {
    const foreign = { name: newer.name, bytes: Buffer.from('x'), foreign: 'a pull request' };
    for (const things of [[], [foreign]]) {
      const { stores, warnings } = await verify([memoryStore('cache', [newer]), memoryStore('artifact', things)]);
      expect(stores).toEqual(['cache']);
      expect(warnings.filter((line) => line.startsWith('artifact'))).toEqual([
        expect.stringMatching(/^artifact does not hold generation 8: .*no entry.*looked everywhere/),
      ]);
    }
  });

  it('says that a store has a damaged one', async () => {
    const damaged = { ...older, bytes: Buffer.from('x') };
    const { warnings } = await verify([memoryStore('cache', [newer]), memoryStore('artifact', [damaged])]);
    expect(warnings).toContainEqual(expect.stringMatching(/^artifact does not hold generation 8: .*\w/));
  });

  it('says how long each copy is safe, and warns where all go together', async () => {
    const [one, two] = [memoryStore('cache', [newer]), memoryStore('artifact', [newer])];
    const apart = await verify([one, two]);
    expect([apart.copies.map(({ hold }) => hold?.words), apart.together]).toEqual([
      ['as long as the test', 'as long as the test'],
      undefined,
    ]);
    const silent = { ...two, fate: one.fate, holds: () => Promise.reject(new Error('not told')) };
    const { copies, stores, warnings } = await verify([one, silent]);
    expect([stores, copies[1]?.hold]).toEqual([['cache', 'artifact'], undefined]);
    expect(warnings).toEqual([expect.stringMatching(/^all copies \(cache and artifact\) go together: with cache; /)]);
  });

  it('fails as a restore would', async () => {
    await expect(verify([memoryStore('cache', [])])).rejects.toMatchObject({ code: 'backup-none' });
    const another = await sealedBackup(keys, 9, { fingerprint: 'another' });
    await expect(verify([memoryStore('cache', [another])])).rejects.toMatchObject({ code: 'backup-foreign-cluster' });
  });
});
