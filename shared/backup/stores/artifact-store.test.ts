import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type Github, startGithub } from '../../../lab/github/github.js';
import type { Run } from '../../../lab/github/run.js';
import { restOf } from '../../action/stores.js';
import { actionsService } from './actions-service.js';
import { artifactStore, foreignBecause } from './artifact-store.js';
import type { Store } from './store.js';

const origin = { repositoryId: '42', repository: 'acme/platform', branch: 'main' };

describe('whose artifact it is', () => {
  it.each<[string, { repositoryId?: number; branch?: string } | undefined, string | undefined, boolean]>([
    ['the default branch', { repositoryId: 42, branch: 'main' }, 'main', false],
    ['a fork’s own main', { repositoryId: 43, branch: 'main' }, 'main', true],
    ['another branch', { repositoryId: 42, branch: 'feature' }, 'main', true],
    ['this run’s branch', { repositoryId: 42, branch: 'main' }, 'trunk', false],
    ['a branch while nobody knows the default one', { repositoryId: 42, branch: 'feature' }, undefined, false],
    ['a fork while nobody knows the default branch', { repositoryId: 43, branch: 'main' }, undefined, true],
    ['a run of which GitHub says nothing', undefined, 'main', false],
  ])('%s', (_, from, defaultBranch, isForeign) => {
    const run = from && { repositoryId: from.repositoryId, branch: from.branch };
    expect(foreignBecause({ run }, origin, defaultBranch) !== undefined).toBe(isForeign);
  });
});

describe('the list of artifacts', () => {
  let github: Github;
  beforeEach(async () => {
    github = await startGithub({ repository: { name: 'acme/platform', id: 42 } });
  });
  afterEach(() => github.close());

  function store(view: Github, defaultBranch?: string, signal?: AbortSignal): Store {
    const own = signal ? { signal } : {};
    const service = actionsService({
      resultsUrl: undefined,
      runtimeToken: undefined,
      rest: restOf({ apiUrl: view.env.GITHUB_API_URL ?? '', repository: 'acme/platform', token: view.token, ...own }),
      defaultBranch,
      ...own,
    });
    const unused = { retentionDays: 0, retentionLimit: undefined, now: () => new Date() };
    return artifactStore({ service, upload: () => Promise.reject(new Error('no')), origin, ...unused });
  }
  const pull = (change: Partial<Run> = {}): Github =>
    github.as({
      id: 77,
      event: 'pull_request',
      ref: 'refs/pull/7/merge',
      headBranch: 'main',
      isFromFork: true,
      ...change,
    });

  it('goes through all pages, and tells a fork’s by GitHub’s own record', async () => {
    github.plantArtifact('backup-1', Buffer.from('zip'));
    for (let at = 0; at < 1203; at++) pull().plantArtifact(`backup-x${at}`, Buffer.from('zip'));
    const { entries, cut } = await store(github).list({ prefix: 'backup-' });
    expect([entries.length, cut]).toEqual([1204, undefined]);
    expect(entries.filter(({ foreign }) => foreign === undefined).map(({ name }) => name)).toEqual(['backup-1']);
    expect(github.restCalls().filter((call) => call === 'GET /repos/acme/platform/actions/artifacts')).toHaveLength(13);
  });

  it('asks for one name by itself, and for the default branch only where the event does not tell it', async () => {
    pull({ isFromFork: false, headBranch: 'feature' }).plantArtifact('backup-2', Buffer.from('zip'));
    github.plantArtifact('backup-1', Buffer.from('zip'));
    const { entries } = await store(github).list({ name: 'backup-2' });
    expect(entries).toMatchObject([{ name: 'backup-2', foreign: expect.stringContaining('branch feature') }]);
    expect(github.restCalls()).toHaveLength(2);
    await store(github, 'main').list({ name: 'backup-2' });
    expect(github.restCalls()).toHaveLength(3);
  });

  it('says so when it ends before its end', async () => {
    for (let at = 0; at < 10_001; at++) github.plantArtifact(`x${at}`, Buffer.from('zip'));
    const { cut } = await store(github).list({ prefix: 'backup-' });
    expect(cut).toMatchObject({ code: 'store-cut', why: expect.stringContaining('10000 of 10001') });
  }, 120_000);

  it('says so when it takes too long', async () => {
    for (let at = 0; at < 900; at++) github.plantArtifact(`x${at}`, Buffer.from('zip'));
    let time = Date.now();
    const clock = jest.spyOn(Date, 'now').mockImplementation(() => (time += 40_000));
    try {
      const { cut } = await store(github, 'main').list({ prefix: 'backup-' });
      expect(cut).toMatchObject({ code: 'store-cut', why: expect.stringMatching(/^[1-6]00 of 900/) });
    } finally {
      clock.mockRestore();
    }
  });

  it('hears a cancel, and ends with its reason', async () => {
    const cancel = new AbortController();
    const reason = new Error('cancelled');
    const listing = store(github, 'main', cancel.signal).list({ prefix: 'backup-' });
    cancel.abort(reason);
    await expect(listing).rejects.toBe(reason);
  });

  it('needs a token that may read it', async () => {
    const blind = github.as({ permissions: {} });
    await expect(store(blind).list({ prefix: 'backup-' })).rejects.toMatchObject({ code: 'store-token' });
  });

  it.each([
    [403, { 'x-ratelimit-remaining': '0' }],
    [429, {}],
  ])('tells too many calls, a %d, from a missing permission', async (status, headers) => {
    const asked = jest
      .spyOn(globalThis, 'fetch')
      .mockImplementation(() => Promise.resolve(new Response('', { status, headers: { ...headers } })));
    try {
      const listing = store(github, 'main').list({ prefix: 'backup-' });
      await expect(listing).rejects.toMatchObject({
        code: 'store-unavailable',
        why: expect.stringContaining('too many calls'),
        next: 'run it again in some minutes',
      });
    } finally {
      asked.mockRestore();
    }
  });
});
