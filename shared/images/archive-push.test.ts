import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type ArchivePush, pushArchive } from './archive-push.js';
import { openRegistry, type StoredLayer } from './registry.js';
import { forwardedRoute, type RegistryRoute } from './route.js';
import { classicArchive, configOf, hexOf, ociArchive, type Part, writeTar } from './testing/archives.js';
import { digestOf, startUpstream, type Upstream } from './testing/upstream.js';

let folder: string;
let upstream: Upstream;
let route: RegistryRoute;
let sent: number;
let controller: AbortController;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mcprt-push-'));
  upstream = await startUpstream();
  route = forwardedRoute(async () => connect(upstream.port, '127.0.0.1'), undefined);
  [sent, controller] = [0, new AbortController()];
});

afterEach(async () => {
  await route.close();
  await upstream.close();
  await rm(folder, { recursive: true, force: true });
});

async function push(parts: readonly Part[], more: Partial<ArchivePush> = {}): Promise<string> {
  const file = await writeTar(join(folder, 'image.tar'), parts);
  const onSent = (bytes: number): unknown => (sent += bytes);
  return pushArchive(
    { file, folder, repository: 'api', tag: 'v1', known: new Map(), onSent, ...more },
    { route, signal: controller.signal, firstPause: 1 },
  );
}

/** Digests of the image's layers as the registry has them, unpacked: of bytes a test would compare each by itself. */
function unpacked(digest: string, repository = 'api'): string[] {
  const manifest = JSON.parse(upstream.content.get(`${repository}/${digest}`)?.toString() ?? '{}');
  return manifest.layers.map((layer: { digest: string; size: number }) => {
    const blob = upstream.content.get(`${repository}/${layer.digest}`) ?? Buffer.alloc(0);
    expect(blob.length).toBe(layer.size);
    return digestOf(gunzipSync(blob));
  });
}

const uploads = (): number =>
  upstream.requests.filter(({ method, url }) => method === 'PUT' && /uploads/.test(url)).length;
const [lower, upper] = [randomBytes(3_000_000), Buffer.alloc(2_000_000, 'upper')];

describe('a push from an archive', () => {
  it('brings the layers compressed, the configuration byte by byte, and a manifest of both', async () => {
    const digest = await push(classicArchive([lower, upper, lower]));
    expect(unpacked(digest)).toEqual([lower, upper, lower].map(digestOf));
    const config = configOf([lower, upper, lower]);
    expect(upstream.content.get(`api/${digestOf(config)}`)?.equals(config)).toBe(true);
    expect(upstream.content.get('api/v1')).toBe(upstream.content.get(`api/${digest}`));
    expect(uploads()).toBe(3);
    expect(sent).toBeGreaterThan(lower.length);
    expect(sent).toBeLessThan(lower.length + upper.length);
    expect(await readdir(folder)).toEqual(['image.tar']);
    const found = await openRegistry(route, controller.signal).find('api', 'v1');
    expect(found).toMatchObject({ digest, platforms: ['linux/amd64'] });
  });

  it('sends nothing a second time, whether layers are compressed or not', async () => {
    const stored = [lower, upper].map((layer) => gzipSync(layer));
    for (const parts of [classicArchive([lower, upper]), ociArchive([lower, upper], { stored })]) {
      const digest = await push(parts);
      const before = uploads();
      expect(await push(parts)).toBe(digest);
      expect(uploads()).toBe(before);
    }
  });

  it('takes layers as they are that are compressed in the archive', async () => {
    const stored = [gzipSync(lower, { level: 1 })];
    const digest = await push(ociArchive([lower], { stored }));
    expect(upstream.content.has(`api/sha256:${hexOf(stored[0] ?? '')}`)).toBe(true);
    expect(unpacked(digest)).toEqual([digestOf(lower)]);
  });

  it('neither compresses nor sends what an image has that runs, by whatever compression', async () => {
    const stored = [gzipSync(lower, { level: 9 })];
    const running = await push(ociArchive([lower], { stored }));
    sent = 0;
    // As Docker has pushed it.
    const docker = 'application/vnd.docker.image.rootfs.diff.tar.gzip';
    const layers = await openRegistry(route, controller.signal).layers('api', running);
    const known = new Map([...layers].map(([diffId, layer]) => [diffId, { ...layer, mediaType: docker }]));
    const digest = await push(classicArchive([lower, upper]), { known, tag: 'v2' });
    expect(sent).toBe(gzipSync(upper, { level: 3 }).length);
    expect(JSON.parse(upstream.content.get(`api/${digest}`)?.toString() ?? '').layers[0]).toEqual({
      mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
      digest: `sha256:${hexOf(stored[0] ?? '')}`,
      size: stored[0]?.length,
    });
  });

  it('takes a layer over from another repository, and sends it where the registry would not', async () => {
    const known = new Map<string, StoredLayer>();
    await push(classicArchive([lower]), { known });
    sent = 0;
    expect(unpacked(await push(classicArchive([lower]), { known, repository: 'ui' }), 'ui')).toEqual([digestOf(lower)]);
    expect(sent).toBe(0);
    for (const key of upstream.content.keys()) if (key.startsWith('api/')) upstream.content.delete(key);
    for (const key of upstream.content.keys()) if (key.startsWith('ui/')) upstream.content.delete(key);
    expect(unpacked(await push(classicArchive([lower]), { known, repository: 'web' }), 'web')).toEqual([
      digestOf(lower),
    ]);
    expect(sent).toBeGreaterThan(lower.length);
  });

  it('goes on where the registry says, also when that calls itself by another name', async () => {
    await upstream.close();
    upstream = await startUpstream({ absolute: 'https://registry.example.com' });
    expect(unpacked(await push(classicArchive([upper])))).toEqual([digestOf(upper)]);
    const [, upload] = upstream.requests.filter(({ url }) => /uploads/.test(url));
    expect(upload?.url).toMatch(/^\/v2\/api\/blobs\/uploads\/[0-9a-f]+\?_state=a%2Fb%3D&digest=sha256:/);
  });

  it('does a layer again that broke off, and one that came at a bad moment', async () => {
    let failures = 0;
    upstream.instead = (request, response) => {
      if (request.method !== 'PUT' || !/uploads/.test(request.url ?? '') || failures >= 2) return false;
      failures += 1;
      if (failures === 1) request.socket.destroy();
      else response.writeHead(503).end();
      return true;
    };
    expect(unpacked(await push(classicArchive([lower])))).toEqual([digestOf(lower)]);
    expect(failures).toBe(2);
  });

  it.each<[string, string, number]>([
    ['image-push', 'PUT', 413],
    ['registry-unauthorized', 'POST', 401],
    ['registry-busy', 'HEAD', 500],
  ])('says why it cannot: %s', async (code, method, status) => {
    upstream.instead = (request, response) => {
      if (request.method !== method) return false;
      request.resume();
      response.writeHead(status).end('not here');
      return true;
    };
    await expect(push(classicArchive([upper]))).rejects.toMatchObject({ code });
    expect(upstream.content.has('api/v1')).toBe(false);
    expect(await readdir(folder)).toEqual(['image.tar']);
  });

  it('refuses a layer that is not what its image says, before the image is named', async () => {
    const parts = classicArchive([lower]).map(([name, content]): Part => [name, /layer/.test(name) ? upper : content]);
    await expect(push(parts)).rejects.toMatchObject({
      code: 'image-archive',
      why: expect.stringContaining('has the digest'),
    });
    const stored = ociArchive([lower], { stored: [gzipSync(lower)] }).map(
      ([name, content]): Part => [name, Buffer.isBuffer(content) && content[0] === 0x1f ? gzipSync(upper) : content],
    );
    await expect(push(stored)).rejects.toMatchObject({ code: 'image-archive' });
    expect(uploads()).toBe(0);
  });

  it('goes nowhere but to the registry’s uploads', async () => {
    upstream.instead = (request, response) => {
      if (request.method !== 'POST') return false;
      response.writeHead(202, { location: 'https://storage.example.com/bucket' }).end();
      return true;
    };
    await expect(push(classicArchive([upper]))).rejects.toMatchObject({ code: 'image-push' });
    expect(upstream.requests.map(({ url }) => url).filter((url) => !url.startsWith('/v2/'))).toEqual([]);
  });

  it('ends when the job is cancelled', async () => {
    const reason = new Error('the job was cancelled');
    upstream.instead = (request) => {
      if (!/uploads/.test(request.url ?? '') || request.method !== 'PUT') return false;
      controller.abort(reason);
      return true;
    };
    await expect(push(classicArchive([lower]))).rejects.toBe(reason);
  });
});
