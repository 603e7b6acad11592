import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Github, startGithub } from './github.js';

describe('the stand-in for GitHub’s pull requests and deployments', () => {
  let github: Github;

  beforeEach(async () => {
    github = await startGithub({ run: { permissions: { 'pull-requests': 'write', deployments: 'write' } } });
    github.setPullRequest({ number: 7, state: 'open', headSha: 'a'.repeat(40), headRepository: 'a-fork/platform' });
  });

  afterEach(() => github.close());

  async function ask(method: string, path: string, body?: unknown, token = github.token) {
    const response = await fetch(`${github.env.GITHUB_API_URL}/repos/mcprt-lab/platform${path}`, {
      method,
      headers: { authorization: `Bearer ${token}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, link: response.headers.get('link'), body: text === '' ? '' : JSON.parse(text) };
  }

  it('keeps comments with who wrote them, page by page', async () => {
    github.comment(7, 'somebody', 'hello');
    expect((await ask('POST', '/issues/7/comments', { body: 'ours' })).status).toBe(201);
    const first = await ask('GET', '/issues/7/comments?per_page=1');
    expect(first.body).toMatchObject([{ body: 'hello', user: { login: 'somebody', type: 'User' } }]);
    expect(first.link).toContain('page=2');
    const second = await ask('GET', '/issues/7/comments?per_page=1&page=2');
    expect(second.body).toMatchObject([{ body: 'ours', user: { login: 'github-actions[bot]', type: 'Bot' } }]);
    expect(second.link).toBeNull();
  });

  it('refuses what GitHub refuses', async () => {
    expect((await ask('POST', '/issues/7/comments', { body: 'x'.repeat(65_537) })).status).toBe(422);
    expect((await ask('POST', '/issues/8/comments', { body: 'x' })).status).toBe(404);
    const { token } = github.as({ permissions: { 'pull-requests': 'read' } });
    expect((await ask('POST', '/issues/7/comments', { body: 'x' }, token)).status).toBe(403);
    expect((await ask('GET', '/pulls/7', undefined, token)).body).toMatchObject({ state: 'open' });
    expect((await ask('POST', '/deployments', { ref: 'main', required_contexts: [] })).status).toBe(422);
    expect((await ask('POST', '/deployments', { ref: 'a'.repeat(40) })).status).toBe(409);
  });

  it('makes an older success inactive, and keeps an active deployment from being deleted', async () => {
    const make = async (): Promise<number> =>
      (await ask('POST', '/deployments', { ref: 'a'.repeat(40), environment: 'pr-7', required_contexts: [] })).body.id;
    const [one, two] = [await make(), await make()];
    for (const id of [one, two]) await ask('POST', `/deployments/${id}/statuses`, { state: 'success' });
    expect(github.deployments().map(({ statuses }) => statuses.at(-1)?.state)).toEqual(['inactive', 'success']);
    expect((await ask('DELETE', `/deployments/${two}`)).status).toBe(422);
    expect((await ask('DELETE', `/deployments/${one}`)).status).toBe(204);
  });
});
