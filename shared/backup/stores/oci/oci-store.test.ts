import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { McprtError } from '../../../errors.js';
import { webRoute } from '../../../images/route.js';
import { digestOf, startUpstream, type Upstream } from '../../../images/testing/upstream.js';
import { direct } from '../../../proxy.js';
import { archiveOf } from '../../testing/store-contract.js';
import type { Store } from '../store.js';
import { parseOciAddress } from './oci-address.js';
import { nextPage, ociStore } from './oci-store.js';

const name = 'mcprt-backup-example.com-g00000001-r7.1';
const repository = 'acme/backups';

describe('the address of a repository', () => {
  it.each<[string, string, string, string]>([
    ['ghcr.io/Acme/Backups', 'https://ghcr.io', 'acme/backups', 'ghcr.io/acme/backups'],
    ['oci://registry.corp:5000/team/a/b/', 'https://registry.corp:5000', 'team/a/b', 'registry.corp:5000/team/a/b'],
    ['http://10.0.0.1:5000/b', 'http://10.0.0.1:5000', 'b', '10.0.0.1:5000/b'],
    ['docker.io/acme/b', 'https://registry-1.docker.io', 'acme/b', 'docker.io/acme/b'],
    ['localhost/b', 'https://localhost', 'b', 'localhost/b'],
  ])('%s', (text, origin, path, shown) => {
    expect(parseOciAddress(text)).toMatchObject({ origin, repository: path, shown });
  });

  it.each([
    '',
    'ghcr.io',
    'ghcr.io/',
    'acme/backups',
    'ghcr.io/a:tag',
    `ghcr.io/a@sha256:${'0'.repeat(64)}`,
    'ghcr.io/../v2',
    'https://u:p@h.io/a',
    'ftp://h.io/a',
  ])('%s is none', (text) => {
    expect(parseOciAddress(text)).toBeUndefined();
  });
});

describe('where a list of tags goes on', () => {
  const base = '/v2/a/b';
  it.each<[string | string[] | undefined, string | undefined]>([
    ['</v2/a/b/tags/list?last=x&n=2>; rel="next"', '/v2/a/b/tags/list?last=x&n=2'],
    ['<https://else.where/v2/a/b/tags/list?last=x>; rel=next', '/v2/a/b/tags/list?last=x'],
    ['<?last=x>; rel="next"', '/v2/a/b/tags/list?last=x'],
    [['<x>; rel="prev"', '</v2/a/b/tags/list?last=y>; rel="next"'], '/v2/a/b/tags/list?last=y'],
    ['</v2/another/tags/list?last=x>; rel="next"', undefined],
    ['</v2/a/b/tags/list?last=x>; rel="prev"', undefined],
    [undefined, undefined],
  ])('%s', (link, path) => {
    expect(nextPage(link, base, 'https://registry.corp')).toBe(path);
  });
});

describe('a registry', () => {
  let upstream: Upstream;
  beforeEach(async () => {
    upstream = await startUpstream();
  });
  afterEach(() => upstream.close());

  interface Opening {
    isGithub?: boolean;
    hasCredentials?: boolean;
    signal?: AbortSignal;
    scheme?: string;
  }

  function open(more: Opening = {}): Store {
    const address = parseOciAddress(`${more.scheme ?? 'http'}://127.0.0.1:${upstream.port}/${repository}`);
    if (address === undefined) throw new Error('no address');
    const { isGithub = false, hasCredentials = false, signal = new AbortController().signal } = more;
    const credentials = hasCredentials ? { username: 'u', password: 'a-password' } : undefined;
    const reach = { overrides: [], dnsServer: '', caBundle: '', proxies: direct };
    const route = webRoute({ origin: address.origin, name: 'the registry' }, credentials, reach);
    return ociStore({ route, address, isGithub, hasCredentials, signal, firstPause: 1 });
  }
  const answering = (matches: RegExp, status: number, body = '', headers: Record<string, string> = {}): void => {
    upstream.instead = ({ method, url }, response) => {
      if (!matches.test(`${method} ${url}`)) return false;
      response.writeHead(status, headers).end(method === 'HEAD' ? undefined : body);
      return true;
    };
  };
  const errors = (code: string): string => JSON.stringify({ errors: [{ code, message: 'as a test has it' }] });

  it('without TLS is told from one that is away, and asked by http only where no password would be sent', async () => {
    const next = async (hasCredentials: boolean): Promise<string> => {
      const listing = open({ scheme: 'oci', hasCredentials }).list({ name });
      return listing.then(
        () => '',
        (error: McprtError) => `${error.code}: ${error.next}`,
      );
    };
    expect(await next(false)).toMatch(/^store-unavailable: .*no TLS.*`oci: http:\/\/127\.0\.0\.1:\d+\/acme\/backups`$/);
    expect(await next(true)).toMatch(/^store-unavailable: .*no TLS.*put TLS before/);
  });

  it('gets an artifact with types of its own, whose files oras names', async () => {
    const { where } = await open().save(name, await archiveOf());
    const manifest = JSON.parse(upstream.content.get(`${repository}/${name}`)?.toString() ?? '');
    expect(manifest).toMatchObject({
      schemaVersion: 2,
      artifactType: 'application/vnd.mcprt.backup.v1',
      config: { mediaType: 'application/vnd.oci.empty.v1+json', size: 2, digest: digestOf('{}') },
      layers: [
        { annotations: { 'org.opencontainers.image.title': 'statement.dsse.json' } },
        { annotations: { 'org.opencontainers.image.title': 'payload.age' } },
      ],
    });
    expect(where).toBe(
      `127.0.0.1:${upstream.port}/${repository}:${name}@${digestOf(upstream.content.get(`${repository}/${name}`) ?? '')}`,
    );
  });

  it.each<[string, RegExp, number, string, 'save' | 'list', string, RegExp]>([
    ['takes no credentials', /POST/, 401, errors('UNAUTHORIZED'), 'save', 'store-credentials', /oci-credentials/],
    ['lets nobody push', /POST/, 403, errors('DENIED'), 'save', 'store-permission', /right to push/],
    ['makes no repository', /POST/, 404, errors('NAME_UNKNOWN'), 'save', 'store-address', /create it/],
    ['knows no artifacts', /PUT .*manifests/, 400, errors('MANIFEST_INVALID'), 'save', 'store-write', /OCI artifacts/],
    ['has a small proxy before it', /PUT .*uploads/, 413, '', 'save', 'store-full', /limit of the proxy/],
    ['is overloaded', /GET .*tags/, 503, '', 'list', 'store-unavailable', /some minutes/],
    ['lists no tags', /GET .*tags/, 404, '<html>', 'list', 'store-unlisted', /`name`/],
    ['is no registry', /GET .*tags/, 200, '<html>', 'list', 'store-unlisted', /host and path/],
    ['lets nobody pull', /GET .*tags/, 403, errors('DENIED'), 'list', 'store-permission', /right to pull/],
  ])('that %s is told', async (_, matches, status, body, doing, code, next) => {
    answering(matches, status, body);
    const store = open({ hasCredentials: true });
    const work = doing === 'save' ? store.save(name, await archiveOf()) : store.list({ prefix: 'mcprt-' });
    await expect(work).rejects.toMatchObject({ code, next: expect.stringMatching(next) });
  });

  it('of GitHub names the permission that a job lacks', async () => {
    answering(/./, 403, errors('DENIED'));
    await expect(open({ isGithub: true }).save(name, await archiveOf())).rejects.toMatchObject({
      code: 'store-permission',
      next: expect.stringContaining('packages: write'),
    });
    await expect(open({ isGithub: true }).read(name)).rejects.toMatchObject({
      code: 'store-permission',
      next: expect.stringContaining('packages: read'),
    });
  });

  it('that nobody reaches is told', async () => {
    const store = open();
    await upstream.close();
    await expect(store.read(name)).rejects.toMatchObject({
      code: 'store-unavailable',
      next: expect.stringContaining(`curl -v http://127.0.0.1:${upstream.port}/v2/`),
    });
    upstream = await startUpstream();
  });

  it.each([
    [405, errors('UNSUPPORTED')],
    [404, '404 page not found'],
  ])('that deletes nothing, and answers %d, says what to do', async (status, body) => {
    const store = open({ isGithub: true });
    await store.save(name, await archiveOf());
    const [entry] = (await store.list({ name })).entries;
    answering(/^DELETE/, status, body);
    await expect(entry?.remove()).rejects.toMatchObject({
      code: 'store-prune',
      next: expect.stringContaining('delete-package-versions'),
    });
  });

  it('gives nothing that has another digest', async () => {
    const store = open();
    await store.save(name, await archiveOf());
    const payload = [...upstream.content.keys()].filter((key) => /sha256:/.test(key));
    for (const key of payload) {
      const bytes = Buffer.from(upstream.content.get(key) ?? '');
      if (bytes.length < 100 || bytes.includes('schemaVersion')) continue;
      bytes[3] = (bytes[3] ?? 0) ^ 1;
      upstream.content.set(key, bytes);
    }
    await expect(store.read(name)).rejects.toMatchObject({ code: 'store-digest' });
  });

  it('that lost a part says so', async () => {
    const store = open();
    await store.save(name, await archiveOf());
    answering(/GET .*\/blobs\//, 404, errors('BLOB_UNKNOWN'));
    await expect(store.read(name)).rejects.toMatchObject({ code: 'store-incomplete' });
  });

  it.each<[string, unknown]>([
    ['an image', { schemaVersion: 2, config: { mediaType: 'application/vnd.oci.image.config.v1+json' }, layers: [] }],
    ['an index', { schemaVersion: 2, manifests: [] }],
    ['somebody else’s artifact', { schemaVersion: 2, artifactType: 'application/vnd.x', layers: [] }],
    ['no JSON', undefined],
  ])('under whose tag is %s gives no backup', async (_, manifest) => {
    upstream.content.set(`${repository}/${name}`, Buffer.from(manifest === undefined ? '<' : JSON.stringify(manifest)));
    const [entry] = (await open().list({ prefix: 'mcprt-backup-' })).entries;
    await expect(entry?.fetch()).rejects.toMatchObject({ code: 'backup-malformed' });
  });

  it('whose manifest lies about a size gives no backup', async () => {
    const store = open();
    await store.save(name, await archiveOf());
    const manifest = JSON.parse(upstream.content.get(`${repository}/${name}`)?.toString() ?? '');
    manifest.layers[1].size = 5;
    upstream.content.set(`${repository}/${name}`, Buffer.from(JSON.stringify(manifest)));
    await expect(open().read(name)).rejects.toMatchObject({ code: 'store-digest' });
    manifest.layers[1].size = 1024 ** 3;
    upstream.content.set(`${repository}/${name}`, Buffer.from(JSON.stringify(manifest)));
    await expect(open().read(name)).rejects.toMatchObject({ code: 'backup-malformed' });
  });

  it('in which somebody moved the tag meanwhile does not give it for ours', async () => {
    const store = open();
    await store.save(name, await archiveOf());
    upstream.content.delete(`${repository}/${name}`);
    await open().save(name, await archiveOf());
    await expect(store.read(name)).rejects.toMatchObject({ code: 'store-duplicate' });
  });

  it('deletes what was looked at, and not what the tag leads to by now', async () => {
    const store = open();
    await store.save(name, await archiveOf());
    const [entry] = (await store.list({ name })).entries;
    await entry?.fetch();
    upstream.content.delete(`${repository}/${name}`);
    const other = await archiveOf();
    await open().save(name, other);
    await entry?.remove();
    expect((await open().read(name)).equals(other)).toBe(true);
  });

  it('goes in circles no longer than once', async () => {
    const body = JSON.stringify({ tags: [name] });
    answering(/tags\/list/, 200, body, { link: `</v2/${repository}/tags/list?n=100>; rel="next"` });
    const { entries, cut } = await open().list({ prefix: 'mcprt-' });
    expect([entries.length, cut?.code, upstream.requests.length]).toEqual([1, 'store-cut', 1]);
  });

  it('may have no tags, as null, and upload elsewhere on its own host', async () => {
    answering(/tags\/list/, 200, '{"name":"x","tags":null}');
    expect((await open().list({ prefix: 'mcprt-' })).entries).toEqual([]);
    upstream.instead = (request, response) => {
      const { method = '', url = '' } = request;
      if (method === 'POST') {
        response.writeHead(202, { location: `http://127.0.0.1:${upstream.port}/artifacts-uploads/1?part=a%2Fb` }).end();
        return true;
      }
      if (!url.startsWith('/artifacts-uploads/')) return false;
      expect(url).toMatch(/\?part=a%2Fb&digest=sha256:/);
      const chunks: Buffer[] = [];
      request
        .on('data', (chunk: Buffer) => chunks.push(chunk))
        .on('end', () => {
          const bytes = Buffer.concat(chunks);
          upstream.content.set(`${repository}/${digestOf(bytes)}`, bytes);
          response.writeHead(201).end();
        });
      return true;
    };
    const bytes = await archiveOf();
    await open().save(name, bytes);
    expect((await open().read(name)).equals(bytes)).toBe(true);
  });

  it('that lets a name grow beyond a tag is not asked', async () => {
    const long = `mcprt-backup-${'a'.repeat(120)}.example.com-g00000001-r7.1`;
    await expect(open().save(long, await archiveOf())).rejects.toMatchObject({ code: 'store-write' });
    expect((await open().list({ name: '../../v2/x' })).entries).toEqual([]);
    expect(upstream.requests).toEqual([]);
  });

  it('hears a cancel, and ends with its reason', async () => {
    const cancel = new AbortController();
    const reason = new Error('cancelled');
    upstream.instead = () => true;
    const reading = open({ signal: cancel.signal }).read(name);
    cancel.abort(reason);
    await expect(reading).rejects.toBe(reason);
  });

  it('is asked for as much as is done, and shown a token', async () => {
    const scopes: (string | null)[] = [];
    upstream.instead = ({ url = '', headers }, response) => {
      if (url.startsWith('/token')) {
        scopes.push(new URL(url, 'http://x').searchParams.get('scope'));
        response.end('{"token":"t0"}');
        return true;
      }
      if (headers.authorization === 'Bearer t0') return false;
      const realm = `http://127.0.0.1:${upstream.port}/token`;
      response.writeHead(401, { 'www-authenticate': `Bearer realm="${realm}",service="s",scope="repository:x:pull"` });
      response.end();
      return true;
    };
    const store = open({ hasCredentials: true });
    await store.save(name, await archiveOf());
    await store.read(name);
    await (await store.list({ name })).entries[0]?.remove();
    expect(scopes).toEqual([
      `repository:${repository}:pull,push`,
      'repository:x:pull',
      `repository:${repository}:pull,push,delete`,
    ]);
  });
});
