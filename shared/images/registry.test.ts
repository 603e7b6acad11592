import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { McprtError, messageOf } from '../errors.js';
import { openRegistry } from './registry.js';
import { forwardedRoute, type RegistryRoute } from './route.js';
import { digestOf, startUpstream, type Upstream } from './testing/upstream.js';

const dockerManifest = 'application/vnd.docker.distribution.manifest.v2+json';
const ociIndex = 'application/vnd.oci.image.index.v1+json';
let upstream: Upstream;
let route: RegistryRoute;

beforeEach(async () => {
  upstream = await startUpstream();
  route = forwardedRoute(async () => connect(upstream.port, '127.0.0.1'), undefined);
});

afterEach(async () => {
  await route.close();
  await upstream.close();
});

const find = (reference: string, signal = new AbortController().signal) =>
  openRegistry(route, signal, 5).find('app', reference);

/** Puts content in, by its digest and by other names. @returns the digest */
function put(content: unknown, ...names: string[]): string {
  const bytes = Buffer.from(JSON.stringify(content));
  for (const name of [digestOf(bytes), ...names]) upstream.content.set(`app/${name}`, bytes);
  return digestOf(bytes);
}

function putImage(architecture: string, labels: Record<string, unknown> | null, ...names: string[]): string {
  const config = put({ os: 'linux', architecture, config: { Labels: labels } });
  return put({ schemaVersion: 2, mediaType: dockerManifest, config: { digest: config }, layers: [] }, ...names);
}

const failure = async (attempt: Promise<unknown>): Promise<McprtError> => {
  const error = await attempt.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof McprtError)) throw new Error(`no McprtError: ${messageOf(error)}`);
  return error;
};

/** Fails the first answers, and counts all. */
function failing(times: number, status: number, headers: Record<string, string> = {}): () => number {
  let count = 0;
  upstream.instead = (_, response) => {
    count += 1;
    if (count > times) return false;
    response.writeHead(status, headers).end('{"errors":[{"code":"X"}]}');
    return true;
  };
  return () => count;
}

describe('find', () => {
  it('gives an image by its tag and by its digest', async () => {
    const digest = putImage('amd64', { a: 'b' }, 'v1');
    const wanted = { digest, children: [], platforms: ['linux/amd64'], labels: { a: 'b' } };
    expect(await find('v1')).toEqual(wanted);
    expect(await find(digest)).toEqual(wanted);
    expect(String(upstream.requests[0]?.headers.accept)).toContain(ociIndex);
  });

  it('gives an index with what is in it, but for attestations', async () => {
    const images = [putImage('amd64', { a: 'b' }), putImage('arm64', null), putImage('unknown', null)];
    const platforms = ['amd64', 'arm64', 'unknown'];
    const digest = put(
      {
        schemaVersion: 2,
        manifests: images.map((one, index) => ({
          digest: one,
          platform: { os: platforms[index] === 'unknown' ? 'unknown' : 'linux', architecture: platforms[index] },
        })),
      },
      'v1',
    );
    expect(await find('v1')).toEqual({
      digest,
      children: images,
      platforms: ['linux/amd64', 'linux/arm64'],
      labels: { a: 'b' },
    });
  });

  it('takes an image without labels', async () => {
    putImage('amd64', null, 'v1');
    expect((await find('v1'))?.labels).toEqual({});
  });

  it('gives nothing for an image that is not there, and asks once', async () => {
    expect(await find('v1')).toBeUndefined();
    expect(upstream.requests).toHaveLength(1);
  });

  it('believes no registry that gives something else for a digest', async () => {
    const digest = putImage('amd64', null, 'v1');
    upstream.content.set(`app/${digest}`, Buffer.from('{"other":1}'));
    expect((await failure(find(digest))).code).toBe('registry-digest');
    const { config } = JSON.parse(String(upstream.content.get('app/v1')));
    upstream.content.set(`app/${config.digest}`, Buffer.from('{"os":"plan9"}'));
    expect((await failure(find('v1'))).code).toBe('registry-digest');
  });

  it.each([401, 403])('says what to do about %d, and asks once', async (status) => {
    const count = failing(9, status);
    const error = await failure(find('v1'));
    expect([error.code, count()]).toEqual(['registry-unauthorized', 1]);
    expect(error.next).toContain('UI_API_KEY');
  });

  it('does not repeat what the registry refuses', async () => {
    const count = failing(9, 400);
    expect([(await failure(find('v1'))).code, count()]).toEqual(['registry-refused', 1]);
  });

  it.each([429, 500, 503])('asks again after %d', async (status) => {
    putImage('amd64', null, 'v1');
    const count = failing(1, status);
    expect(await find('v1')).toBeDefined();
    expect(count()).toBeGreaterThan(1);
  });

  it('waits as long as the registry wishes', async () => {
    putImage('amd64', null, 'v1');
    failing(1, 429, { 'retry-after': '1' });
    const started = performance.now();
    expect(await find('v1')).toBeDefined();
    expect(performance.now() - started).toBeGreaterThan(1_000);
  });

  it('is cancelled while it waits', async () => {
    failing(9, 429, { 'retry-after': '30' });
    const controller = new AbortController();
    const reason = new Error('the job was cancelled');
    setTimeout(() => controller.abort(reason), 100);
    const started = performance.now();
    await expect(find('v1', controller.signal)).rejects.toBe(reason);
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  it('asks again when an answer breaks off, and then says so', async () => {
    putImage('amd64', null, 'v1');
    let broken = 1;
    upstream.instead = (_, response) => {
      if (broken-- <= 0) return false;
      response.writeHead(200, { 'content-length': 100 }).write('{"half":');
      setTimeout(() => response.destroy(), 20);
      return true;
    };
    expect(await find('v1')).toBeDefined();
    broken = 99;
    const error = await failure(find('v1'));
    expect([error.code, 99 - broken]).toEqual(['registry-unreachable', 5]);
    expect(error.message).toContain('broke off');
  });

  it('takes no endless answer', async () => {
    let sent = 0;
    upstream.instead = (_, response) => {
      response.writeHead(200);
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536))) sent += 65_536;
      };
      response.on('drain', more);
      more();
      return true;
    };
    expect((await failure(find('v1'))).code).toBe('registry-refused');
    expect(sent).toBeLessThan(32 * 1024 * 1024);
  });

  it('says after some tries that nobody is there', async () => {
    await upstream.close();
    const error = await failure(find('v1'));
    expect(error.code).toBe('registry-unreachable');
    expect(error.why).toContain('ECONNREFUSED');
  });
});

describe('what is no single image', () => {
  const entry = (digest: string, platform?: object) => ({ digest, ...(platform === undefined ? {} : { platform }) });
  const linux = (architecture: string) => ({ os: 'linux', architecture });

  it('is an index in an index: all that is in either belongs to it', async () => {
    const [first, second] = [putImage('amd64', null), putImage('arm64', { made: 'arm64' })];
    const inner = put({ mediaType: ociIndex, manifests: [entry(second, linux('arm64'))] });
    put({ mediaType: ociIndex, manifests: [entry(inner), entry(first, linux('amd64'))] }, 'nested');
    expect(await find('nested')).toMatchObject({
      children: [inner, second, first],
      platforms: ['linux/arm64', 'linux/amd64'],
      labels: { made: 'arm64' },
    });
  });

  it('is an index that tells no platforms: they are in the configurations', async () => {
    put({ mediaType: ociIndex, manifests: [entry(putImage('arm64', null))] }, 'bare');
    expect((await find('bare'))?.platforms).toEqual(['linux/arm64']);
  });

  it('is an index of more images than there are platforms', async () => {
    const manifests = Array.from({ length: 201 }, (_, index) => entry(`sha256:${index}`, linux('amd64')));
    put({ mediaType: ociIndex, manifests }, 'large');
    expect((await failure(find('large'))).code).toBe('registry-refused');
  });

  it.each<[string, unknown, RegExp]>([
    ['a page of a login', '<html>', /something else/],
    ['a manifest of the first schema', { schemaVersion: 1 }, /first schema/],
  ])('is %s', async (_, content, why) => {
    put(content, 'other');
    const error = await failure(find('other'));
    expect([error.code, error.why]).toEqual(['registry-refused', expect.stringMatching(why)]);
  });

  it('is a redirect: within the registry it is followed, in a circle it is not', async () => {
    const digest = putImage('amd64', null);
    upstream.instead = ({ url = '' }, response) => {
      if (!url.includes('/old')) return false;
      response.writeHead(307, { location: `/v2/app/manifests/${url.endsWith('old') ? digest : 'older'}` }).end();
      return true;
    };
    expect((await find('old'))?.digest).toBe(digest);
    expect((await failure(find('older'))).code).toBe('registry-refused');
  });
});
