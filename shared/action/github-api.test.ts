import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { McprtError } from '../errors.js';
import { GithubRefusal, githubError } from '../github-refusal.js';
import { askGithub, type GithubApi, githubAnswer, listGithub } from './github-api.js';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(closers.splice(0).map((close) => close()));
});

/** A stand-in of GitHub's API that answers by the number of the request, and keeps what it was asked. */
async function github(answer: (count: number, url: URL) => [number, string, Record<string, string>?]) {
  const asked: { method: string; url: string; authorization: string; body: string }[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      asked.push({ method, url, authorization: headers.authorization ?? '', body });
      const [status, text, own] = answer(asked.length, new URL(url, `http://${headers.host}`));
      response.writeHead(status, { 'content-type': 'application/json', ...own });
      response.end(status === 204 ? undefined : text);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  const api: GithubApi = {
    apiUrl: `http://127.0.0.1:${port}`,
    token: 'token-of-the-test',
    repository: 'acme/platform',
  };
  return { api, asked };
}

describe('a request to GitHub', () => {
  it('goes below the repository, with the token, and gives what the body holds', async () => {
    const { api, asked } = await github(() => [201, '{"id":7}']);
    expect(await askGithub(api, 'POST', '/issues/1/comments', { body: 'x' })).toEqual({ id: 7 });
    expect(asked).toEqual([
      {
        method: 'POST',
        url: '/repos/acme/platform/issues/1/comments',
        authorization: 'token token-of-the-test',
        body: '{"body":"x"}',
      },
    ]);
  });

  it('may be answered with nothing', async () => {
    const { api } = await github(() => [204, '']);
    expect(await askGithub(api, 'DELETE', '/issues/comments/1')).toBeUndefined();
  });

  it.each([400, 403, 404, 422])('is not repeated when the answer is %d', async (status) => {
    const { api, asked } = await github(() => [status, '{"message":"no"}']);
    await expect(askGithub(api, 'GET', '/pulls/1')).rejects.toMatchObject({ status });
    expect(asked).toHaveLength(1);
  });

  it.each([429, 500, 503])('is repeated when the answer is %d', async (status) => {
    const { api, asked } = await github((count) => (count === 1 ? [status, ''] : [200, '{"ok":true}']));
    expect(await askGithub(api, 'GET', '/pulls/1')).toEqual({ ok: true });
    expect(asked).toHaveLength(2);
  });

  it('is given up after the third answer that may pass', async () => {
    const { api, asked } = await github(() => [502, 'bad gateway']);
    await expect(askGithub(api, 'GET', '/pulls/1')).rejects.toMatchObject({
      status: 502,
      kind: 'away',
      message: '502: bad gateway',
      next: expect.stringContaining('githubstatus.com'),
    });
    expect(asked).toHaveLength(3);
  });

  it('follows no redirect, and says where it leads', async () => {
    const { api, asked } = await github(() => [302, '', { location: 'http://elsewhere/x' }]);
    expect(await githubAnswer(api, 'GET', '/actions/artifacts/1/zip')).toMatchObject({
      location: 'http://elsewhere/x',
    });
    expect(asked).toHaveLength(1);
  });

  it.each([
    ['a page of a gateway', () => [200, '<html>', { 'content-type': 'text/html' }] as const],
    ['text that says to be JSON', () => [200, '{"a":'] as const],
  ])('is refused for %s', async (_, answer) => {
    const { api } = await github(() => [...answer()] as [number, string]);
    await expect(askGithub(api, 'GET', '/pulls/1')).rejects.toMatchObject({ kind: 'away' });
  });

  it('has no answer where nobody listens, and says what to look at', async () => {
    const { api } = await github(() => [200, '']);
    await Promise.all(closers.splice(0).map((close) => close()));
    await expect(askGithub(api, 'GET', '/pulls/1')).rejects.toMatchObject({
      status: 0,
      kind: 'away',
      next: expect.stringContaining('proxy'),
    });
  });

  it('stops the moment that its signal is raised, also in a pause', async () => {
    const controller = new AbortController();
    const { api, asked } = await github(() => {
      controller.abort(new Error('cancelled'));
      return [503, ''];
    });
    await expect(askGithub({ ...api, signal: controller.signal }, 'GET', '/pulls/1')).rejects.toThrow('cancelled');
    expect(asked).toHaveLength(1);
  });
});

describe('who asks too often', () => {
  const secondary = JSON.stringify({ message: 'You have exceeded a secondary rate limit. Please wait.' });

  it.each([403, 429])('waits as long as a %d of the secondary limit says', async (status) => {
    const { api, asked } = await github((count) =>
      count === 1 ? [status, secondary, { 'retry-after': '1' }] : [200, '{"ok":true}'],
    );
    expect(await askGithub(api, 'GET', '/pulls/1')).toEqual({ ok: true });
    expect(asked).toHaveLength(2);
  });

  it('is told when to come again where that is long, and nothing of permissions', async () => {
    const { api, asked } = await github(() => [403, secondary, { 'retry-after': '1800' }]);
    const error = await askGithub(api, 'POST', '/deployments', {}).catch((one: unknown) => one);
    expect(error).toMatchObject({ kind: 'rate-limited', next: 'run it again in 1800 s' });
    expect(githubError(error, { code: 'github-deployment', what: 'a', next: 'give permission' })).toMatchObject({
      next: 'run it again in 1800 s',
    });
    expect(asked).toHaveLength(1);
  });

  it('is told when the hour is over', async () => {
    const reset = String(Math.floor(Date.now() / 1000) + 1500);
    const { api } = await github(() => [
      403,
      '{"message":"API rate limit exceeded for installation"}',
      { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset },
    ]);
    await expect(askGithub(api, 'GET', '/pulls/1')).rejects.toMatchObject({
      kind: 'rate-limited',
      next: expect.stringMatching(/^run it again in 2[56] min$/),
    });
  });

  it('is slowed before that: of many writes, some go at once and the others one after another', async () => {
    const { api, asked } = await github(() => [201, '{}']);
    const all = Array.from({ length: 24 }, () =>
      askGithub({ ...api, token: 'of-many-writes' }, 'POST', '/deployments', {}),
    );
    await Promise.race([Promise.all(all), new Promise((resolve) => setTimeout(resolve, 1_000))]);
    expect(asked.length).toBeLessThanOrEqual(20);
    await Promise.all(all);
    expect(asked).toHaveLength(24);
  });
});

describe('a list of GitHub’s', () => {
  const pages = (total: number) =>
    github((_, url) => {
      const [page, size] = [Number(url.searchParams.get('page') ?? 1), Number(url.searchParams.get('per_page'))];
      const items = Array.from({ length: total }, (__, index) => index).slice((page - 1) * size, page * size);
      const next = new URL(url);
      next.searchParams.set('page', String(page + 1));
      return [200, JSON.stringify(items), page * size < total ? { link: `<${next.href}>; rel="next"` } : {}];
    });

  it.each([
    [0, 1],
    [99, 1],
    [100, 1],
    [250, 3],
  ])('of %d items is read in %d pages', async (total, requests) => {
    const { api, asked } = await pages(total);
    const items = await listGithub(api, '/issues/1/comments');
    expect([items.length, new Set(items).size, asked.length]).toEqual([total, total, requests]);
  });

  it('keeps the query that it was asked with', async () => {
    const { api, asked } = await pages(1);
    await listGithub(api, '/pulls?state=open');
    expect(asked[0]?.url).toBe('/repos/acme/platform/pulls?state=open&per_page=100');
  });

  it('does not go on for ever', async () => {
    const { api, asked } = await pages(6_000);
    expect(await listGithub(api, '/issues/1/comments')).toHaveLength(5_000);
    expect(asked).toHaveLength(50);
  });
});

describe('a refusal as an error', () => {
  it('says what GitHub said, and what to do', () => {
    const error = githubError(new GithubRefusal(403, 'forbidden', '403: no'), {
      code: 'github-comment',
      what: 'a',
      next: 'b',
    });
    expect(error).toBeInstanceOf(McprtError);
    expect(error).toMatchObject({ code: 'github-comment', message: 'a', why: '403: no', next: 'b' });
  });

  it('leaves any other error as it is', () => {
    const other = new Error('fetch failed');
    expect(githubError(other, { code: 'github-comment', what: 'a', next: 'b' })).toBe(other);
  });
});
