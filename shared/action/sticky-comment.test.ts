import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Github, startGithub } from '../../lab/github/github.js';
import type { GithubApi } from './github-api.js';
import { writeStickyComment } from './sticky-comment.js';

const marker = 'preview of demo';
const mark = `<!-- mcprt: ${marker} -->`;
const longest = 65_536;
const cut = 'the summary of the run has all of it.\n';
let github: Github;
let api: GithubApi;

const apiOf = ({ env, token }: Github): GithubApi => ({
  apiUrl: env.GITHUB_API_URL ?? '',
  token,
  repository: 'mcprt-lab/platform',
});

beforeEach(async () => {
  github = await startGithub({ run: { permissions: { 'pull-requests': 'write' } } });
  for (const number of [7, 8]) {
    github.setPullRequest({ number, state: 'open', headSha: 'a'.repeat(40), headRepository: 'a-fork/platform' });
  }
  api = apiOf(github);
});

afterEach(() => github.close());

const write = (markdown: string, pullRequest = 7) => writeStickyComment(api, pullRequest, { marker, markdown });
const bodies = (): string[] => github.comments().map(({ body }) => body);

describe('the one comment on a pull request', () => {
  it('is made at first, and changed from then on', async () => {
    await write('one');
    expect(github.comments()).toMatchObject([{ pullRequest: 7, body: `${mark}\none`, edits: 0 }]);
    await write('two');
    expect(github.comments()).toMatchObject([{ pullRequest: 7, body: `${mark}\ntwo`, edits: 1 }]);
  });

  it('is one for each pull request and marker', async () => {
    await write('one');
    await write('two', 8);
    await writeStickyComment(api, 7, { marker: 'preview of demo2', markdown: 'three' });
    expect(bodies()).toEqual([`${mark}\none`, `${mark}\ntwo`, '<!-- mcprt: preview of demo2 -->\nthree']);
  });

  it('is found behind more comments than a page has', async () => {
    for (let count = 0; count < 101; count += 1) github.comment(7, 'somebody', `comment ${count}`);
    await write('one');
    await write('two');
    expect(bodies().filter((body) => body.startsWith(mark))).toEqual([`${mark}\ntwo`]);
  });

  it('leaves a comment of somebody else alone that holds the marker', async () => {
    github.comment(7, 'somebody', `${mark}\ntheirs`);
    await write('one');
    await write('two');
    expect(github.comments()).toMatchObject([
      { user: 'somebody', body: `${mark}\ntheirs`, edits: 0 },
      { user: 'github-actions[bot]', body: `${mark}\ntwo` },
    ]);
  });

  it('leaves a comment of another bot alone that holds the marker', async () => {
    github.comment(7, 'evil[bot]', `${mark}\ntheirs`);
    await write('one');
    await write('two');
    expect(github.comments()).toMatchObject([
      { user: 'evil[bot]', body: `${mark}\ntheirs`, edits: 0 },
      { user: 'github-actions[bot]', body: `${mark}\ntwo`, edits: 1 },
    ]);
  });

  it('leaves a comment of a bot alone that only quotes the marker', async () => {
    github.comment(7, 'github-actions[bot]', `> ${mark}\nquoted`);
    await write('one');
    expect(bodies()).toEqual([`> ${mark}\nquoted`, `${mark}\none`]);
  });

  it('stays the only one when two runs write their first one at the same moment', async () => {
    await Promise.all([write('one'), write('two')]);
    expect(bodies()).toHaveLength(1);
    await write('three');
    expect(bodies()).toEqual([`${mark}\nthree`]);
  });

  it.each([
    ['of lines', `${'a line\n'.repeat(20_000)}`],
    ['of one line', 'x'.repeat(100_000)],
    ['of a line and a very long one', `first\n${'x'.repeat(100_000)}`],
    ['of emoji', '😀'.repeat(40_000)],
  ])('is cut when it is too long: %s', async (_, markdown) => {
    await write(markdown);
    const [body = ''] = bodies();
    expect(body.length).toBeLessThanOrEqual(longest);
    expect(body.length).toBeGreaterThan(longest - 100);
    expect(body.endsWith(cut)).toBe(true);
    expect(body.isWellFormed()).toBe(true);
  });

  it('is not cut when it just fits', async () => {
    const fits = 'x'.repeat(longest - mark.length - 1 - '\n\n…shortened: '.length - cut.length);
    await write(fits);
    await write(`${fits}x`, 8);
    expect(bodies().map((body) => body.endsWith(cut))).toEqual([false, true]);
  });

  it('names the permission that is missing, and holds no token', async () => {
    api = apiOf(github.as({ permissions: { 'pull-requests': 'read' } }));
    const refused = await write('one').catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'github-comment', next: expect.stringContaining('pull-requests: write') });
    expect(JSON.stringify(refused)).not.toContain(api.token);
  });
});
