import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { McprtError } from '../../errors.js';
import { packArchive } from '../archive.js';
import { nameFor, prefixOf, type Store } from '../stores/store.js';

/** A place as its contract is tried on it. */
export interface Place {
  /** Opens it, as each run does anew. */
  open(signal?: AbortSignal): Store;
  /** Where the names of one run are unlike those of any other. */
  domain: string;
  /** Whether a second backup of a name takes the place of the first, as where a person keeps one folder. */
  overwrites?: boolean;
}

/** A promise that every store keeps. */
export interface Clause {
  promise: string;
  /** @throws AssertionError when it is broken */
  holds(place: Place): Promise<void>;
}

const long = 5 * 1024 * 1024;

/** Bytes as a store gets them: an archive with two members, whatever is in them. */
export function archiveOf(size = 100): Promise<Buffer> {
  return packArchive({
    statement: Buffer.from(`{"x":"${randomBytes(8).toString('hex')}"}`),
    payload: randomBytes(size),
  });
}

/** A name of a generation. Each clause has generations of its own, so that one place will do for all. */
function name({ domain }: Place, generation: number): string {
  return nameFor(domain, generation, { runId: String(generation), runAttempt: '1' });
}

async function rejected(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => assert.fail('it must fail'),
    (error: unknown) => error,
  );
}

/** Compares as text: what Node made in another realm, as under a test runner, is no worse. */
function assertSame(found: unknown, expected: unknown): void {
  assert.equal(JSON.stringify(found), JSON.stringify(expected));
}

/** What an error of a store must be: ours, of a store, with evidence and a way on. */
function assertTold(error: unknown, ...codes: string[]): void {
  assert.ok(error instanceof McprtError, `an error of ours: ${String(error)}`);
  assert.ok(codes.includes(error.code), `${error.code}: ${error.message}: ${error.why}`);
  assert.ok(error.why !== '' && error.next !== '', 'it has evidence and a way on');
}

/**
 * The contract of a store: what backup, restore and pruning stand on, whatever the place. A store is done when its stand-in and a real
 * server pass all of it.
 */
export const contract: readonly Clause[] = [
  {
    promise: 'an empty place is no error, and says where was looked',
    async holds(place) {
      const { entries, cut, where } = await place.open().list({ prefix: `${prefixOf(`none.${place.domain}`)}` });
      assertSame([entries.length, cut === undefined], [0, true]);
      assert.notEqual(where, '');
    },
  },
  {
    promise: 'what is stored is given back, byte by byte, to this run and to a later one',
    async holds(place) {
      const bytes = await archiveOf();
      const store = place.open();
      const kept = await store.save(name(place, 1), bytes);
      assert.notEqual(kept.where, '');
      assert.ok((await store.read(name(place, 1))).equals(bytes), 'the same run');
      const { entries } = await place.open().list({ name: name(place, 1) });
      assertSame(
        entries.map((one) => [one.name, one.foreign]),
        [[name(place, 1), undefined]],
      );
      assert.ok((await entries[0]?.fetch())?.equals(bytes), 'a later run');
    },
  },
  {
    promise: 'a large backup comes back whole',
    async holds(place) {
      const bytes = await archiveOf(long);
      const store = place.open();
      await store.save(name(place, 2), bytes);
      assert.ok((await store.read(name(place, 2))).equals(bytes));
    },
  },
  {
    promise: 'several at once do not meet, and each entry gives its own',
    async holds(place) {
      const store = place.open();
      const all = await Promise.all([10, 11, 12, 13].map(async (at) => [name(place, at), await archiveOf()] as const));
      await Promise.all(all.map(([own, bytes]) => store.save(own, bytes)));
      const { entries } = await place.open().list({ prefix: prefixOf(place.domain) });
      for (const [own, bytes] of all) {
        const found = entries.filter((one) => one.name === own);
        assert.equal(found.length, 1, own);
        assert.ok((await found[0]?.fetch())?.equals(bytes), own);
      }
    },
  },
  {
    promise: 'only what begins as asked is listed, and by its name exactly one',
    async holds(place) {
      const store = place.open();
      const other = { ...place, domain: `another-${place.domain}` };
      await store.save(name(place, 20), await archiveOf());
      await store.save(name(other, 20), await archiveOf());
      const { entries } = await place.open().list({ prefix: prefixOf(place.domain) });
      assert.ok(entries.some((one) => one.name === name(place, 20)));
      assert.ok(entries.every((one) => one.name.startsWith(prefixOf(place.domain))));
      const named = await place.open().list({ name: name(other, 20) });
      assertSame(
        named.entries.map((one) => one.name),
        [name(other, 20)],
      );
      assertSame((await place.open().list({ name: name(place, 21) })).entries, []);
    },
  },
  {
    promise: 'a name has one content: a second backup under it is refused, or is what is given back from then on',
    async holds(place) {
      const [first, second] = [await archiveOf(), await archiveOf()];
      await place.open().save(name(place, 30), first);
      const saved = await place
        .open()
        .save(name(place, 30), second)
        .then(
          () => undefined,
          (error: unknown) => error,
        );
      if (place.overwrites) assert.equal(saved, undefined);
      else assertTold(saved, 'store-duplicate');
      const { entries } = await place.open().list({ name: name(place, 30) });
      assert.equal(entries.length, 1);
      assert.ok((await entries[0]?.fetch())?.equals(place.overwrites ? second : first));
    },
  },
  {
    promise: 'what is not there is told with a way on',
    async holds(place) {
      assertTold(await rejected(place.open().read(name(place, 40))), 'store-miss');
    },
  },
  {
    promise: 'one is deleted, the others stay, and to delete it again is no error',
    async holds(place) {
      const store = place.open();
      const bytes = await archiveOf();
      await store.save(name(place, 50), await archiveOf());
      await store.save(name(place, 51), bytes);
      const { entries } = await place.open().list({ prefix: prefixOf(place.domain) });
      const gone = entries.find((one) => one.name === name(place, 50));
      await gone?.remove();
      await gone?.remove();
      assertSame((await place.open().list({ name: name(place, 50) })).entries, []);
      assertTold(await rejected(gone?.fetch() ?? Promise.resolve()), 'store-miss');
      const { entries: left } = await place.open().list({ name: name(place, 51) });
      assert.ok((await left[0]?.fetch())?.equals(bytes));
    },
  },
  {
    promise: 'what was deleted before it was fetched is told as such',
    async holds(place) {
      await place.open().save(name(place, 60), await archiveOf());
      const [first] = (await place.open().list({ name: name(place, 60) })).entries;
      const [second] = (await place.open().list({ name: name(place, 60) })).entries;
      await first?.fetch();
      await second?.remove();
      assertSame((await place.open().list({ name: name(place, 60) })).entries, []);
    },
  },
  {
    promise: 'it says how long it keeps a backup, and what takes all of them',
    async holds(place) {
      const store = place.open();
      await store.save(name(place, 70), await archiveOf());
      const { until, words } = await store.holds(name(place, 70));
      assert.ok(until === undefined || until.getTime() > Date.now(), 'it is safe for some time');
      assert.notEqual(words, '');
      assert.notEqual(store.fate, '');
    },
  },
];
