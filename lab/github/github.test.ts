import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { type Github, startGithub } from './github.js';

const CACHE = 'github.actions.results.api.v1.CacheService';
const ANSWER = z.looseObject({
  ok: z.boolean().optional(),
  signed_upload_url: z.string().optional(),
  signed_download_url: z.string().optional(),
});
const ARTIFACT_LIST = z.looseObject({ total_count: z.number(), artifacts: z.array(z.looseObject({ id: z.number() })) });
const ARTIFACT = 'github.actions.results.api.v1.ArtifactService';

describe('the stand-in for GitHub', () => {
  let time: number;
  let github: Github;

  beforeEach(async () => {
    time = Date.UTC(2026, 10, 24);
    github = await startGithub({ now: () => new Date(time) });
  });

  afterEach(() => github.close());

  async function twirp(method: string, message: unknown, { env } = github) {
    const response = await fetch(`${env.ACTIONS_RESULTS_URL}twirp/${method}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${env.ACTIONS_RUNTIME_TOKEN}` },
      body: JSON.stringify(message),
    });
    return { status: response.status, body: ANSWER.parse(await response.json()) };
  }

  function rest(path: string, headers: Record<string, string> = { authorization: `Bearer ${github.token}` }) {
    return fetch(`${github.env.GITHUB_API_URL}/repos/mcprt-lab/platform/actions/${path}`, {
      headers,
      redirect: 'manual',
    });
  }

  const artifacts = async (path: string) => ARTIFACT_LIST.parse(await (await rest(path)).json());

  const put = (url: string | undefined, body: string) =>
    fetch(url ?? '', { method: 'PUT', body, headers: { 'x-ms-blob-type': 'BlockBlob' } });

  async function saveCache(key: string, content: string, as = github): Promise<void> {
    const { body } = await twirp(`${CACHE}/CreateCacheEntry`, { key, version: 'v' }, as);
    await put(body.signed_upload_url, content);
    await twirp(`${CACHE}/FinalizeCacheEntryUpload`, { key, version: 'v', size_bytes: String(content.length) }, as);
  }

  function idsOf({ env }: Github) {
    const claims = JSON.parse(Buffer.from(env.ACTIONS_RUNTIME_TOKEN?.split('.')[1] ?? '', 'base64url').toString());
    const [, run, job] = /Actions\.Results:(.+):(.+)/.exec(claims.scp) ?? [];
    return { workflow_run_backend_id: run, workflow_job_run_backend_id: job };
  }

  async function saveArtifact(name: string, content: string, as = github): Promise<void> {
    const { body } = await twirp(`${ARTIFACT}/CreateArtifact`, { ...idsOf(as), name, version: 7 }, as);
    await put(body.signed_upload_url, content);
    const size = String(content.length);
    expect(await twirp(`${ARTIFACT}/FinalizeArtifact`, { ...idsOf(as), name, size }, as)).toMatchObject({
      status: 200,
    });
  }

  describe('its Twirp services', () => {
    it.each([
      ['an unknown method', `${CACHE}/DeleteCacheEntry`, {}, 404, 'bad_route'],
      ['an unknown service', 'x.Y/Z', {}, 404, 'bad_route'],
      ['an unknown field', `${CACHE}/CreateCacheEntry`, { key: 'a', version: 'v', pth: '' }, 400, 'malformed'],
      ['a missing version', `${CACHE}/CreateCacheEntry`, { key: 'a' }, 400, 'malformed'],
      ['a comma in a key', `${CACHE}/CreateCacheEntry`, { key: 'a,b', version: 'v' }, 400, 'malformed'],
      ['a long key', `${CACHE}/CreateCacheEntry`, { key: 'a'.repeat(513), version: 'v' }, 400, 'malformed'],
      [
        'more than ten keys',
        `${CACHE}/GetCacheEntryDownloadURL`,
        { key: 'a', version: 'v', restore_keys: Array.from({ length: 10 }, () => 'b') },
        400,
        'malformed',
      ],
      [
        'the artifacts of another run',
        `${ARTIFACT}/ListArtifacts`,
        { workflow_run_backend_id: 'x', workflow_job_run_backend_id: 'y' },
        403,
        'permission_denied',
      ],
    ])('refuse %s', async (_, method, message, status, code) => {
      expect(await twirp(method, message)).toEqual({ status, body: { code, msg: expect.any(String) } });
    });

    it.each(['a:b', 'a/b', 'a\\b', 'a"b', 'a*b', ''])('refuse %j as the name of an artifact', async (name) => {
      const answer = await twirp(`${ARTIFACT}/CreateArtifact`, { ...idsOf(github), name, version: 7 });
      expect(answer.body).toMatchObject({ code: 'malformed' });
    });

    it('finalize a cache entry only with the size that was uploaded', async () => {
      const { body } = await twirp(`${CACHE}/CreateCacheEntry`, { key: 'a', version: 'v' });
      const finalize = (size_bytes: string) =>
        twirp(`${CACHE}/FinalizeCacheEntryUpload`, { key: 'a', version: 'v', size_bytes });
      expect((await finalize('0')).body.ok).toBe(false);
      await put(body.signed_upload_url, 'abc');
      expect((await finalize('4')).body.ok).toBe(false);
      expect(github.cacheEntries()).toEqual([]);
      expect((await finalize('3')).body).toMatchObject({ ok: true, entry_id: expect.stringMatching(/^\d+$/) });
    });

    it('hold a key that is being uploaded', async () => {
      await twirp(`${CACHE}/CreateCacheEntry`, { key: 'a', version: 'v' });
      expect(await twirp(`${CACHE}/CreateCacheEntry`, { key: 'a', version: 'v' })).toMatchObject({
        status: 409,
        body: { code: 'already_exists' },
      });
      expect(await twirp(`${CACHE}/CreateCacheEntry`, { key: 'a', version: 'w' })).toMatchObject({ status: 200 });
    });

    it('finalize an artifact only with the digest that was uploaded', async () => {
      const ids = idsOf(github);
      const { body } = await twirp(`${ARTIFACT}/CreateArtifact`, { ...ids, name: 'a', version: 7 });
      await put(body.signed_upload_url, 'abc');
      const message = { ...ids, name: 'a', size: '3', hash: 'sha256:00' };
      expect((await twirp(`${ARTIFACT}/FinalizeArtifact`, message)).status).toBe(400);
      expect(github.artifacts()).toEqual([]);
    });

    it('refuse a token that has expired', async () => {
      time += 7 * 3_600_000;
      expect(await twirp(`${CACHE}/CreateCacheEntry`, { key: 'a', version: 'v' })).toMatchObject({ status: 401 });
    });
  });

  describe('its REST API', () => {
    it('lists artifacts by name, the newest first, with the run that made them', async () => {
      await saveArtifact('backup', 'one');
      const later = github.as({ id: 9_000_000_002, ref: 'refs/heads/feature' });
      await saveArtifact('backup', 'three', later);
      await saveArtifact('other', 'x', later);
      const list = await artifacts('artifacts?name=backup');
      expect(list).toMatchObject({
        total_count: 2,
        artifacts: [
          {
            name: 'backup',
            size_in_bytes: 5,
            expired: false,
            workflow_run: { id: 9_000_000_002, head_branch: 'feature' },
          },
          { name: 'backup', size_in_bytes: 3, workflow_run: { id: 9_000_000_001, head_branch: 'main' } },
        ],
      });
      expect((await artifacts('runs/9000000001/artifacts')).total_count).toBe(1);
      expect(await (await rest(`artifacts/${list.artifacts[0]?.id}`)).json()).toEqual(list.artifacts[0]);
    });

    it('gives long lists in pages with a link to the next one', async () => {
      for (const name of ['a', 'b', 'c']) await saveArtifact(name, name);
      const first = await rest('artifacts?per_page=2');
      const [, next = ''] = /<([^>]+)>; rel="next"/.exec(first.headers.get('link') ?? '') ?? [];
      expect(ARTIFACT_LIST.parse(await first.json()).artifacts).toHaveLength(2);
      const second = await fetch(next, { headers: { authorization: `Bearer ${github.token}` } });
      expect(second.headers.get('link')).toBeNull();
      expect(ARTIFACT_LIST.parse(await second.json()).artifacts).toHaveLength(1);
    });

    it('sends a download on to the blob, which needs no token', async () => {
      await saveArtifact('backup', 'bytes');
      const response = await rest(`artifacts/${github.artifacts()[0]?.id}/zip`);
      expect(response.status).toBe(302);
      const blob = await fetch(response.headers.get('location') ?? '');
      expect([blob.headers.get('content-type'), await blob.text()]).toEqual(['application/zip', 'bytes']);
    });

    it('keeps an expired artifact in the list, and its bytes from everybody', async () => {
      await saveArtifact('backup', 'bytes');
      time += 91 * 86_400_000;
      expect(await (await rest('artifacts')).json()).toMatchObject({ artifacts: [{ expired: true }] });
      expect((await rest(`artifacts/${github.artifacts()[0]?.id}/zip`)).status).toBe(410);
    });

    it('describes a run', async () => {
      expect(await (await rest('runs/9000000001')).json()).toMatchObject({
        id: 9_000_000_001,
        path: '.github/workflows/backup.yml',
        event: 'workflow_dispatch',
        head_branch: 'main',
        repository: { full_name: 'mcprt-lab/platform' },
      });
    });

    it('lists caches by the beginning of their key, the last used first', async () => {
      for (const key of ['backup-1', 'backup-2', 'other']) {
        await saveCache(key, key);
        time += 1000;
      }
      await twirp(`${CACHE}/GetCacheEntryDownloadURL`, { key: 'backup-1', version: 'v' });
      const list = await (await rest('caches?key=backup-')).json();
      expect(list).toMatchObject({
        total_count: 2,
        actions_caches: [{ key: 'backup-1', ref: 'refs/heads/main', size_in_bytes: 8 }, { key: 'backup-2' }],
      });
      expect(await (await rest('caches?ref=refs/heads/other')).json()).toMatchObject({ total_count: 0 });
    });

    it.each([
      ['no token', {}, 401, 'Requires authentication'],
      ['an unknown token', { authorization: 'Bearer ghs_x' }, 401, 'Bad credentials'],
    ])('refuses %s', async (_, headers, status, message) => {
      const response = await rest('artifacts', headers);
      expect(response.status).toBe(status);
      expect(await response.json()).toEqual({ message, documentation_url: expect.any(String), status: String(status) });
    });

    it('deletes an artifact or a cache entry by its id, once, for a token that may write', async () => {
      await saveArtifact('one', 'one');
      await saveCache('two', 'two');
      const paths = [`artifacts/${github.artifacts()[0]?.id}`, `caches/${github.cacheEntries()[0]?.id}`];
      const statuses = async (token: string) => {
        const init = { method: 'DELETE', headers: { authorization: `Bearer ${token}` } };
        const url = (path: string) => `${github.env.GITHUB_API_URL}/repos/mcprt-lab/platform/actions/${path}`;
        return Promise.all(paths.map(async (path) => (await fetch(url(path), init)).status));
      };
      expect(await statuses(github.token)).toEqual([403, 403]);
      expect([github.artifacts().length, github.cacheEntries().length]).toEqual([1, 1]);
      const { token } = github.as({ permissions: { actions: 'write' } });
      expect(await statuses(token)).toEqual([204, 204]);
      expect([github.artifacts().length, github.cacheEntries().length]).toEqual([0, 0]);
      expect(await statuses(token)).toEqual([404, 404]);
    });

    it('refuses a token without the permission, and a client without a name', async () => {
      const { token } = github.as({ permissions: {} });
      expect((await rest('artifacts', { authorization: `Bearer ${token}` })).status).toBe(403);
      expect((await rest('artifacts', { authorization: `Bearer ${github.token}`, 'user-agent': '' })).status).toBe(403);
    });

    it.each(['artifacts/1', 'artifacts/1/zip', 'runs/1', 'runs/1/artifacts', 'runs/9000000001/zip', 'secrets'])(
      'has no %s',
      async (path) => {
        expect((await rest(path)).status).toBe(404);
      },
    );

    it.each([
      ['down', 503],
      ['rate-limited', 429],
      ['missing-token', 401],
    ] as const)('is %s on demand', async (kind, status) => {
      github.inject({ kind, on: 'rest', times: 1 });
      expect([(await rest('artifacts')).status, (await rest('artifacts')).status]).toEqual([status, 200]);
    });
  });

  describe('what a test does to it', () => {
    it('switches faults on and off', async () => {
      github.inject({ kind: 'down', on: 'rest' });
      expect((await rest('artifacts')).status).toBe(503);
      github.clearFaults();
      expect((await rest('artifacts')).status).toBe(200);
    });

    it('evicts and tampers, and says when there is nothing to', async () => {
      await saveCache('a', 'bytes');
      await saveArtifact('b', 'bytes');
      expect(github.tamper('cache', 'a')).toBe(true);
      expect(github.tamper('artifacts', 'b')).toBe(true);
      expect(github.tamper('artifacts', 'a')).toBe(false);
      const { body } = await twirp(`${CACHE}/GetCacheEntryDownloadURL`, { key: 'a', version: 'v' });
      expect(await (await fetch(body.signed_download_url ?? '')).text()).toBe('byues');
      expect(github.evict('a')).toBe(1);
      expect(github.evict('a')).toBe(0);
      expect(github.cacheEntries()).toEqual([]);
      expect(github.artifacts()).toMatchObject([{ name: 'b' }]);
    });
  });

  it('gives each run its variables', () => {
    const other = github.as({ id: 5, attempt: 2, ref: 'refs/tags/v1' });
    expect(other.env).toMatchObject({
      GITHUB_RUN_ID: '5',
      GITHUB_RUN_ATTEMPT: '2',
      GITHUB_REF_TYPE: 'tag',
      GITHUB_REF_NAME: 'v1',
    });
    expect(new URL(github.env.GITHUB_SERVER_URL ?? '').hostname).toMatch(/\.localhost$/);
    expect(github.env).not.toHaveProperty('GITHUB_TOKEN');
  });
});
