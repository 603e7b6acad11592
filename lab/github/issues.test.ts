import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Github, startGithub } from './github.js';

describe('the stand-in for GitHub’s issues', () => {
  let github: Github;

  beforeEach(async () => {
    github = await startGithub({ run: { permissions: { issues: 'write' } } });
    github.setPullRequest({ number: 7, state: 'open', headSha: 'a'.repeat(40), headRepository: 'a-fork/platform' });
  });

  afterEach(() => github.close());

  async function ask(method: string, path: string, body?: unknown, token = github.token) {
    const response = await fetch(`${github.env.GITHUB_API_URL}/repos/mcprt-lab/platform${path}`, {
      method,
      headers: { authorization: `Bearer ${token}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: await response.json() };
  }

  it('numbers them with the pull requests, and lists both, the newest first', async () => {
    expect(await ask('POST', '/issues', { title: 'one', body: 'text', labels: ['alarm'] })).toMatchObject({
      status: 201,
      body: { number: 8, state: 'open', user: { login: 'github-actions[bot]', type: 'Bot' } },
    });
    github.openIssue('somebody', { title: 'two', body: '' });
    expect((await ask('GET', '/issues')).body).toMatchObject([{ number: 9 }, { number: 8 }, { pull_request: {} }]);
    expect((await ask('GET', '/issues?direction=asc&per_page=1')).body).toMatchObject([{ number: 7 }]);
    expect((await ask('GET', '/issues?creator=somebody&labels=')).body).toMatchObject([{ number: 9 }, { number: 7 }]);
    expect((await ask('GET', '/issues?labels=alarm')).body).toMatchObject([{ number: 8 }]);
  });

  it('closes, opens again, changes and comments', async () => {
    await ask('POST', '/issues', { title: 'one' });
    expect((await ask('POST', '/issues/8/comments', { body: 'hello' })).status).toBe(201);
    await ask('PATCH', '/issues/8', { state: 'closed', state_reason: 'not_planned', title: 'changed' });
    expect((await ask('GET', '/issues')).body).toHaveLength(1);
    expect((await ask('GET', '/issues?state=closed')).body).toMatchObject([{ title: 'changed', comments: 1 }]);
    expect(github.issues()).toMatchObject([{ stateReason: 'not_planned', comments: ['hello'] }]);
    expect((await ask('PATCH', '/issues/8', { state: 'open' })).body).toMatchObject({ state_reason: 'reopened' });
  });

  it('refuses what GitHub refuses', async () => {
    await ask('POST', '/issues', { title: 'one' });
    expect((await ask('POST', '/issues', { body: 'no title' })).status).toBe(422);
    expect((await ask('POST', '/issues', { title: 'x', body: 'x'.repeat(65_537) })).status).toBe(422);
    expect((await ask('GET', '/issues?state=gone')).status).toBe(422);
    expect((await ask('GET', '/issues/9')).status).toBe(404);
    const reader = github.as({ permissions: { issues: 'read' } }).token;
    expect((await ask('GET', '/issues', undefined, reader)).status).toBe(200);
    expect((await ask('POST', '/issues', { title: 'x' }, reader)).status).toBe(403);
    const ofPulls = github.as({ permissions: { 'pull-requests': 'write' } }).token;
    expect((await ask('GET', '/issues', undefined, ofPulls)).status).toBe(403);
    expect((await ask('POST', '/issues/8/comments', { body: 'x' }, ofPulls)).status).toBe(403);
    expect((await ask('POST', '/issues/7/comments', { body: 'x' }, ofPulls)).status).toBe(201);
  });
});
