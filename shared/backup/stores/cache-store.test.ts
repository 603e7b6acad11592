import { describe, expect, it } from '@jest/globals';
import { McprtError } from '../../errors.js';
import type { ActionsService } from './actions-service.js';
import { cacheStore } from './cache-store.js';

/** How the version begins under which the official client files what it has compressed with zstd. */
const zstd = '41828873';
const prefix = 'mcprt-backup-example.com-';
const refusal = (code: McprtError['code']): McprtError => new McprtError(code, { what: 'w', why: 'y', next: 'n' });

interface Entry {
  key: string;
  ref: string;
  version?: string;
}

/** GitHub's cache with these entries, the newest last, and a list that lags behind by some. */
function service(entries: readonly Entry[], { lag = 0, error }: { lag?: number; error?: McprtError } = {}) {
  const asked: string[] = [];
  const removed: number[] = [];
  let whole = '';
  const fake: Partial<ActionsService> = {
    defaultBranch: async () => 'main',
    findCache: async (key, version) => {
      if (version.startsWith(zstd)) whole = version;
      const found = entries.findLast((one) => one.key.startsWith(key) && version.startsWith(one.version ?? zstd));
      return found && { key: found.key, url: `url of ${found.key}` };
    },
    listCaches: async (wanted, ref) => {
      asked.push(ref);
      if (error !== undefined) throw error;
      const items = entries
        .slice(0, entries.length - lag)
        .map(({ version = whole, ...one }, id) => ({ ...one, id, version }))
        .filter((one) => one.key.startsWith(wanted) && one.ref === ref);
      return { items, cut: undefined };
    },
    remove: async (_, id) => void removed.push(id),
  };
  return { fake: fake as ActionsService, asked, removed };
}

const open = (made: ReturnType<typeof service>, ref = 'refs/heads/main', mode?: string) =>
  cacheStore({
    service: made.fake,
    upload: async () => 1,
    mode,
    ref,
    repository: 'acme/platform',
    now: () => new Date(),
  });
const entry = (generation: number, ref = 'refs/heads/main'): Entry => ({
  key: `${prefix}g0000000${generation}-r1.1`,
  ref,
});

describe('what the cache lists', () => {
  it('are the entries of its own ref and of the default branch, not only the newest', async () => {
    const made = service([
      entry(1),
      entry(2),
      entry(3, 'refs/heads/feature'),
      { ...entry(4), version: 'of another path' },
    ]);
    const { entries, cut } = await open(made, 'refs/heads/feature').list({ prefix });
    expect([entries.map(({ name }) => name).sort(), cut]).toEqual([
      [entry(1).key, entry(2).key, entry(3).key],
      undefined,
    ]);
    expect(made.asked).toEqual(['refs/heads/feature', 'refs/heads/main']);
    await entries.find(({ name }) => name === entry(1).key)?.remove();
    expect(made.removed).toEqual([0]);
  });

  it('has the newest also where the list lags behind, and cannot delete it yet', async () => {
    const made = service([entry(1), entry(2)], { lag: 1 });
    const { entries } = await open(made).list({ prefix });
    expect(entries.map(({ name }) => name).sort()).toEqual([entry(1).key, entry(2).key]);
    const newest = entries.find(({ name }) => name === entry(2).key);
    await expect(newest?.remove()).rejects.toMatchObject({ code: 'store-prune' });
  });

  it.each(['store-token', 'store-unavailable'] as const)('is the newest alone after %s, and says so', async (code) => {
    const error = refusal(code);
    const { entries, cut } = await open(service([entry(1), entry(2)], { error })).list({ prefix });
    expect([entries.map(({ name }) => name), cut]).toEqual([[entry(2).key], error]);
    await expect(entries[0]?.remove()).rejects.toBe(error);
    // Where there is no newest one there is none.
    expect((await open(service([], { error })).list({ prefix })).cut).toBeUndefined();
  });

  it('is one of a name, and not those that begin with it', async () => {
    const longer = { ...entry(1), key: `${entry(1).key}0` };
    const { entries } = await open(service([entry(1), longer])).list({ name: entry(1).key });
    expect(entries.map(({ name }) => name)).toEqual([entry(1).key]);
  });

  it('is refused where the workflow forbids to read', async () => {
    await expect(open(service([entry(1)]), '', 'none').list({ prefix })).rejects.toMatchObject({
      code: 'store-denied',
    });
  });
});
