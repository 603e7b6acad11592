import { renewInternal } from '../world/installation.js';
import type { World } from '../world/world.js';
import { play, type Story } from './play.js';
import type { PlayedWorkflow, Repository } from './repository.js';

const jobs = ['backup@mcprt-backup'];

/** Hours of the scheduled backup: one in which nothing changed, one in which something did, and two that find nothing to trust. */
export async function hours(story: Story, { cluster }: World, repository: Repository): Promise<void> {
  const { expectSame } = story.context;
  const { github } = repository;
  const hour = (scene: string, fails?: RegExp): Promise<PlayedWorkflow> =>
    play(story, repository, scene, 'backup.yml', { event: 'schedule', jobs, ...(fails ? { fails } : {}) });
  const made = async (scene: string, generation: string, unchanged: string, stored: number): Promise<void> => {
    const { outputs } = await hour(scene);
    const seen = [outputs.generation, outputs.unchanged, github.cacheEntries().length, github.artifacts().length];
    const due = [generation, unchanged, stored, stored];
    expectSame(`${scene}: generation, unchanged, entries of cache and artifact`, seen, due);
  };
  const issues = (scene: string, expected: string): void => {
    const seen = github.issues().map(({ state, comments }) => `${state} with ${comments.length}`);
    expectSame(`${scene}: the issues`, seen.join(), expected);
  };

  await made('the first hour', '1', 'false', 1);
  await made('an hour in which nothing changed', '1', 'true', 1);
  await renewInternal(cluster);
  await made('an hour in which a certificate changed', '2', 'false', 2);

  for (const { key } of github.cacheEntries()) github.evict(key);
  for (const { name } of github.artifacts()) github.tamper('artifacts', name);
  github.inject({ kind: 'full', on: 'cache' });
  github.inject({ kind: 'full', on: 'artifacts' });
  issues('before anything was lost', '');
  for (const scene of ['an hour in which nothing can be stored or trusted', 'one more such hour']) {
    await hour(scene, /backup-not-stored/);
    issues(scene, 'open with 0');
  }
  github.clearFaults();
  const { outputs } = await hour('an hour in which all is well again');
  expectSame('the generation after all is well again', outputs.generation, '3');
  issues('all is well again', 'closed with 1');
}
