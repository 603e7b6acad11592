import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from '@jest/globals';
import { GithubRefusal } from '../../github-refusal.js';
import { type ActionsService, type ActionsServiceOptions, actionsService, type GithubRest } from './actions-service.js';

let close = (): void => undefined;
afterEach(() => close());

interface Asked {
  call: string;
  token: string | undefined;
  body: unknown;
}
interface Reply {
  status?: number;
  headers?: Record<string, string>;
  body?: unknown;
}

/** A token of a job, which says what its run is called in GitHub’s services. */
const tokenOf = (scp: string): string => `e30.${Buffer.from(JSON.stringify({ scp })).toString('base64url')}.s`;
const runtimeToken = tokenOf('Actions.Other:1 Actions.Results:run-7:job-9');

/** GitHub's services, which answer as they are told. */
async function services(
  answer: (asked: Asked) => Reply,
  change: Partial<ActionsServiceOptions> = {},
): Promise<{ service: ActionsService; asked: Asked[]; url: string }> {
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    const body = await text(request);
    const one: Asked = {
      call: `${request.method} ${request.url}`,
      token: request.headers.authorization,
      body: body === '' ? undefined : JSON.parse(body),
    };
    asked.push(one);
    const { status = 200, headers = {}, body: said = {} } = answer(one);
    response.writeHead(status, headers).end(typeof said === 'string' ? said : JSON.stringify(said));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  close = () => {
    server.closeAllConnections();
    server.close();
  };
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const rest: GithubRest = async (method, path) => {
    const one: Asked = { call: `${method} ${path}`, token: undefined, body: undefined };
    asked.push(one);
    const { status = 200, headers = {}, body = {} } = answer(one);
    if (status >= 300 && status !== 302) throw refusal(status);
    return { data: body, location: headers.location ?? '' };
  };
  const own = { rest, runtimeToken, defaultBranch: 'main' };
  return { service: actionsService({ resultsUrl: url, ...own, ...change }), asked, url };
}

/** What the client of GitHub’s API makes of a refusal. */
function refusal(status: number): GithubRefusal {
  const kind = [401, 403, 404].includes(status) ? 'forbidden' : status === 429 ? 'rate-limited' : 'refused';
  return new GithubRefusal(status, kind, `${status}: no`, kind === 'rate-limited' ? 'too many calls' : undefined);
}

const twirp = (service: string, method: string): string =>
  `POST /twirp/github.actions.results.api.v1.${service}/${method}`;

describe('the cache service', () => {
  it('is asked for a key and what begins with it, with the token of the job', async () => {
    const { service, asked } = await services(() => ({
      body: { ok: true, signed_download_url: 'u', matched_key: 'k-1' },
    }));
    expect(await service.findCache('k', 'v')).toEqual({ key: 'k-1', url: 'u' });
    expect(asked).toEqual([
      {
        call: twirp('CacheService', 'GetCacheEntryDownloadURL'),
        token: `Bearer ${runtimeToken}`,
        body: { key: 'k', restore_keys: ['k'], version: 'v' },
      },
    ]);
  });

  it.each([
    { ok: false, signed_download_url: 'u', matched_key: 'k' },
    { ok: true, matched_key: 'k' },
    { ok: true, signed_download_url: '', matched_key: 'k' },
    { ok: true, signed_download_url: 'u' },
  ])('has nothing where it does not say all of it: %j', async (body) => {
    const { service } = await services(() => ({ body }));
    expect(await service.findCache('k', 'v')).toBeUndefined();
  });

  it('is told of by the field that is odd, and as a whole where all of it is', async () => {
    const { service } = await services(() => ({ body: [] }));
    await expect(service.findCache('k', 'v')).rejects.toMatchObject({ why: expect.stringMatching(/^the answer: /) });
    const { service: other } = await services(() => ({ body: { ok: 'maybe' } }));
    await expect(other.findCache('k', 'v')).rejects.toMatchObject({ why: expect.stringMatching(/^ok: /) });
  });

  it('is away where it answers otherwise, in its own words', async () => {
    const { service } = await services(() => ({ status: 500, body: { code: 'internal', msg: 'try later' } }));
    await expect(service.findCache('k', 'v')).rejects.toMatchObject({
      code: 'store-unavailable',
      message: expect.stringContaining('GetCacheEntryDownloadURL'),
      why: 'it answered 500: try later',
    });
    for (const without of [{ resultsUrl: undefined }, { runtimeToken: undefined }]) {
      const { service: bare, asked } = await services(() => ({}), without);
      await expect(bare.findCache('k', 'v')).rejects.toMatchObject({
        code: 'store-unavailable',
        why: expect.stringContaining('ACTIONS_RUNTIME_TOKEN'),
      });
      expect(asked).toEqual([]);
      close();
    }
  });

  it.each<[string, Reply, unknown]>([
    ['takes it after all', { body: { ok: true } }, undefined],
    ['refuses with a reason', { body: { ok: false, message: 'full' } }, { status: 200, message: 'full' }],
    ['refuses without one', { body: { ok: false } }, { status: 200, message: 'the service gives no reason' }],
    [
      'refuses with a status',
      { status: 409, body: { msg: 'x'.repeat(300) } },
      { status: 409, message: 'x'.repeat(200) },
    ],
    ['refuses at its limit', { status: 499, body: { msg: 'm' } }, { status: 499, message: 'm' }],
  ])('is asked why it refused, and %s', async (_, reply, expected) => {
    const { service, asked } = await services(() => reply);
    expect(await service.whyCacheRefused('k', 'v')).toEqual(expected);
    expect(asked).toMatchObject([
      { call: twirp('CacheService', 'CreateCacheEntry'), body: { key: 'k', version: 'v' } },
    ]);
  });

  it.each<[number, unknown]>([
    [500, { msg: 'm' }],
    [401, { msg: 'm' }],
    [400, 'a page of a gateway'],
  ])('does not say why with %i', async (status, body) => {
    const { service } = await services(() => ({ status, body }));
    await expect(service.whyCacheRefused('k', 'v')).rejects.toMatchObject({
      code: 'store-unavailable',
      message: expect.stringContaining('CreateCacheEntry'),
      why: expect.stringContaining(String(status)),
    });
  });
});

describe('an artifact of this run', () => {
  it('is asked for by the numbers in the token', async () => {
    const { service, asked } = await services(() => ({ body: { signed_url: 'u' } }));
    expect(await service.findOwnArtifact('a')).toBe('u');
    expect(asked).toMatchObject([
      {
        call: twirp('ArtifactService', 'GetSignedArtifactURL'),
        body: { workflow_run_backend_id: 'run-7', workflow_job_run_backend_id: 'job-9', name: 'a' },
      },
    ]);
  });

  it.each([undefined, 'no-jwt', 'e30.e30.s', tokenOf('Actions.Results:run'), tokenOf('Other:run:job')])(
    'is not there for a token that does not name it: %s',
    async (own) => {
      const { service, asked } = await services(() => ({ body: { signed_url: 'u' } }), { runtimeToken: own });
      expect([await service.findOwnArtifact('a'), asked]).toEqual([undefined, []]);
    },
  );
});

describe('GitHub’s API', () => {
  const page = (count: number, from = 0): Reply => ({
    body: {
      total_count: count,
      artifacts: Array.from({ length: Math.min(count - from, 100) }, (_, at) => ({ id: from + at, name: 'a' })),
    },
  });

  it('is asked for pages until all is seen, and for one name as it is', async () => {
    const { service, asked } = await services(({ call }) =>
      page(201, (Number(/&page=(\d+)/.exec(call)?.[1]) - 1) * 100),
    );
    expect((await service.listArtifacts()).items).toHaveLength(201);
    const calls = asked.map(({ call }) => call).sort();
    expect(calls).toEqual([1, 2, 3].map((at) => `GET /actions/artifacts?per_page=100&page=${at}`));
    asked.length = 0;
    await service.listArtifacts('a b');
    expect(asked[0]?.call).toBe('GET /actions/artifacts?name=a%20b&per_page=100&page=1');
  });

  it('tells whose artifacts they are, and those that have ended are none', async () => {
    const runs = [{ head_repository_id: 42, head_branch: 'main' }, { head_repository_id: null }, null, undefined];
    const artifacts = runs.map((workflow_run, id) => ({ id, name: 'a', expired: false, workflow_run }));
    const body = { total_count: 5, artifacts: [...artifacts, { id: 9, name: 'a', expired: true }] };
    const { service } = await services(() => ({ body }));
    expect(await service.listArtifacts()).toEqual({
      items: [
        { id: 0, name: 'a', run: { repositoryId: 42, branch: 'main' } },
        { id: 1, name: 'a', run: { repositoryId: undefined, branch: undefined } },
        { id: 2, name: 'a', run: undefined },
        { id: 3, name: 'a', run: undefined },
      ],
      cut: undefined,
    });
  });

  it('is asked for the entries of a ref, and where an artifact is', async () => {
    const { service, asked } = await services(({ call }) =>
      call.includes('/zip')
        ? { status: 302, headers: { location: 'https://elsewhere.example/zip' } }
        : { body: { total_count: 1, actions_caches: [{ id: 1, key: 'k', version: 'v' }] } },
    );
    expect((await service.listCaches('p-', 'refs/heads/a')).items).toMatchObject([{ id: 1, key: 'k', version: 'v' }]);
    expect(await service.artifactUrl(7)).toBe('https://elsewhere.example/zip');
    expect(asked.map(({ call }) => call)).toEqual([
      'GET /actions/caches?key=p-&ref=refs%2Fheads%2Fa&per_page=100&page=1',
      'GET /actions/artifacts/7/zip',
    ]);
  });

  it.each([401, 403, 404])('that answers %i lacks a permission', async (status) => {
    const { service } = await services(() => ({ status }));
    await expect(service.listCaches('p', 'r')).rejects.toMatchObject({
      code: 'store-token',
      message: 'cache entries of earlier runs cannot be looked up',
      why: expect.stringContaining(String(status)),
    });
  });

  it.each([400, 429, 500])('that answers %i is away', async (status) => {
    const { service } = await services(() => ({ status }));
    await expect(service.listArtifacts()).rejects.toMatchObject({
      code: 'store-unavailable',
      message: expect.stringMatching(/artifacts$/),
      why: `${status}: no`,
      next: expect.stringContaining(status === 429 ? 'too many calls' : 'githubstatus'),
      cause: { status },
    });
  });

  it('that fails otherwise is a fault of ours, and passed on as it is', async () => {
    const fault = new TypeError('fault');
    const { service } = await services(() => ({}), { rest: () => Promise.reject(fault) });
    await expect(service.listArtifacts()).rejects.toBe(fault);
    await expect(service.remove('caches', 7)).rejects.toBe(fault);
  });

  it('is not asked without a token', async () => {
    const { service, asked } = await services(() => ({}), { rest: undefined, defaultBranch: undefined });
    await expect(service.listArtifacts()).rejects.toMatchObject({
      code: 'store-token',
      message: 'artifacts of earlier runs cannot be looked up',
    });
    expect([await service.defaultBranch(), asked]).toEqual([undefined, []]);
  });

  it('is asked once for the default branch, where the event does not tell it', async () => {
    const { service, asked } = await services(() => ({ body: { default_branch: 'trunk' } }), {
      defaultBranch: undefined,
    });
    expect([await service.defaultBranch(), await service.defaultBranch()]).toEqual(['trunk', 'trunk']);
    expect(asked.map(({ call }) => call)).toEqual(['GET ']);
    close();
    const known = await services(() => ({ status: 500 }));
    expect([await known.service.defaultBranch(), known.asked]).toEqual(['main', []]);
    close();
    for (const reply of [{ status: 404, body: { default_branch: 'x' } }, { body: 'no JSON' }]) {
      const { service: without } = await services(() => reply, { defaultBranch: undefined });
      expect(await without.defaultBranch()).toBeUndefined();
      close();
    }
  });
});

describe('what is deleted', () => {
  it.each([204, 404, 410])('is gone with %i', async (status) => {
    const { service, asked } = await services(() => ({ status, body: '' }));
    await service.remove('caches', 7);
    expect(asked.map(({ call }) => call)).toEqual(['DELETE /actions/caches/7']);
  });

  it.each<[number, string]>([
    [401, 'actions: write'],
    [403, 'actions: write'],
    [409, 'the next backup tries again'],
    [500, 'the next backup tries again'],
  ])('is still there with %i', async (status, next) => {
    const { service } = await services(() => ({ status }));
    await expect(service.remove('artifacts', 7)).rejects.toMatchObject({
      code: 'store-prune',
      message: expect.stringContaining('artifacts'),
      next: expect.stringContaining(next),
    });
    await expect(service.remove('caches', 7)).rejects.toMatchObject({
      message: expect.stringContaining('cache entries'),
    });
  });
});

describe('a download', () => {
  it('is as long as it may be, and no longer', async () => {
    const { service, url } = await services(() => ({ body: 'content' }));
    expect((await service.download(`${url}/x`, 7)).toString()).toBe('content');
    await expect(service.download(`${url}/x`, 6)).rejects.toMatchObject({
      code: 'store-read',
      why: 'it has more than 6 bytes',
    });
  });

  it('that is refused or cannot be reached is a store that is away', async () => {
    const { service, url } = await services(() => ({ status: 403 }));
    await expect(service.download(`${url}/x`, 9)).rejects.toMatchObject({
      code: 'store-unavailable',
      message: expect.stringContaining('download'),
      why: 'it answered 403',
    });
    close();
    await expect(service.download(`${url}/x`, 9)).rejects.toMatchObject({
      code: 'store-unavailable',
      why: expect.stringContaining('ECONNREFUSED'),
    });
  });

  it('that breaks off is told, unless it was cancelled', async () => {
    const server = createServer((_, response) => {
      response.writeHead(200, { 'content-length': '5000' });
      response.write('half', () => setTimeout(() => response.destroy(), 50));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const cancel = new AbortController();
    const own = { rest: undefined, runtimeToken, defaultBranch: 'main' };
    const service = actionsService({ resultsUrl: url, ...own, signal: cancel.signal });
    try {
      await expect(service.download(url, 9_000)).rejects.toMatchObject({
        code: 'store-read',
        message: 'the download was cut off',
      });
      const reason = new Error('cancelled');
      const cancelled = service.download(url, 9_000);
      cancel.abort(reason);
      await expect(cancelled).rejects.toBe(reason);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});
