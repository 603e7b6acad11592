import { beforeAll, describe, expect, it } from '@jest/globals';
import { McprtError } from '../errors.js';
import { nameFor } from './stores/store.js';
import { survey } from './survey.js';
import { type Keys, keysOf, memoryStore, run, sealedBackup } from './testing/memory.js';

let [keys, other]: [Keys, Keys] = [] as never;
const signal = new AbortController().signal;

beforeAll(async () => {
  [keys, other] = await Promise.all([keysOf(), keysOf()]);
});

describe('a survey', () => {
  it('has every generation of every store, and says what each is worth', async () => {
    const [first, second, foreign, ofOther] = await Promise.all([
      sealedBackup(keys, 1),
      sealedBackup(keys, 2),
      sealedBackup(keys, 3, { repository: 'acme/lost', repositoryId: '43', fingerprint: 'b' }),
      sealedBackup(other, 4),
    ]);
    const damaged = { name: nameFor(run.domain, 5, { runId: '5', runAttempt: '1' }), bytes: Buffer.from('x') };
    const planted = { ...damaged, name: nameFor(run.domain, 99, { runId: '6', runAttempt: '1' }), foreign: 'a fork' };
    const stores = [
      memoryStore('cache', [second, damaged]),
      memoryStore('artifact', [first, second, foreign, ofOther, planted]),
    ];
    const found = await survey({ stores, signal }, { signers: keys.restore.signers, key: keys.restore, run });
    expect(
      found.backups.map(({ name, stores: held, context, isSigned, isReadable, error }) => [
        Number(/g0*(\d+)/.exec(name)?.[1]),
        held.join(),
        context?.fingerprint,
        isSigned,
        isReadable,
        error?.code,
      ]),
    ).toEqual([
      [5, 'cache', undefined, undefined, undefined, 'backup-malformed'],
      [4, 'artifact', undefined, false, undefined, 'backup-unsigned'],
      [3, 'artifact', 'b', true, true, 'backup-foreign-repository'],
      [2, 'cache,artifact', 'a-cluster', true, true, undefined],
      [1, 'artifact', 'a-cluster', true, true, undefined],
    ]);
    expect(found.foreign).toEqual([{ store: 'artifact', name: planted.name, why: 'a fork' }]);
    expect(stores.flatMap(({ fetched }) => fetched)).not.toContain(planted.name);
  });

  it('with public keys only says nothing of reading, and with the wrong identity says no', async () => {
    const store = memoryStore('cache', [await sealedBackup(keys, 1)]);
    const { signers } = keys.restore;
    const bySignature = await survey({ stores: [store], signal }, { signers, run });
    expect(bySignature.backups).toMatchObject([{ isReadable: undefined, error: undefined }]);
    const key = { identities: other.restore.identities, signers };
    const byOther = await survey({ stores: [store], signal }, { signers, key, run });
    expect(byOther.backups).toMatchObject([{ isSigned: true, isReadable: false, error: { code: 'key-mismatch' } }]);
  });

  it('ends where the key itself cannot be read: that says nothing of the backups', async () => {
    const store = memoryStore('cache', [await sealedBackup(keys, 1)]);
    const key = { ...keys.restore, identities: [{ text: 'AGE-SECRET-KEY-1Q', line: 1 }] };
    const surveying = survey({ stores: [store], signal }, { signers: key.signers, key, run });
    await expect(surveying).rejects.toMatchObject({ code: 'key-invalid' });
  });

  it('shows a store that cannot be read, and one that was not read to its end, beside the others', async () => {
    const error = new McprtError('store-token', { what: 'w', why: 'y', next: 'n' });
    const dead = { ...memoryStore('artifact', []), list: () => Promise.reject(error) };
    const cut = memoryStore('cache', [await sealedBackup(keys, 1)], error);
    const found = await survey({ stores: [dead, cut], signal }, { signers: keys.restore.signers, run });
    expect(found.backups).toHaveLength(1);
    expect(found.unread.map(({ store }) => store)).toEqual(['artifact', 'cache']);
  });

  it('ends where none was seen and a store could not be read, with its reason', async () => {
    const error = new McprtError('store-token', { what: 'w', why: 'y', next: 'n' });
    const dead = { ...memoryStore('artifact', []), list: () => Promise.reject(error) };
    const looking = { signers: keys.restore.signers, run };
    await expect(survey({ stores: [dead, memoryStore('cache', [])], signal }, looking)).rejects.toBe(error);
    const cut = await survey({ stores: [memoryStore('cache', [], error)], signal }, looking);
    expect(cut).toMatchObject({ backups: [], unread: [{ store: 'cache' }] });
  });

  it('shows a store that fails in words of others as one that was not seen', async () => {
    const dead = { ...memoryStore('artifact', []), list: () => Promise.reject(new TypeError('terminated')) };
    const alive = memoryStore('cache', [await sealedBackup(keys, 1)]);
    const found = await survey({ stores: [dead, alive], signal }, { signers: keys.restore.signers, run });
    expect(found.backups).toHaveLength(1);
    expect(found.unread).toMatchObject([{ store: 'artifact', error: { code: 'store-read', why: 'terminated' } }]);
  });

  it('has a limit for what somebody has planted', async () => {
    const junk = Array.from({ length: 250 }, (_, at) => ({
      name: nameFor(run.domain, at + 1, { runId: '5', runAttempt: '1' }),
      bytes: Buffer.from('x'),
    }));
    const planted = junk.map((one) => ({ ...one, name: `${one.name}-x` }));
    const store = memoryStore('cache', [...junk, ...planted]);
    const found = await survey({ stores: [store], signal }, { signers: keys.restore.signers, run });
    expect([found.backups.length, found.foreign.length, found.foreignCount]).toEqual([200, 20, 250]);
    expect(found.unread).toMatchObject([{ error: { code: 'store-cut' } }]);
  });
});
