import { afterEach, describe, expect, it } from '@jest/globals';
import { ApiError } from './api-error.js';
import type { Cluster, WatchEvent } from './cluster.js';
import { type Followed, type Mirror, openMirror } from './informer.js';
import { type Kind, type KubeObject, kinds } from './objects.js';

const pod = (name: string, phase = ''): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'a' },
  status: { phase },
});
const forbidden = (): ApiError => new ApiError(403, 'Forbidden', '', 'list');

/** A cluster whose lists are given in order (the last one again and again), and whose watches are fed by hand. */
function server(lists: Partial<Record<string, (KubeObject[] | Error)[]>>) {
  const watches: { plural: string; resourceVersion: string; feed: (event: WatchEvent | Error | 'end') => void }[] = [];
  const openWatches = new Set<string>();
  const asked: Record<string, number> = {};
  const cluster = {
    list: async ({ plural }: Kind) => {
      const answers = lists[plural] ?? [[]];
      const nth = asked[plural] ?? 0;
      asked[plural] = nth + 1;
      const answer = answers[Math.min(nth, answers.length - 1)] ?? [];
      if (answer instanceof Error) throw answer;
      return { items: answer, resourceVersion: String(nth + 1) };
    },
    async *watch({ plural }: Kind, { resourceVersion, signal }: { resourceVersion: string; signal: AbortSignal }) {
      const events: (WatchEvent | Error | 'end')[] = [];
      let wake = (): void => undefined;
      signal.addEventListener('abort', () => wake());
      openWatches.add(plural);
      watches.push({
        plural,
        resourceVersion,
        feed: (event) => {
          events.push(event);
          wake();
        },
      });
      try {
        for (;;) {
          signal.throwIfAborted();
          const event = events.shift();
          if (event === 'end') return;
          if (event instanceof Error) throw event;
          if (event !== undefined) yield event;
          else
            await new Promise<void>((resolve) => {
              wake = resolve;
            });
        }
      } finally {
        openWatches.delete(plural);
      }
    },
  } as unknown as Cluster;
  return { cluster, watches, openWatches, asked };
}

/** Longer than any of these tests: what waits for it has failed. */
const long = 4_000;
const pods: Followed = { kind: kinds.pod };
const namesOf = (objects: readonly KubeObject[]): string[] => objects.map(({ metadata }) => metadata.name).sort();

const opened: Mirror<string>[] = [];
async function open<K extends string>(
  cluster: Cluster,
  followed: Record<K, Followed>,
  signal = new AbortController().signal,
): Promise<Mirror<K>> {
  const mirror = await openMirror(cluster, followed, signal);
  opened.push(mirror as unknown as Mirror<string>);
  return mirror;
}
afterEach(() => Promise.all(opened.splice(0).map((mirror) => mirror.close())));

/** The watch of some number, from 0, once it has been begun. */
async function watchOf(watches: ReturnType<typeof server>['watches'], nth: number) {
  for (let left = 200; left > 0 && watches[nth] === undefined; left--) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const found = watches[nth];
  if (found === undefined) throw new Error(`watch ${nth} was never begun`);
  return found;
}

describe('openMirror', () => {
  it('has everything listed when it is there', async () => {
    const { cluster } = server({ pods: [[pod('p')]], nodes: [[pod('n'), pod('m')]] });
    const mirror = await open(cluster, { pods, nodes: { kind: kinds.node } });
    expect([namesOf(mirror.objects().pods), namesOf(mirror.objects().nodes)]).toEqual([['p'], ['m', 'n']]);
  });

  it('goes without a kind that may be left out and must not be read', async () => {
    const { cluster } = server({ pods: [[pod('p')]], nodes: [forbidden()] });
    const mirror = await open(cluster, { pods, nodes: { kind: kinds.node, optional: true } });
    expect([namesOf(mirror.objects().pods), mirror.objects().nodes]).toEqual([['p'], []]);
  });

  it.each<[string, Error, boolean]>([
    ['must not be read', forbidden(), false],
    ['cannot be read', new ApiError(503, 'ServiceUnavailable', '', 'list'), false],
    ['may be left out, and fails for another reason', new ApiError(503, 'ServiceUnavailable', '', 'list'), true],
  ])('fails for a kind that %s, and leaves no watch behind', async (_, error, optional) => {
    const { cluster, openWatches, watches } = server({ nodes: [error] });
    await expect(
      openMirror(cluster, { pods, nodes: { kind: kinds.node, optional } }, new AbortController().signal),
    ).rejects.toBe(error);
    await watchOf(watches, 0);
    await new Promise(setImmediate);
    expect([...openWatches]).toEqual([]);
  });

  it('gives the signal’s reason when that has come first', async () => {
    const signal = AbortSignal.abort(new Error('cancelled'));
    await expect(openMirror(server({}).cluster, { pods }, signal)).rejects.toThrow('cancelled');
  });
});

describe('a mirror', () => {
  it('keeps up with what is added, changed and deleted, from the version of its list on', async () => {
    const { cluster, watches } = server({ pods: [[pod('p'), pod('q')]] });
    const mirror = await open(cluster, { pods });
    const watch = await watchOf(watches, 0);
    expect(watch.resourceVersion).toBe('1');
    watch.feed({ type: 'ADDED', object: pod('r') });
    watch.feed({ type: 'MODIFIED', object: pod('p', 'Running') });
    watch.feed({ type: 'DELETED', object: pod('q') });
    const found = await mirror.until(({ pods: all }) => (namesOf(all).join() === 'p,r' ? all : undefined), long);
    expect(found?.find(({ metadata }) => metadata.name === 'p')?.status).toEqual({ phase: 'Running' });
  });

  it.each<[string, Error | 'end']>([
    ['has ended', 'end'],
    ['has failed', new ApiError(410, 'Expired', '', 'watch')],
  ])('lists anew when a watch %s, and forgets what is gone meanwhile', async (_, how) => {
    const { cluster, watches } = server({ pods: [[pod('p'), pod('q')], [pod('q')]] });
    const mirror = await open(cluster, { pods });
    (await watchOf(watches, 0)).feed(how);
    // Before the second after which it is asked again anyway.
    expect(await mirror.until(({ pods: all }) => (namesOf(all).join() === 'q' ? true : undefined), 900)).toBe(true);
    expect((await watchOf(watches, 1)).resourceVersion).toBe('2');
  });

  it('goes on through a list that fails later: an API server may restart', async () => {
    const down = new ApiError(503, 'ServiceUnavailable', '', 'list');
    const { cluster, watches, asked } = server({ pods: [[pod('p')], down, [pod('q')]] });
    const mirror = await open(cluster, { pods });
    (await watchOf(watches, 0)).feed('end');
    expect(await mirror.until(({ pods: all }) => (namesOf(all).join() === 'q' ? true : undefined), long)).toBe(true);
    expect(asked.pods).toBe(3);
  });

  it('keeps two objects of one name in two namespaces apart', async () => {
    const other = { ...pod('p'), metadata: { name: 'p', namespace: 'b' } };
    const { cluster } = server({ pods: [[pod('p'), other]] });
    expect((await open(cluster, { pods })).objects().pods).toHaveLength(2);
  });

  it('ends its watches when it is closed, and begins none after', async () => {
    const { cluster, watches, openWatches } = server({});
    const mirror = await open(cluster, { pods, nodes: { kind: kinds.node } });
    await watchOf(watches, 1);
    expect(openWatches.size).toBe(2);
    await mirror.close();
    expect([openWatches.size, watches.length]).toEqual([0, 2]);
  });
});

describe('close', () => {
  const timers = (): number => process.getActiveResourcesInfo().filter((one) => one === 'Timeout').length;

  it('leaves no timer behind: the process could not end', async () => {
    const before = timers();
    const mirror = await openMirror(server({}).cluster, { pods }, new AbortController().signal);
    await mirror.close();
    expect(timers()).toBe(before);
  });

  it('has no timer of a wait that is over either', async () => {
    const before = timers();
    const mirror = await openMirror(server({}).cluster, { pods }, new AbortController().signal);
    await mirror.until(() => true, long);
    await mirror.close();
    expect(timers()).toBe(before);
  });

  it('does not wait for a list that never answers', async () => {
    const { cluster, watches, asked } = server({});
    const list = cluster.list;
    const mirror = await open(
      { ...cluster, list: (...all) => (asked.pods === undefined ? list(...all) : new Promise(() => undefined)) },
      { pods },
    );
    (await watchOf(watches, 0)).feed('end');
    await new Promise((resolve) => setTimeout(resolve, 300));
    await mirror.close();
    expect(watches).toHaveLength(1);
  });
});

describe('until', () => {
  it('gives a judgement that can be made at once, also when no time is left', async () => {
    const { cluster } = server({ pods: [[pod('p')]] });
    expect(await (await open(cluster, { pods })).until(({ pods: all }) => namesOf(all), 0)).toEqual(['p']);
  });

  it('gives undefined when the time is up', async () => {
    const mirror = await open(server({}).cluster, { pods });
    expect(await mirror.until(() => undefined, 1)).toBeUndefined();
  });

  it('asks again without any change: some things are told by the time that passes', async () => {
    const mirror = await open(server({}).cluster, { pods });
    await new Promise(setImmediate);
    let asked = 0;
    expect(
      await mirror.until(() => {
        asked += 1;
        return asked > 1 ? true : undefined;
      }, long),
    ).toBe(true);
  });

  it('asks once for a bunch of changes', async () => {
    const { cluster, watches } = server({});
    const mirror = await open(cluster, { pods });
    const watch = await watchOf(watches, 0);
    await new Promise(setImmediate);
    const seen: number[] = [];
    const waiting = mirror.until(({ pods: all }) => {
      seen.push(all.length);
      return all.length === 6 ? true : undefined;
    }, long);
    for (const name of ['p', 'q', 'r', 's', 't']) watch.feed({ type: 'ADDED', object: pod(name) });
    await new Promise((resolve) => setTimeout(resolve, 20));
    watch.feed({ type: 'ADDED', object: pod('u') });
    await waiting;
    expect(seen).toEqual([0, 5, 6]);
  });

  it('fails with what the judgement throws', async () => {
    const mirror = await open(server({}).cluster, { pods });
    const judge = (): undefined => {
      throw new Error('no judgement');
    };
    await expect(mirror.until(judge, long)).rejects.toThrow('no judgement');
  });

  it('fails with the signal’s reason', async () => {
    const controller = new AbortController();
    const mirror = await open(server({}).cluster, { pods }, controller.signal);
    // The list before has been told of, and the deadline is before the second after which it is asked again anyway.
    await new Promise((resolve) => setTimeout(resolve, 20));
    const waiting = mirror.until(() => undefined, 500);
    controller.abort(new Error('cancelled'));
    await expect(waiting).rejects.toThrow('cancelled');
    await expect(mirror.until(() => true, long)).rejects.toThrow('cancelled');
  });

  it('fails when a kind may not be read any more', async () => {
    const { cluster, watches } = server({ pods: [[pod('p')], forbidden()] });
    const mirror = await open(cluster, { pods });
    const waiting = mirror.until(() => undefined, long);
    (await watchOf(watches, 0)).feed('end');
    await expect(waiting).rejects.toMatchObject({ status: 403 });
    await expect(mirror.until(() => true, long)).rejects.toMatchObject({ status: 403 });
  });

  it('serves several at once, and asks none that has its judgement', async () => {
    const { cluster, watches } = server({ pods: [[pod('p')]] });
    const mirror = await open(cluster, { pods });
    let first = 0;
    await mirror.until(() => {
      first += 1;
      return true;
    }, long);
    const second = mirror.until(({ pods: all }) => (all.length === 2 ? true : undefined), long);
    (await watchOf(watches, 0)).feed({ type: 'ADDED', object: pod('q') });
    expect([await second, first]).toEqual([true, 1]);
  });
});
