import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { forwardedRoute } from '../images/route.js';
import { digestOf, startUpstream, type Upstream } from '../images/testing/upstream.js';
import { type ImageOptions, labelsOf, openImages } from './images.js';
import type { WantedImage } from './plan.js';
import { workload } from './testing/objects.js';

const host = 'registry.example.com';
const commit = 'a'.repeat(40);
const tag = commit.slice(0, 12);
const target = { deployment: 'api', container: 'api', dockerfile: 'Dockerfile' };
let upstream: Upstream;
let source: string;

beforeEach(async () => {
  upstream = await startUpstream();
  source = await mkdtemp(join(tmpdir(), 'mcprt-images-'));
  await writeFile(join(source, 'Dockerfile'), 'FROM scratch\n');
});

afterEach(async () => {
  await upstream.close();
  await rm(source, { recursive: true, force: true });
});

/** What a rollout finds, with one Deployment that runs an image. */
async function find(running: string, parts: Partial<ImageOptions> = {}): Promise<WantedImage> {
  const route = forwardedRoute(async () => connect(upstream.port, '127.0.0.1'), undefined);
  const { signal } = new AbortController();
  const images = openImages(
    {
      source,
      commit,
      sourceChanges: '',
      tag: '',
      platform: 'linux/amd64',
      buildArgs: {},
      cacheEnv: undefined,
      rebuild: false,
      given: [],
      pullHost: host,
      deployments: [workload('api', { api: running })],
      ...parts,
    },
    {
      docker: { env: {}, signal, log: () => undefined },
      temporary: tmpdir(),
      openRoute: async () => route,
      progress: () => undefined,
      signal,
    },
  );
  try {
    const [found] = await images.find([target], 'split');
    if (found === undefined) throw new Error('no image');
    return found;
  } finally {
    await images.close();
  }
}

/** Puts an image under the tag of the commit. @returns its digest */
function put(labels: Record<string, string>, layer = 'ours'): string {
  const config = Buffer.from(JSON.stringify({ os: 'linux', architecture: 'amd64', config: { Labels: labels }, layer }));
  upstream.content.set(`api/${digestOf(config)}`, config);
  const mediaType = 'application/vnd.docker.distribution.manifest.v2+json';
  const manifest = Buffer.from(
    JSON.stringify({ schemaVersion: 2, mediaType, config: { digest: digestOf(config) }, layers: [] }),
  );
  for (const name of [digestOf(manifest), tag]) upstream.content.set(`api/${name}`, manifest);
  return digestOf(manifest);
}

/** The labels that a build of this source gets: anybody can compute them. */
async function ownLabels(parts: Partial<ImageOptions> = {}): Promise<Record<string, string>> {
  const { recipe } = await find(`${host}/api:first`, parts);
  return labelsOf(commit, recipe);
}

describe('an image of this commit in the registry', () => {
  it('is taken where the cluster has it from an earlier rollout', async () => {
    const digest = put(await ownLabels());
    expect(await find(`${host}/api:${tag}@${digest}`)).toMatchObject({ origin: 'found', digest });
  });

  it.each([
    ['nobody has rolled it out', `${host}/api:first`],
    ['it runs by its tag alone, which anybody can move', `${host}/api:${tag}`],
    ['another one runs under that tag', `${host}/api:${tag}@sha256:${'b'.repeat(64)}`],
  ])('is built again where %s, whatever its labels say', async (_, running) => {
    put(await ownLabels());
    expect(await find(running)).toMatchObject({ origin: 'to build', digest: undefined });
  });

  it('is built again where its tag has moved since, also to one with the same labels', async () => {
    const labels = await ownLabels();
    const digest = put(labels);
    put(labels, 'planted');
    expect(await find(`${host}/api:${tag}@${digest}`)).toMatchObject({ origin: 'to build' });
  });

  it('is built again where it was built from something else', async () => {
    const digest = put(await ownLabels());
    const running = `${host}/api:${tag}@${digest}`;
    expect(await find(running, { buildArgs: { FLAVOUR: 'other' } })).toMatchObject({ origin: 'to build' });
    expect(await find(running, { platform: 'linux/arm64' })).toMatchObject({ origin: 'to build' });
    await writeFile(join(source, 'Dockerfile'), 'FROM scratch\nLABEL a=b\n');
    expect(await find(running)).toMatchObject({ origin: 'to build' });
  });

  it('is built again from a source that was changed, and told from other changes', async () => {
    const dirty = { commit: `${commit}-dirty`, sourceChanges: 'x' };
    const one = await find(`${host}/api:first`, dirty);
    const other = await find(`${host}/api:first`, { ...dirty, sourceChanges: 'y' });
    expect(one.origin).toBe('to build');
    expect(one.recipe).not.toBe(other.recipe);
  });
});

describe('what an image is built from', () => {
  const recipe = async (parts: Partial<ImageOptions> = {}): Promise<string> =>
    (await find(`${host}/api:first`, parts)).recipe;

  it('is the same for the same build, in whatever order its arguments are given', async () => {
    expect(await recipe({ buildArgs: { A: '1', B: '2' } })).toBe(await recipe({ buildArgs: { B: '2', A: '1' } }));
  });

  it('is another for another commit, argument, platform and Dockerfile', async () => {
    await mkdir(join(source, 'other'));
    const all = [
      await recipe(),
      await recipe({ commit: 'c'.repeat(40) }),
      await recipe({ buildArgs: { A: '1' } }),
      await recipe({ platform: undefined }),
    ];
    await writeFile(join(source, 'Dockerfile'), 'FROM scratch\nUSER 1\n');
    expect(new Set([...all, await recipe()]).size).toBe(5);
  });
});
