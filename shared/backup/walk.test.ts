import { afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { McprtError } from '../errors.js';
import type { Store } from './stores/store.js';
import { nameFor } from './stores/store.js';
import { type Keys, keysOf, memoryStore, run, sealedBackup, type Thing } from './testing/memory.js';
import { asMcprtError, type Candidate, candidates, type Search, sorted, walkLimits } from './walk.js';

let keys: Keys;
let made: Map<number, Thing>;
beforeAll(async () => {
  keys = await keysOf();
  made = new Map(await Promise.all([3, 7, 8].map(async (one) => [one, await sealedBackup(keys, one)] as const)));
});
afterEach(() => void jest.restoreAllMocks());

const of = (generation: number): Thing => made.get(generation) ?? { name: '', bytes: Buffer.alloc(0) };
const nameOf = (generation: number): string => nameFor(run.domain, generation, { runId: '9', runAttempt: '1' });
const junk = (generation: number, bytes: Buffer = Buffer.from('junk')): Thing => ({ name: nameOf(generation), bytes });
const failing = (code: McprtError['code']): McprtError => new McprtError(code, { what: 'w', why: 'y', next: 'n' });

const walk = (stores: Store[], more: Partial<Search<unknown>> = {}, signal?: AbortSignal) =>
  candidates({ stores, ...(signal === undefined ? {} : { signal }) }, run.domain, keys.restore.signers, more);
const told = (found: readonly Candidate[]): string[] =>
  found.map(({ standing, backup, error }) => [standing, backup?.context.generation ?? error?.code].join(' '));
const many = (count: number, bytes?: Buffer): Thing[] =>
  Array.from({ length: count }, (_, at) => junk(100 + at, bytes));

describe('a walk through a store', () => {
  it('ends with the first that can be used, and tells what it passed over', async () => {
    const store = memoryStore('cache', [of(3), junk(9), of(8), of(7)]);
    expect(told(await walk([store]))).toEqual(['doubtful backup-malformed', 'usable 8']);
    expect(store.fetched).toEqual([nameOf(9), of(8).name]);
  });

  it('goes on while a name claims more than what was signed, and no further', async () => {
    const store = memoryStore('cache', [{ ...of(3), name: nameOf(99) }, of(8), of(7)]);
    expect(told(await walk([store]))).toEqual(['usable 3', 'usable 8']);
    expect(store.fetched).toHaveLength(2);
    // Of two that bear one number, the first will do.
    const twice = memoryStore('cache', [of(8), { ...of(8), name: nameOf(8) }]);
    expect(told(await walk([twice]))).toEqual(['usable 8']);
  });

  it('goes through every store, in their order', async () => {
    const found = await walk([memoryStore('cache', [of(3)]), memoryStore('artifact', [of(8)])]);
    expect(found.map(({ store, name }) => [store, name])).toEqual([
      ['cache', of(3).name],
      ['artifact', of(8).name],
    ]);
  });

  it('tells a store that is empty from one that cannot be seen', async () => {
    const refusing = (error: Error): Store => ({ ...memoryStore('cache', []), list: () => Promise.reject(error) });
    expect(told(await walk([memoryStore('cache', [])]))).toEqual(['absent store-miss']);
    expect(told(await walk([refusing(failing('store-miss'))]))).toEqual(['absent store-miss']);
    expect(told(await walk([refusing(failing('store-token'))]))).toEqual(['unread store-token']);
    expect(told(await walk([refusing(new Error('reset'))]))).toEqual(['unread store-read']);
  });

  it('tells a list that was cut, unless what was sought is in the part that was seen', async () => {
    const cut = failing('store-cut');
    expect(told(await walk([memoryStore('cache', [], cut)]))).toEqual(['unread store-cut']);
    expect(told(await walk([memoryStore('cache', [junk(9)], cut)]))).toEqual([
      'doubtful backup-malformed',
      'unread store-cut',
    ]);
    expect(told(await walk([memoryStore('cache', [of(8)], cut)]))).toEqual(['usable 8']);
    expect(told(await walk([memoryStore('cache', [junk(9)])]))).toEqual(['doubtful backup-malformed']);
  });

  it('reads what can still be afforded: the last of so many is looked at', async () => {
    const store = memoryStore('cache', [...many(walkLimits.entries - 1), of(8)]);
    expect(told(await walk([store])).at(-1)).toBe('usable 8');
  });

  it('ends after so many, so much, or so long, and says what was spent', async () => {
    const cutWith = (found: readonly Candidate[]): Candidate | undefined => found.at(-1);
    const byNumber = memoryStore('cache', [...many(walkLimits.entries), of(8)]);
    expect(cutWith(await walk([byNumber]))).toMatchObject({
      standing: 'unread',
      error: { code: 'store-cut', why: expect.stringMatching(/^32 of 33 entries with 128 bytes were read/) },
    });
    expect(byNumber.fetched).toHaveLength(walkLimits.entries);

    // More than any backup may have: it is not even looked into.
    const large = Buffer.alloc(walkLimits.bytes - 1);
    const bySize = memoryStore('cache', [junk(101, large), junk(100, Buffer.from('x')), of(8)]);
    expect(cutWith(await walk([bySize]))).toMatchObject({
      error: { code: 'store-cut', why: expect.stringContaining(`2 of 3 entries with ${walkLimits.bytes} bytes`) },
    });
    const below = memoryStore('cache', [junk(101, large), of(8)]);
    expect(cutWith(await walk([below]))).toMatchObject({ standing: 'usable' });

    let now = 1_000;
    jest.spyOn(Date, 'now').mockImplementation(() => now);
    const passing = (length: number): Store => ({
      ...memoryStore('cache', []),
      list: async () => {
        const listing = await memoryStore('cache', [...many(2), of(8)]).list({ prefix: 'mcprt' });
        const entries = listing.entries.map((entry) => ({
          ...entry,
          fetch: () => {
            now += length;
            return entry.fetch();
          },
        }));
        return { ...listing, entries };
      },
    });
    expect(told(await walk([passing(walkLimits.time / 2)])).at(-1)).toBe('usable 8');
    expect(told(await walk([passing(walkLimits.time / 2 + 1)])).at(-1)).toBe('unread store-cut');
  });

  it('ends with a cancel, whatever the store says', async () => {
    const reason = failing('job-cancelled');
    const signal = AbortSignal.abort(reason);
    for (const things of [[of(8)], [junk(9)]]) {
      await expect(walk([memoryStore('cache', things)], {}, signal)).rejects.toBe(reason);
    }
    const dead: Store = { ...memoryStore('cache', []), list: () => Promise.reject(new Error('aborted')) };
    await expect(walk([dead], {}, signal)).rejects.toBe(reason);
  });

  it('passes over what belongs elsewhere before it is opened, and over what does not open', async () => {
    const opened: number[] = [];
    const found = await walk([memoryStore('cache', [of(8), of(7), of(3)])], {
      misfit: async ({ generation }) => (generation === 8 ? failing('backup-foreign-cluster') : undefined),
      open: async ({ context }) => {
        opened.push(context.generation);
        if (context.generation === 7) throw failing('backup-undecryptable');
        return 'content';
      },
    });
    expect(told(found)).toEqual(['misfit backup-foreign-cluster', 'doubtful backup-undecryptable', 'usable 3']);
    expect([opened, found.map((one) => one.opened)]).toEqual([
      [7, 3],
      [undefined, undefined, 'content'],
    ]);
  });

  it('ends where it is the key that cannot be used', async () => {
    const open = (): Promise<never> => Promise.reject(failing('key-invalid'));
    await expect(walk([memoryStore('cache', [of(8), of(7)])], { open })).rejects.toMatchObject({ code: 'key-invalid' });
  });
});

describe('one that is named', () => {
  const foreign = (thing: Thing): Thing => ({ ...thing, foreign: 'a pull request' });

  it('is looked at whoever stored it, and nothing else is', async () => {
    const store = memoryStore('cache', [of(8), foreign(of(7)), of(3)]);
    expect(told(await walk([store], { named: { generation: 7 } }))).toEqual(['usable 7']);
    expect(told(await walk([store], { named: { name: of(7).name } }))).toEqual(['usable 7']);
    expect(store.fetched).toEqual([of(7).name, of(7).name]);
  });

  it('is that one, and no other under its name', async () => {
    const store = memoryStore('cache', [{ ...of(3), name: nameOf(9) }]);
    for (const named of [{ generation: 9 }, { name: nameOf(9) }]) {
      const [found] = await walk([store], { named });
      expect(found).toMatchObject({
        standing: 'misfit',
        error: {
          code: 'backup-renamed',
          message: expect.stringContaining('generation 9'),
          why: expect.stringContaining('3'),
        },
      });
    }
    // A name that claims nothing lies about nothing.
    const plain = memoryStore('cache', [{ ...of(3), name: 'saved' }]);
    expect(told(await walk([plain], { named: { name: 'saved' } }))).toEqual(['usable 3']);
  });

  it('is told as what was asked for where it is not there', async () => {
    const asked = async (named?: Search<unknown>['named']): Promise<unknown> =>
      (await walk([memoryStore('cache', [])], named === undefined ? {} : { named }))[0]?.error?.message;
    expect(await asked()).toContain('no entry that begins with mcprt-backup-example.com');
    expect(await asked({ generation: 5 })).toContain('no entry of generation 5');
    expect(await asked({ name: 'n' })).toContain('no entry n');
  });
});

describe('the order of entries', () => {
  const entry = (name: string, foreign?: string) => ({
    name,
    foreign,
    fetch: () => Promise.reject(new Error('unused')),
    remove: () => Promise.reject(new Error('unused')),
  });
  const at = (generation: number, runId: string): string => nameFor(run.domain, generation, { runId, runAttempt: '1' });

  it('is by generation, then by run, the latest first', () => {
    const names = [at(7, '100'), at(8, '9'), at(8, '10'), at(10, '1')];
    const { own, foreign } = sorted(
      names.map((name) => entry(name)),
      { domain: run.domain },
    );
    expect(own.map(({ name }) => name)).toEqual([at(10, '1'), at(8, '10'), at(8, '9'), at(7, '100')]);
    expect(foreign).toEqual([]);
  });

  it('has those apart that cannot be ours, each with why', () => {
    const entries = [entry('x'), entry(at(9, '1'), 'a pull request'), entry(at(8, '1'))];
    const { own, foreign } = sorted(entries, { domain: run.domain });
    expect(own.map(({ name }) => name)).toEqual([at(8, '1')]);
    expect(foreign).toEqual([
      { name: at(9, '1'), why: 'a pull request' },
      { name: 'x', why: 'its name is not one that mcprt gives' },
    ]);
  });

  it('has those of a named generation, ours first', () => {
    const entries = [entry(at(8, '2'), 'a pull request'), entry(at(8, '1')), entry(at(7, '1'))];
    const { own, foreign } = sorted(entries, { domain: run.domain, named: { generation: 8 } });
    expect(own.map(({ name }) => name)).toEqual([at(8, '1'), at(8, '2')]);
    expect(foreign).toEqual([]);
  });

  it('passes over what cannot be ours with a way to use it all the same', async () => {
    const found = await walk([
      memoryStore('cache', [
        { ...junk(9), foreign: 'a pull request' },
        { ...junk(8), name: `${nameOf(8)}-x` },
      ]),
    ]);
    expect(found.map(({ standing, error }) => [standing, error?.code, error?.why])).toEqual([
      ['foreign', 'backup-foreign-run', 'a pull request'],
      ['foreign', 'backup-foreign-run', 'its name is not one that mcprt gives'],
      ['absent', 'store-miss', 'looked everywhere'],
    ]);
    expect(found[0]?.error?.next).toContain(`set \`name: ${nameOf(9)}\``);
    expect(found[1]?.error?.next).toContain('give it back the name');
  });
});

it('any failure of a store is an error of ours', () => {
  const ours = failing('store-token');
  const other = new Error('reset');
  expect(asMcprtError(ours)).toBe(ours);
  expect(asMcprtError(other)).toMatchObject({ code: 'store-read', why: 'reset', cause: other });
});
