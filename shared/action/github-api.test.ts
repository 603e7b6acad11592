import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { McprtError } from '../errors.js';
import { askGithub, type GithubApi, GithubRefusal, githubError, listGithub } from './github-api.js';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(closers.splice(0).map((close) => close()));
});

/** A stand-in of GitHub's API that answers by the number of the request, and keeps what it was asked. */
async function github(answer: (count: number, url: URL) => [number, string]) {
  const asked: { method: string; url: string; authorization: string; body: string }[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      asked.push({ method, url, authorization: headers.authorization ?? '', body });
      const [status, text] = answer(asked.length, new URL(url, 'http://github'));
      response.writeHead(status, { 'content-type': 'application/json' }).end(status === 204 ? undefined : text);
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
        authorization: 'Bearer token-of-the-test',
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
    await expect(askGithub(api, 'GET', '/pulls/1')).rejects.toMatchObject({ status: 502, message: '502: bad gateway' });
    expect(asked).toHaveLength(3);
  });
});

describe('a list of GitHub’s', () => {
  const pages = (total: number) =>
    github((_, url) => {
      const [page, size] = [Number(url.searchParams.get('page')), Number(url.searchParams.get('per_page'))];
      const items = Array.from({ length: total }, (__, index) => index).slice((page - 1) * size, page * size);
      return [200, JSON.stringify(items)];
    });

  it.each([
    [0, 1],
    [99, 1],
    [100, 2],
    [250, 3],
  ])('of %d items is read in %d pages', async (total, requests) => {
    const { api, asked } = await pages(total);
    const items = await listGithub(api, '/issues/1/comments');
    expect([items.length, new Set(items).size, asked.length]).toEqual([total, total, requests]);
  });

  it('keeps the query that it was asked with', async () => {
    const { api, asked } = await pages(1);
    await listGithub(api, '/pulls?state=open');
    expect(asked[0]?.url).toBe('/repos/acme/platform/pulls?state=open&per_page=100&page=1');
  });

  it('does not go on for ever', async () => {
    const { api, asked } = await pages(6_000);
    expect(await listGithub(api, '/issues/1/comments')).toHaveLength(5_000);
    expect(asked).toHaveLength(50);
  });
});

describe('a refusal as an error', () => {
  it('says what GitHub said, and what to do', () => {
    const error = githubError(new GithubRefusal(403, '403: no'), { code: 'github-comment', what: 'a', next: 'b' });
    expect(error).toBeInstanceOf(McprtError);
    expect(error).toMatchObject({ code: 'github-comment', message: 'a', why: '403: no', next: 'b' });
  });

  it('leaves any other error as it is', () => {
    const other = new Error('fetch failed');
    expect(githubError(other, { code: 'github-comment', what: 'a', next: 'b' })).toBe(other);
  });
});
