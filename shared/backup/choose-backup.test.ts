import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { McprtError } from '../errors.js';
import { chooseBackup, type Expected, type Overrides, originOf } from './choose-backup.js';
import { readRestoreKey } from './keys.js';
import { openBackup } from './seal.js';
import type { BackupContext } from './statement.js';
import { type Entry, type Listing, nameFor, type Store } from './stores/store.js';
import { type Keys, keysOf, memoryStore, now, run, sealedBackup, type Thing } from './testing/memory.js';
import { walkLimits } from './walk.js';

const day = 24 * 3600_000;
let [keys, newer]: [Keys, Keys] = [] as never;
let made: Map<number, { name: string; bytes: Buffer }>;

beforeAll(async () => {
  [keys, newer] = await Promise.all([keysOf(), keysOf()]);
  made = new Map(await Promise.all([3, 7, 8].map(async (one) => [one, await sealedBackup(keys, one)] as const)));
});

const of = (generation: number): Thing => made.get(generation) ?? { name: '', bytes: Buffer.alloc(0) };
const nameOf = (generation: number, runId = '9'): string => nameFor(run.domain, generation, { runId, runAttempt: '1' });
const junk = (generation: number, foreign?: string): Thing => ({
  name: nameOf(generation),
  bytes: Buffer.from('planted'),
  ...(foreign === undefined ? {} : { foreign }),
});
const failing = (code: McprtError['code']): McprtError => new McprtError(code, { what: 'w', why: 'y', next: 'n' });

async function choose(
  stores: Store[],
  {
    overrides = {},
    key = keys.restore,
    expected = {},
    as = run,
  }: { overrides?: Partial<Overrides>; key?: Keys['restore']; expected?: Partial<Expected>; as?: typeof run } = {},
) {
  const warnings: string[] = [];
  const wish = { signers: key.signers, run: as, overrides: { older: false, ...overrides }, maxAge: 14 * day };
  const chosen = await chooseBackup(
    { stores, warn: (line) => warnings.push(line) },
    { ...wish, open: (one) => openBackup(one, key) },
    Promise.resolve({ fingerprint: 'a-cluster', now, anchor: undefined, ...expected }),
  );
  return { generation: chosen.backup.context.generation, store: chosen.store, warnings };
}

const changed = (generation: number, change: Partial<BackupContext>): Promise<Thing> =>
  sealedBackup(keys, generation, change);

describe('without a choice', () => {
  it('the newest that can be read is taken, whichever store has it, and nothing is said', async () => {
    const stores = [memoryStore('cache', [of(3), of(7)]), memoryStore('artifact', [of(8), of(3)])];
    expect(await choose(stores)).toEqual({ generation: 8, store: 'artifact', warnings: [] });
  });

  it('one entry of each store is fetched, while the newest is a good one', async () => {
    const store = memoryStore('cache', [of(3), of(8), of(7)]);
    await choose([store]);
    expect(store.fetched).toEqual([of(8).name]);
  });

  it.each<[string, () => Promise<Thing> | Thing, string]>([
    ['damaged', () => junk(9), 'backup-malformed'],
    ['signed by the next set of keys', () => sealedBackup(newer, 9), 'backup-unsigned'],
    ['gone while it is fetched', () => ({ name: nameOf(9), bytes: failing('store-read') }), 'store-read'],
  ])('a newer one that is %s may be real: somebody must say that the older will do', async (_, thing, code) => {
    const stores = [memoryStore('cache', [await thing(), of(8)])];
    await expect(choose(stores)).rejects.toMatchObject({
      code: 'backup-newer-unreadable',
      why: expect.stringMatching(new RegExp(`g00000009-.*${code}[\\s\\S]*generation 8 in cache`)),
      // A drill has no `allow`.
      next: expect.stringMatching(/`generation: 8`.*`allow: older-backup`/),
    });
    const { generation, warnings } = await choose(stores, { overrides: { older: true } });
    expect([generation, warnings.join()]).toEqual([8, expect.stringContaining(code)]);
  });

  it('one for which the key has the signer and no identity may be real too', async () => {
    const half = { identities: keys.restore.identities, signers: [...keys.restore.signers, ...newer.restore.signers] };
    const stores = [memoryStore('cache', [await sealedBackup(newer, 9), of(8)])];
    await expect(choose(stores, { key: half })).rejects.toMatchObject({
      code: 'backup-newer-unreadable',
      why: expect.stringContaining('key-mismatch'),
    });
  });

  it('what cannot be ours is passed over with one warning, however much of it there is', async () => {
    const planted = Array.from({ length: 500 }, (_, at) => junk(100 + at, 'a pull request'));
    const store = memoryStore('artifact', [...planted, of(8), { ...of(7), name: 'mcprt-backup-example.com-old' }]);
    const { generation, warnings } = await choose([store]);
    expect(generation).toBe(8);
    expect(warnings).toEqual([expect.stringMatching(/^passed over: 501 entries of artifact that cannot be ours/)]);
    expect(store.fetched).toEqual([of(8).name]);
  });

  it('eight of those that may be ours are told when they are passed over, and how many more there are', async () => {
    for (const [count, more] of [
      [8, []],
      [9, ['…and 1 more']],
    ] as const) {
      const doubtful = Array.from({ length: count }, (_, at) => junk(100 + at));
      const { warnings } = await choose([memoryStore('cache', [...doubtful, of(8)])], { overrides: { older: true } });
      expect([warnings.slice(0, 8), warnings.slice(8)]).toEqual([
        Array.from({ length: 8 }, () => expect.stringMatching(/^passed over: cache, .*backup-malformed/)),
        more,
      ]);
    }
  });

  it.each<[string, Partial<BackupContext>]>([
    ['cluster', { fingerprint: 'another' }],
    ['repository', { repositoryId: '43' }],
    ['domain', { domain: 'example.org' }],
  ])('a newer one of another %s is passed over with a warning', async (what, change) => {
    const store = memoryStore('cache', [await changed(9, change), of(8)]);
    const { generation, warnings } = await choose([store]);
    expect([generation, warnings]).toEqual([8, [expect.stringContaining(`backup-foreign-${what}`)]]);
  });

  it('a replay counts as the generation that is signed, whatever its name says', async () => {
    const replay = { ...of(3), name: nameOf(99) };
    const store = memoryStore('cache', [replay, of(8)]);
    expect(await choose([store])).toMatchObject({ generation: 8 });
    await expect(
      choose([memoryStore('cache', [replay])], { expected: { anchor: { generation: 8, statement: '' } } }),
    ).rejects.toMatchObject({ code: 'backup-rollback', next: expect.stringContaining('generation: 3') });
  });

  it('a store that cannot be read may have a newer one, unless the cluster says which is the newest', async () => {
    const dead: Store = { ...memoryStore('artifact', []), list: () => Promise.reject(failing('store-unavailable')) };
    const stores = [memoryStore('cache', [of(8)]), dead];
    await expect(choose(stores)).rejects.toMatchObject({ code: 'backup-newer-unreadable' });
    await expect(choose(stores, { overrides: { older: true } })).resolves.toMatchObject({ generation: 8 });
    const { digest } = (
      await chooseBackup(
        { stores: [memoryStore('cache', [of(8)])], warn: () => undefined },
        {
          signers: keys.restore.signers,
          run,
          overrides: { older: false },
          maxAge: 14 * day,
          open: async () => undefined,
        },
        { fingerprint: undefined, now, anchor: undefined },
      )
    ).backup;
    const anchor = { generation: 8, statement: digest };
    await expect(choose(stores, { expected: { anchor } })).resolves.toMatchObject({
      generation: 8,
      warnings: [expect.stringContaining('store-unavailable')],
    });
    const other = { anchor: { generation: 8, statement: 'another' } };
    await expect(choose(stores, { expected: other })).rejects.toMatchObject({ code: 'backup-newer-unreadable' });
    // Of the lost cluster this one remembers nothing.
    const lost = { overrides: { fromCluster: 'a-cluster' }, expected: { fingerprint: 'new', anchor } };
    await expect(choose(stores, lost)).rejects.toMatchObject({ code: 'backup-newer-unreadable' });
  });

  it('of two runs that made the same generation the later one counts, also after a run of fewer digits', async () => {
    const at = (runId: string, hours: number) =>
      sealedBackup(keys, 8, { runId, createdAt: new Date(now.getTime() - hours * 3600_000).toISOString() });
    const [ninth, tenth] = await Promise.all([at('9', 3), at('10', 2)]);
    const { name } = await chooseBackup(
      { stores: [memoryStore('cache', [ninth, tenth])], warn: () => undefined },
      {
        signers: keys.restore.signers,
        run,
        overrides: { older: false },
        maxAge: 14 * day,
        open: async () => undefined,
      },
      { fingerprint: 'a-cluster', now, anchor: undefined },
    );
    expect(name).toBe(tenth.name);
  });

  it('a list that was cut is never called empty', async () => {
    const cut = memoryStore('artifact', [junk(9, 'a pull request')], failing('store-cut'));
    await expect(choose([cut])).rejects.toMatchObject({ code: 'store-cut' });
    await expect(choose([cut, memoryStore('cache', [])])).rejects.toMatchObject({ code: 'store-cut' });
    await expect(choose([cut, memoryStore('cache', [junk(4)])])).rejects.toMatchObject({ code: 'store-cut' });
    await expect(choose([memoryStore('artifact', [junk(9, 'x')])])).rejects.toMatchObject({ code: 'backup-none' });
  });

  it('junk of our own runs is looked at up to a limit, and the limit is told', async () => {
    const planted = Array.from({ length: walkLimits.entries + 5 }, (_, at) => junk(100 + at));
    const store = memoryStore('cache', [...planted, of(8)]);
    await expect(choose([store])).rejects.toMatchObject({ code: 'store-cut', next: expect.stringContaining('`name`') });
    expect(store.fetched).toHaveLength(walkLimits.entries);
    await expect(choose([store], { overrides: { generation: 8 } })).resolves.toMatchObject({ generation: 8 });
  });

  it('so much of it, and for so long', async () => {
    const large = Buffer.alloc(64 * 1024 * 1024);
    const many = Array.from({ length: 6 }, (_, at) => ({ ...junk(100 + at), bytes: large }));
    const store = memoryStore('cache', [...many, of(8)]);
    await expect(choose([store])).rejects.toMatchObject({ code: 'store-cut' });
    expect(store.fetched).toHaveLength(walkLimits.bytes / large.length);

    let time = 0;
    const clock = jest.spyOn(Date, 'now').mockImplementation(() => (time += walkLimits.time / 4));
    try {
      const slow = memoryStore('cache', [...Array.from({ length: 9 }, (_, at) => junk(100 + at)), of(8)]);
      await expect(choose([slow])).rejects.toMatchObject({ code: 'store-cut' });
      expect(slow.fetched.length).toBeLessThan(9);
    } finally {
      clock.mockRestore();
    }
  });

  it('what a store has besides a usable one is no doubt: neither a cut list nor what is older and damaged', async () => {
    const cut = memoryStore('cache', [of(8)], failing('store-token'));
    const older = memoryStore('artifact', [junk(4)]);
    const { generation, warnings } = await choose([cut, older]);
    expect([generation, warnings]).toEqual([8, [expect.stringContaining('g00000004')]]);
  });

  it('an empty store is said to be empty, and where was looked', async () => {
    await expect(choose([memoryStore('cache', []), memoryStore('artifact', [])])).rejects.toMatchObject({
      code: 'backup-none',
      why: expect.stringMatching(/cache: the cache has no entry .*looked everywhere[\s\S]*artifact: /),
    });
  });

  it('of two that bear one number the later one is taken', async () => {
    const later = await changed(8, { runId: '7', createdAt: new Date(now.getTime() - 1000).toISOString() });
    expect(await choose([memoryStore('cache', [of(8)]), memoryStore('artifact', [later])])).toMatchObject({
      store: 'artifact',
    });
  });

  it('a key that cannot be read is no trouble of the backups', async () => {
    const typo = { ...keys.restore, identities: [{ text: 'AGE-SECRET-KEY-1Q', line: 1 }] };
    const stores = [memoryStore('cache', [junk(9), of(8)]), memoryStore('artifact', [of(8)])];
    await expect(choose(stores, { key: typo })).rejects.toMatchObject({ code: 'key-invalid' });
  });

  it('a cancel ends the walk with its own reason, and is no trouble of a store', async () => {
    const cancelled = failing('job-cancelled');
    const wish = { signers: keys.restore.signers, run, overrides: { older: true }, maxAge: 14 * day };
    const entry = (fetch: () => Promise<Buffer>): Entry => ({
      name: nameOf(9),
      foreign: undefined,
      fetch,
      remove: async () => undefined,
    });
    const lists: ((leave: () => never) => Promise<Listing>)[] = [
      async (leave) => leave(),
      async (leave) => ({ entries: [entry(async () => leave())], cut: undefined, where: '' }),
    ];
    for (const list of lists) {
      const cancel = new AbortController();
      const leave = (): never => {
        cancel.abort(cancelled);
        throw new Error('aborted');
      };
      const store: Store = { ...memoryStore('cache', []), list: () => list(leave) };
      const choosing = chooseBackup(
        { stores: [store], warn: () => undefined, signal: cancel.signal },
        { ...wish, open: async () => undefined },
        { fingerprint: undefined, now, anchor: undefined },
      );
      await expect(choosing).rejects.toBe(cancelled);
    }
  });

  it('the old key reads old backups beside the new one', async () => {
    const both = readRestoreKey(`${newer.text.restore}\n${keys.text.restore}\n`, () => undefined);
    const store = memoryStore('cache', [of(8), await sealedBackup(newer, 9)]);
    expect(await choose([store], { key: both })).toMatchObject({ generation: 9, warnings: [] });
    expect(await choose([store], { key: both, overrides: { generation: 8 } })).toMatchObject({ generation: 8 });
  });
});

describe('with a choice', () => {
  const stores = (): Store[] => [memoryStore('cache', [of(8), of(3)]), memoryStore('artifact', [of(7), of(8)])];

  it.each<[Partial<Overrides>, number]>([
    [{ generation: 3 }, 3],
    [{ generation: 7 }, 7],
  ])('exactly that one is taken: %j', async (overrides, generation) => {
    const anchor = { generation: 8, statement: '' };
    const chosen = await choose(stores(), { overrides, expected: { anchor } });
    expect(chosen.generation).toBe(generation);
    // Its age is the person's choice, and is told.
    expect(chosen.warnings.join()).toContain('the cluster remembers generation 8');
  });

  it('a name is found whoever uploaded it, as its signature must hold', async () => {
    const branch = { ...of(7), foreign: 'it was uploaded by a run of branch try' };
    const store = memoryStore('artifact', [of(8), branch]);
    expect(await choose([store], { overrides: { name: branch.name } })).toMatchObject({ generation: 7 });
    const planted = memoryStore('artifact', [of(8), junk(9, 'a pull request')]);
    await expect(choose([planted], { overrides: { name: nameOf(9) } })).rejects.toMatchObject({
      code: 'backup-malformed',
    });
  });

  it('another copy does where one is damaged, which is told', async () => {
    const damaged = memoryStore('cache', [{ ...of(7), bytes: Buffer.from('x') }]);
    const { store, warnings } = await choose([damaged, memoryStore('artifact', [of(7)])], {
      overrides: { generation: 7 },
    });
    expect([store, warnings]).toEqual(['artifact', [expect.stringContaining('backup-malformed')]]);
  });

  it('what there is is said where it is not there', async () => {
    await expect(choose(stores(), { overrides: { generation: 5 } })).rejects.toMatchObject({
      code: 'backup-missing',
      why: expect.stringMatching(/cache: mcprt-backup-example.com-g00000008-r108.1\ncache: .*g00000003/),
    });
    await expect(choose([memoryStore('cache', [])], { overrides: { name: 'x' } })).rejects.toMatchObject({
      code: 'backup-missing',
      why: 'there is\ncache: none',
    });
  });

  it('an old one under the name of that generation is refused', async () => {
    const store = memoryStore('cache', [{ ...of(3), name: nameOf(9) }]);
    for (const overrides of [{ generation: 9 }, { name: nameOf(9) }]) {
      await expect(choose([store], { overrides })).rejects.toMatchObject({
        code: 'backup-renamed',
        next: expect.stringContaining('generation: 3'),
      });
    }
  });

  it.each<[string, Partial<BackupContext>, string]>([
    ['cluster', { fingerprint: 'another' }, 'from-cluster: another'],
    ['repository', { repositoryId: '43' }, 'from-repository: 43'],
    ['domain', { domain: 'example.org' }, 'profile'],
  ])('another %s is refused all the same', async (what, change, next) => {
    const store = memoryStore('cache', [await changed(9, change)]);
    await expect(choose([store], { overrides: { generation: 9 } })).rejects.toMatchObject({
      code: `backup-foreign-${what}`,
      next: expect.stringContaining(next),
    });
  });

  it('what was put into the input of the cluster by mistake is not shown', async () => {
    const store = memoryStore('cache', [of(3)]);
    const error = await choose([store], { overrides: { fromCluster: 'AGE-SECRET-KEY-1X' } }).catch(
      (one: unknown) => one,
    );
    expect(error).toMatchObject({ code: 'backup-foreign-cluster', why: expect.not.stringContaining('AGE-SECRET') });
  });

  it('one from the future is refused: no clock can be believed', async () => {
    const store = memoryStore('cache', [await changed(9, { createdAt: new Date(now.getTime() + day).toISOString() })]);
    await expect(choose([store], { overrides: { generation: 9, older: true } })).rejects.toMatchObject({
      code: 'backup-from-future',
    });
  });
});

describe('whose backup it is', () => {
  const local = { ...run, repository: 'local/one', repositoryId: 'local/one' };
  const legacy = { repository: '', repositoryId: '' };

  it.each<[string, Partial<BackupContext>, typeof run, string | undefined, string | undefined]>([
    ['the same machine', { repository: 'local/one', repositoryId: 'local/one' }, local, undefined, undefined],
    ['another machine', { repository: 'local/two', repositoryId: 'local/two' }, local, undefined, 'local/two'],
    ['a machine of an older version', legacy, local, undefined, undefined],
    ['a machine of an older version, in a repository', legacy, run, undefined, 'none'],
    ['a machine of an older version, when named', legacy, run, 'none', undefined],
    ['another repository, when named', { repositoryId: '43' }, run, '43', undefined],
    ['this repository, when another is named', {}, run, '43', '42'],
  ])('%s', async (_, change, as, fromRepository, refusedWith) => {
    const store = memoryStore('directory', [await changed(9, change)]);
    const overrides = fromRepository === undefined ? {} : { fromRepository };
    const choosing = choose([store], { as, overrides });
    if (refusedWith === undefined) await expect(choosing).resolves.toMatchObject({ generation: 9 });
    else {
      const next = expect.stringContaining(`from-repository: ${refusedWith}`);
      await expect(choosing).rejects.toMatchObject({ code: 'backup-foreign-repository', next });
    }
  });

  it('asks for the number of a repository of which only the name was given', async () => {
    const store = memoryStore('directory', [await changed(9, {})]);
    const as = { ...run, repositoryId: run.repository };
    await expect(choose([store], { as })).rejects.toMatchObject({
      code: 'backup-foreign-repository',
      next: expect.stringContaining('--repository-id 42'),
    });
  });

  it('has a name that can be given, also where nothing was written', () => {
    expect([originOf({ repositoryId: '7' }), originOf({ repositoryId: '' })]).toEqual(['7', 'none']);
  });
});
