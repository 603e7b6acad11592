import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import type { Overrides } from './choose-backup.js';
import { fetchBackup } from './fetch.js';
import type { Ports } from './ports.js';
import type { BackupContext } from './statement.js';
import type { Store } from './stores/store.js';
import { type Keys, keysOf, now, run, sealedBackup } from './testing/memory.js';

const day = 24 * 3600_000;
const unmasked = (): void => undefined;
let keys: Keys;

beforeAll(async () => {
  keys = await keysOf();
});

async function sealed(change: Partial<BackupContext> = {}): Promise<Buffer> {
  return (await sealedBackup(keys, 3, { runId: '7', ...change })).bytes;
}

/** A source that gives these bytes under any name, and a target that keeps what it is given. */
function stores(name: string, bytes: Buffer): { source: Store; target: Store; kept: Map<string, Buffer> } {
  const kept = new Map<string, Buffer>();
  const unused = (): never => {
    throw new Error('not asked for');
  };
  return {
    kept,
    source: {
      name: 'cache',
      fate: '',
      holds: unused,
      save: unused,
      read: unused,
      list: async () => ({
        entries: [{ name, foreign: undefined, fetch: async () => bytes, remove: unused }],
        cut: undefined,
        where: '',
      }),
    },
    target: {
      name: 'directory',
      fate: '',
      holds: unused,
      list: unused,
      read: async (wanted) => kept.get(wanted) ?? Buffer.alloc(0),
      save: async (wanted, given) => {
        kept.set(wanted, given);
        return { where: wanted, until: undefined, notes: [] };
      },
    },
  };
}

function portsOf(source: Store): Ports {
  return { stores: [source], progress: unmasked, warn: unmasked, mask: unmasked, signal: new AbortController().signal };
}

const options = (overrides: Partial<Overrides> = {}) => ({
  signers: keys.restore.signers,
  run,
  overrides: { older: false, ...overrides },
  maxAge: 14 * day,
  now,
});

describe('fetchBackup', () => {
  it('keeps exactly the bytes that were stored, and tells what they are bound to', async () => {
    const bytes = await sealed();
    const { source, target, kept } = stores('mcprt-backup-example.com-g00000003-r7.1', bytes);
    const fetched = await fetchBackup(portsOf(source), target, options());
    expect(fetched).toMatchObject({ source: 'cache', name: 'mcprt-backup-example.com-g00000003-r7.1' });
    expect(fetched.context.fingerprint).toBe('a-cluster');
    expect([...kept.values()].map((one) => createHash('sha256').update(one).digest('hex'))).toEqual([
      createHash('sha256').update(bytes).digest('hex'),
    ]);
  });

  it('copies nothing that a given key cannot read', async () => {
    const { source, target, kept } = stores('mcprt-backup-example.com-g00000003-r7.1', await sealed());
    const { identities } = (await keysOf()).restore;
    const stranger = { ...keys.restore, identities };
    await expect(fetchBackup(portsOf(source), target, { ...options(), key: stranger })).rejects.toMatchObject({
      code: 'key-mismatch',
    });
    expect(kept.size).toBe(0);
    await fetchBackup(portsOf(source), target, { ...options(), key: keys.restore });
    expect(kept.size).toBe(1);
  });

  it('lets no store choose where the file is written', async () => {
    const planted = 'mcprt-backup-example.com-../../etc/x';
    const { source, target, kept } = stores(planted, await sealed());
    await fetchBackup(portsOf(source), target, options({ name: planted }));
    expect([...kept.keys()]).toEqual(['mcprt-backup-example.com-g00000003-r7.1']);
  });

  it.each([
    ['a cluster that is not the one asked for', {}, 'another', 'backup-foreign-cluster'],
    ['another repository', { repositoryId: '43' }, undefined, 'backup-foreign-repository'],
    ['another domain', { domain: 'example.org' }, undefined, 'backup-foreign-domain'],
    ['an age that a restore would not accept', { createdAt: '2026-01-01T00:00:00.000Z' }, undefined, 'backup-too-old'],
  ])('copies nothing of %s', async (_, change, fromCluster, code) => {
    const { source, target, kept } = stores('mcprt-backup-example.com-g00000003-r7.1', await sealed(change));
    const overrides = fromCluster === undefined ? {} : { fromCluster };
    await expect(fetchBackup(portsOf(source), target, options(overrides))).rejects.toMatchObject({ code });
    expect(kept.size).toBe(0);
  });

  it('says so when the target gives back something else', async () => {
    const { source, target } = stores('mcprt-backup-example.com-g00000003-r7.1', await sealed());
    const forgetful = { ...target, read: async () => sealed({ generation: 4 }) };
    await expect(fetchBackup(portsOf(source), forgetful, options())).rejects.toMatchObject({ code: 'store-read-back' });
  });
});
