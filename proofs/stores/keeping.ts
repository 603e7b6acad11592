import { setTimeout as sleep } from 'node:timers/promises';
import { type Github, startGithub } from '../../lab/github/github.js';
import { generationOf } from '../../shared/backup/stores/store.js';
import { kinds } from '../../shared/cluster/objects.js';
import { renewInternal } from '../world/installation.js';
import type { World } from '../world/world.js';
import { plantEntry } from './poison.js';
import { makeSteps, type Steps } from './steps.js';

export interface Kept {
  runs: number;
  figures: { backups: number; unchanged: number; deleteCalls: number; issues: number };
}

const permissions = { actions: 'write', issues: 'write' } as const;
/** The API server's clock tells whole seconds: after this, everything before is at least one old (in ms). */
const aSecondLater = 1100;
const hourly = { 'refresh-after': '20h', keep: '2' };

/** Hours of a schedule: some in which nothing happens, and each thing that asks for a new backup; then the watch. */
export async function keeping(world: World): Promise<Kept> {
  const github = await startGithub({ repository: { name: 'acme/platform', id: 43 }, run: { permissions } });
  const steps = makeSteps(world);
  let hour = 0;
  // Another repository's proof has made backups of this cluster: here the first one is generation 1.
  await world.cluster.delete(kinds.configMap, { namespace: 'kube-system', name: 'mcprt-anchor' });
  const next = (): Github => github.as({ id: github.run.id + ++hour });
  try {
    await backups(world, github, steps, next);
    await watch(world, github, steps, next);
    const issues = github.issues();
    const [held] = issues;
    const isAsDue = issues.length === 1 && held?.state === 'closed' && held.comments.length === 2;
    world.context.expect(isAsDue, `the issues in the end: ${JSON.stringify(issues).slice(0, 600)}`);
    const figures = { backups: 5, unchanged: 3, deleteCalls: deletions(github), issues: issues.length };
    return { runs: steps.runs(), figures };
  } finally {
    await github.close();
  }
}

async function backups(world: World, github: Github, { step }: Steps, next: () => Github): Promise<void> {
  const { domain, cluster } = world;
  const { expect, expectSame } = world.context;
  const both = 'cache,artifact';
  const made = (generation: string) => ({ generation, unchanged: 'false', stores: both });
  const holds = (scene: string, cache: number[], artifact: number[]): void => {
    const isOwn = (name: string): boolean => !planted.includes(name);
    const generations = (names: string[]): string => names.filter(isOwn).map(generationOf).sort().join();
    const seen = [
      generations(github.cacheEntries().map(({ key }) => key)),
      generations(github.artifacts().map(({ name }) => name)),
    ];
    expectSame(`${scene}: what cache and artifact hold`, seen, [cache.join(), artifact.join()]);
  };
  const planted: string[] = [];

  await step(next(), 'backup', hourly, { outputs: made('1') });
  const accessed = (): number => github.cacheEntries()[0]?.lastAccessedAt.getTime() ?? 0;
  const before = accessed();
  const stands = {
    outputs: { ...made('1'), unchanged: 'true' },
    says: ['generation 1 stands', 'gave it back just now'],
  };
  await step(next(), 'backup', hourly, stands);
  holds('an unchanged hour', [1], [1]);
  expect(accessed() > before, 'an unchanged hour: the cache entry was not read');

  // Older than the newest, in the very form of our names, and signed by nobody: the newest of the cache by its age.
  planted.push(`mcprt-backup-${domain}-g00000000-r9.1`);
  for (const name of planted) await plantEntry(github, name, Buffer.from('planted'));
  await step(next(), 'backup', hourly, stands);
  await renewInternal(cluster);
  const second = await step(next(), 'backup', hourly, {
    outputs: made('2'),
    says: ['what belongs into a backup has changed', 'not certainly a backup of this key'],
  });
  holds('a certificate changed', [1, 2], [1, 2]);
  expect(
    github.cacheEntries().some(({ key }) => planted.includes(key)),
    'the planted entry was deleted',
  );

  expect(github.evict(second.outputs.name ?? '') === 1, 'generation 2 was not in the cache');
  await step(next(), 'backup', hourly, { outputs: made('3'), says: ['a new backup is due: cache'] });
  holds('an evicted cache entry', [1, 3], [2, 3]);

  const blind = next().as({ permissions: { actions: 'read' } });
  const old = { ...hourly, 'refresh-after': '1s' };
  await sleep(aSecondLater);
  await step(blind, 'backup', old, {
    outputs: made('4'),
    says: ['was made on', 'cannot be deleted', 'permissions: actions: write'],
  });
  holds('without the permission to delete', [1, 3, 4], [2, 3, 4]);
  await sleep(aSecondLater);
  await step(next(), 'backup', old, { outputs: made('5') });
  holds('with it again', [4, 5], [4, 5]);
  await step(next(), 'backup', hourly, { outputs: { ...made('5'), unchanged: 'true' } });
  await step(next(), 'backup', { keep: '1' }, { error: 'input-invalid', says: ['2 or more'] });
}

/** Objective missed, missed again, missed for another reason, met; and the same by a job that may not write issues. */
async function watch({ context }: World, github: Github, { step }: Steps, next: () => Github): Promise<void> {
  const missed = { issue: 'true', 'max-age': '0s' };
  const issues = (scene: string, comments: number, state: string): void => {
    const found = github.issues().map((one) => `${one.state} with ${one.comments.length}`);
    context.expectSame(`${scene}: the issues`, found, [`${state} with ${comments}`]);
  };
  await sleep(aSecondLater);
  const blind = next().as({ permissions: { actions: 'read' } });
  await step(blind, 'verify', missed, { error: 'backup-too-old', says: ['permissions: issues: write'] });
  await step(blind, 'verify', { issue: 'true' }, { outputs: { generation: '5' }, says: ['issues: write'] });
  await step(next(), 'verify', { 'max-age': '0s' }, { error: 'backup-too-old' });
  context.expect(github.issues().length === 0, 'an issue was opened that nobody asked for');

  await step(next(), 'verify', missed, { error: 'backup-too-old', says: ['issue 1 tells of it: opened'] });
  issues('objective missed', 0, 'open');
  await step(next(), 'verify', missed, { error: 'backup-too-old' });
  issues('objective missed again', 0, 'open');
  const noCache = next().as({ cacheMode: 'none' });
  await step(noCache, 'verify', { ...missed, stores: 'cache' }, { error: 'store-denied' });
  issues('another reason', 1, 'open');
  await step(next(), 'verify', { issue: 'true' }, { outputs: { generation: '5' } });
  issues('objective met', 2, 'closed');
}

function deletions(github: Github): number {
  return github.restCalls().filter((call) => call.startsWith('DELETE ')).length;
}
