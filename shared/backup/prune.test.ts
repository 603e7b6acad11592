import { describe, expect, it } from '@jest/globals';
import { McprtError } from '../errors.js';
import type { Ports } from './ports.js';
import { type Listed, prune, sortListed } from './prune.js';
import type { BackupContext } from './statement.js';
import { nameFor, type Store } from './stores/store.js';
import { keysOf, memoryStore, sealedBackup } from './testing/memory.js';

function context(generation: number, change: Partial<BackupContext> = {}): BackupContext {
  return {
    schema: 'mcprt.backup/1',
    repository: 'acme/platform',
    repositoryId: '42',
    workflow: 'w',
    runId: String(100 + generation),
    runAttempt: '1',
    fingerprint: 'a-cluster',
    domain: 'example.com',
    layout: 'split',
    generation,
    createdAt: '2026-11-26T12:00:00Z',
    expiresAt: '2026-12-26T12:00:00Z',
    previous: '',
    recipients: ['r'],
    inventory: { certificates: 0, secrets: 0, configMaps: 0, namespaces: 0 },
    certManager: '',
    tool: '',
    ...change,
  };
}

function own(generation: number, change: Partial<BackupContext> = {}): Listed {
  const made = context(generation, change);
  return { name: nameFor(made.domain, generation, made), context: made };
}

const removed = (listed: Listed[], keep: number): number[] =>
  sortListed(listed, context(9), keep)
    .remove.map(({ context: of }) => of?.generation ?? 0)
    .sort((a, b) => a - b);

describe('what is deleted of old backups', () => {
  const listed = [3, 9, 5, 7, 8].map((generation) => own(generation));

  it('is what is older than the newest ones that stay, gaps or not', () => {
    expect(removed(listed, 3)).toEqual([3, 5]);
    expect(removed(listed, 14)).toEqual([]);
  });

  it('is never one of the newest two, whatever is asked for', () => {
    expect(removed(listed, 0)).toEqual([3, 5, 7]);
  });

  it('is every copy of a generation, and a copy counts once', () => {
    expect(removed([...listed, own(9), own(8), own(3)], 3)).toEqual([3, 3, 5]);
  });

  it.each<[string, Listed]>([
    ['no authentic one', { name: 'mcprt-backup-example.com-g00000001-r1.1' }],
    ['a replay under a newer name', { name: 'mcprt-backup-example.com-g00000099-r1.1', context: context(1) }],
    ['a name that only begins as ours', { name: `${own(1).name}-x`, context: context(1) }],
    ['one that claims to be newer than the newest', own(10)],
  ])('is not what is planted: %s; it is told, and pushes nothing out', (_, planted) => {
    const sorted = sortListed([...listed, planted], context(9), 3);
    expect(sorted.remove.map(({ name }) => name)).not.toContain(planted.name);
    expect(sorted.odd).toEqual([planted]);
    expect(removed([...listed, planted], 5)).toEqual([]);
  });

  it.each<[string, Partial<BackupContext>]>([
    ['cluster', { fingerprint: 'another' }],
    ['repository', { repositoryId: '43' }],
  ])('is not that of another %s, which is left without a word', (_, change) => {
    const foreign = [own(1, change), own(2, change), own(4, change)];
    const sorted = sortListed([...listed, ...foreign], context(9), 2);
    expect(sorted.remove.map(({ context: of }) => of?.generation)).toEqual([3, 5, 7]);
    expect(sorted.odd).toEqual([]);
  });
});

describe('deleting', () => {
  const ports = (warn: (line: string) => void = () => undefined): Ports => ({
    stores: [],
    progress: () => undefined,
    warn,
    mask: () => undefined,
    signal: new AbortController().signal,
  });

  it('looks at nothing that another run has uploaded, and at no more than a number of the oldest', async () => {
    const keys = await keysOf();
    const options = { keep: 2, signers: keys.restore.signers, ports: ports() };
    const junk = (generation: number, foreign?: string) => ({
      name: own(generation).name,
      bytes: Buffer.from('x'),
      ...(foreign === undefined ? {} : { foreign }),
    });
    const foreign = memoryStore('artifact', [junk(7, 'a pull request'), await sealedBackup(keys, 9)]);
    expect(await prune(foreign, context(9), options)).toMatchObject({ removed: [], odd: [] });
    expect(foreign.fetched).toHaveLength(1);

    const full = memoryStore(
      'cache',
      Array.from({ length: 230 }, (_, at) => junk(230 - at)),
    );
    await prune(full, context(9), options);
    expect(full.fetched.sort()).toEqual(Array.from({ length: 200 }, (_, at) => own(at + 1).name).sort());
  });

  it('tells that not all was seen', async () => {
    const cut = new McprtError('store-cut', { what: 'cut', why: 'w', next: 'n' });
    const said: string[] = [];
    const options = { keep: 2, signers: [], ports: ports((line) => said.push(line)) };
    expect(await prune(memoryStore('artifact', [], cut), context(9), options)).toMatchObject({ error: cut });
    expect(said.join()).toContain('cut');
  });

  it('takes the oldest first, and tells what it could not take', async () => {
    const keys = await keysOf();
    const things = await Promise.all([9, 8, 3, 5].map((generation) => sealedBackup(keys, generation)));
    const listing = await memoryStore('cache', things).list({ prefix: 'mcprt' });
    const gone: string[] = [];
    const failure = new Error('read-only');
    const store = (fails: (name: string) => boolean): Store => ({
      ...memoryStore('cache', []),
      list: async () => ({
        ...listing,
        entries: listing.entries.map((entry) => ({
          ...entry,
          remove: async () => {
            if (fails(entry.name)) throw failure;
            gone.push(entry.name);
          },
        })),
      }),
    });
    const told: string[] = [];
    const said: Ports = { ...ports((line) => told.push(line)), progress: (line) => told.push(line) };
    const options = { keep: 2, signers: keys.restore.signers, ports: said };
    const [three, five] = [things[2]?.name ?? '', things[3]?.name ?? ''];
    expect(
      await prune(
        store(() => false),
        context(9),
        options,
      ),
    ).toEqual({ store: 'cache', removed: [three, five], odd: [] });
    expect([gone, told]).toEqual([
      [three, five],
      [`deleted from cache: ${three}`, `deleted from cache: ${five}`],
    ]);

    const partly = await prune(
      store((name) => name === five),
      context(9),
      options,
    );
    expect(partly).toMatchObject({
      removed: [three],
      error: { code: 'store-prune', why: 'read-only', cause: failure },
    });
    expect(told.at(-1)).toMatch(/^cache: .*read-only\nnext: /);
  });

  it('passes over what is locked, with a word and no warning', async () => {
    const keys = await keysOf();
    const things = await Promise.all([9, 8, 3, 5].map((generation) => sealedBackup(keys, generation)));
    const listing = await memoryStore('s3', things).list({ prefix: 'mcprt' });
    const [three, five] = [things[2]?.name ?? '', things[3]?.name ?? ''];
    const locked = new McprtError('store-locked', { what: 'w', why: 'until then', next: 'n' });
    const remove = (name: string) => async () => {
      if (name === three) throw locked;
    };
    const entries = listing.entries.map((entry) => ({ ...entry, remove: remove(entry.name) }));
    const store: Store = { ...memoryStore('s3', []), list: async () => ({ ...listing, entries }) };
    const [warned, told]: [string[], string[]] = [[], []];
    const said: Ports = { ...ports((line) => warned.push(line)), progress: (line) => told.push(line) };
    const options = { keep: 2, signers: keys.restore.signers, ports: said };
    expect(await prune(store, context(9), options)).toEqual({ store: 's3', removed: [five], odd: [] });
    expect([warned, told]).toEqual([
      [],
      [`left in s3, as it is locked: until then: ${three}`, `deleted from s3: ${five}`],
    ]);
  });

  it('ends with a cancel, and not with a warning', async () => {
    const keys = await keysOf();
    const things = await Promise.all([9, 8, 3].map((generation) => sealedBackup(keys, generation)));
    const reason = new McprtError('job-cancelled', { what: 'w', why: 'y', next: 'n' });
    const told: string[] = [];
    const cancelled = { ...ports((line) => told.push(line)), signal: AbortSignal.abort(reason) };
    const pruning = prune(memoryStore('cache', things), context(9), {
      keep: 2,
      signers: keys.restore.signers,
      ports: cancelled,
    });
    await expect(pruning).rejects.toBe(reason);
    expect(told).toEqual([]);
  });
});
