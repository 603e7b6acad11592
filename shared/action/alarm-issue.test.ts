import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Github, startGithub } from '../../lab/github/github.js';
import { endAlarm, raiseAlarm } from './alarm-issue.js';
import type { GithubApi } from './github-api.js';

const marker = 'backups of example.com';
const mark = `<!-- mcprt: ${marker} -->`;
let github: Github;
let api: GithubApi;

const apiOf = ({ env, token }: Github): GithubApi => ({
  apiUrl: env.GITHUB_API_URL ?? '',
  token,
  repository: 'mcprt-lab/platform',
});

beforeEach(async () => {
  github = await startGithub({ run: { permissions: { issues: 'write' } } });
  api = apiOf(github);
});

afterEach(() => github.close());

const raise = (state: string) =>
  raiseAlarm(api, { marker, title: 'No fresh backup', state, markdown: `it is ${state}` });
const open = () => github.issues().filter(({ state }) => state === 'open');

describe('the one issue of an alarm', () => {
  it('is opened once, and says nothing more while nothing changes', async () => {
    expect(await raise('old')).toEqual({ number: 1, done: 'opened' });
    expect(await raise('old')).toEqual({ number: 1, done: 'unchanged' });
    expect(github.issues()).toMatchObject([{ title: 'No fresh backup', comments: [], state: 'open' }]);
    expect(github.issues()[0]?.body).toContain('it is old');
  });

  it('is changed and commented on when it is another state, once', async () => {
    await raise('old');
    expect(await raise('lost')).toEqual({ number: 1, done: 'changed' });
    expect(await raise('lost')).toEqual({ number: 1, done: 'unchanged' });
    expect(github.issues()).toMatchObject([{ body: expect.stringContaining('it is lost'), comments: ['it is lost'] }]);
  });

  it('is closed with a reason when the alarm is over, and another one is opened the next time', async () => {
    expect(await endAlarm(api, marker, 'fresh')).toBeUndefined();
    await raise('old');
    expect(await endAlarm(api, marker, 'fresh')).toEqual({ number: 1, done: 'closed' });
    expect(github.issues()).toMatchObject([{ state: 'closed', stateReason: 'completed', comments: ['fresh'] }]);
    expect(await raise('old')).toEqual({ number: 2, done: 'opened' });
  });

  it('is its own only: not somebody’s with the marker, not another alarm’s, not one that quotes it', async () => {
    github.openIssue('somebody', { title: 'x', body: `${mark}\n<!-- state: old -->\n` });
    github.openIssue('github-actions[bot]', { title: 'x', body: `> ${mark}\n` });
    await raiseAlarm(api, { marker: `${marker}.uk`, title: 'x', state: 'old', markdown: 'x' });
    expect(await raise('old')).toEqual({ number: 4, done: 'opened' });
    await endAlarm(api, marker, 'fresh');
    expect(open().map(({ number }) => number)).toEqual([1, 2, 3]);
  });

  it('is found behind more issues than a page has', async () => {
    for (let count = 0; count < 101; count += 1) github.openIssue('somebody', { title: 'x', body: 'x' });
    await raise('old');
    expect(await raise('old')).toMatchObject({ done: 'unchanged' });
  });

  it('stays the only one when two runs open theirs at the same moment', async () => {
    await Promise.all([raise('old'), raise('old')]);
    expect(open()).toHaveLength(1);
    expect(await raise('old')).toEqual({ number: open()[0]?.number, done: 'unchanged' });
  });

  it('names the permission that is missing, and holds no token', async () => {
    api = apiOf(github.as({ permissions: { issues: 'read' } }));
    const refused = await raise('old').catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'github-issue', next: expect.stringContaining('issues: write') });
    expect(JSON.stringify(refused)).not.toContain(api.token);
  });
});
