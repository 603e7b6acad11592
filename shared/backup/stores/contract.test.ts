import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { zipSync } from 'fflate';
import { pack } from 'tar-stream';
import { type Github, startGithub } from '../../../lab/github/github.js';
import { restOf } from '../../action/stores.js';
import { webRoute } from '../../images/route.js';
import { startUpstream } from '../../images/testing/upstream.js';
import { direct } from '../../proxy.js';
import { startS3Server } from '../testing/s3-server.js';
import { contract, type Place } from '../testing/store-contract.js';
import { type ActionsService, actionsService } from './actions-service.js';
import { artifactStore } from './artifact-store.js';
import { cacheMember, cacheStore } from './cache-store.js';
import { directoryStore } from './directory-store.js';
import { parseOciAddress } from './oci/oci-address.js';
import { ociStore } from './oci/oci-store.js';
import { parseS3Address } from './s3/s3-address.js';
import { s3Calls } from './s3/s3-call.js';
import { s3Store } from './s3/s3-store.js';
import { type Store, storeNames } from './store.js';

/** A place for one store, and what ends it. */
interface Opened {
  place: Place;
  close: () => Promise<void>;
}

const domain = 'my-own.example.com';
const repository = 'acme/platform';

function serviceOf(view: Github): ActionsService {
  return actionsService({
    resultsUrl: view.env.ACTIONS_RESULTS_URL,
    runtimeToken: view.env.ACTIONS_RUNTIME_TOKEN,
    rest: restOf({ apiUrl: view.env.GITHUB_API_URL ?? '', repository, token: view.token }),
    defaultBranch: 'main',
  });
}

/** What the official cache client does, less its patience; its own process has a proof of its own. */
async function uploadToCache(view: Github, key: string, bytes: Buffer): Promise<number> {
  const tar = pack();
  tar.entry({ name: cacheMember }, bytes);
  tar.finalize();
  const packed = zstdCompressSync(await buffer(tar));
  const version = createHash('sha256').update([cacheMember, 'zstd', '1.0'].join('|')).digest('hex');
  const call = async (method: string, body: object): Promise<Record<string, unknown>> => {
    const answer = await fetch(
      `${view.env.ACTIONS_RESULTS_URL}twirp/github.actions.results.api.v1.CacheService/${method}`,
      {
        method: 'POST',
        headers: { authorization: `Bearer ${view.env.ACTIONS_RUNTIME_TOKEN}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      },
    );
    return answer.ok ? ((await answer.json()) as Record<string, unknown>) : {};
  };
  const { signed_upload_url: url } = await call('CreateCacheEntry', { key, version });
  if (typeof url !== 'string') return -1;
  await fetch(url, { method: 'PUT', headers: { 'x-ms-blob-type': 'BlockBlob' }, body: new Uint8Array(packed) });
  await call('FinalizeCacheEntryUpload', { key, version, size_bytes: String(packed.length) });
  return 1;
}

async function githubPlace(open: (view: Github) => ReturnType<Place['open']>): Promise<Opened> {
  const github = await startGithub({
    repository: { name: repository, id: 42 },
    run: { permissions: { actions: 'write' } },
  });
  return { place: { open: () => open(github), domain }, close: () => github.close() };
}

/** A registry of this process; its Location headers are absolute, and its pages short. */
async function registryPlace(): Promise<Opened> {
  const upstream = await startUpstream({ absolute: 'http://registry.internal' });
  upstream.tagsPerPage = 2;
  const address = parseOciAddress(`http://127.0.0.1:${upstream.port}/Acme/backups`);
  if (address === undefined) throw new Error('no address');
  const reach = { overrides: [], dnsServer: '', caBundle: '', proxies: direct };
  const route = webRoute({ origin: address.origin, name: 'the registry' }, undefined, reach);
  const signal = new AbortController().signal;
  const ports = { route, address, isGithub: false, hasCredentials: false, signal, firstPause: 1 };
  return {
    place: { open: () => ociStore(ports), domain },
    close: async () => {
      await route.close();
      await upstream.close();
    },
  };
}

async function bucketPlace(): Promise<Opened> {
  const server = await startS3Server({ bucket: 'backups', pageSize: 2, region: 'garage' });
  const address = parseS3Address('backups/a b+c/ü', `http://127.0.0.1:${server.port}`);
  if (address === undefined) throw new Error('no address');
  // The region is learned anew by each of them, also where several requests learn it at once.
  const open = (): Store => {
    const calls = s3Calls({
      address,
      credentials: server.credentials,
      region: '',
      caBundle: '',
      proxies: direct,
      signal: new AbortController().signal,
      firstPause: 1,
    });
    return s3Store({ calls, address, keysFrom: 'input', lockDays: 0, now: () => new Date() });
  };
  return { place: { open, domain }, close: () => server.close() };
}

const places: Readonly<Record<string, () => Promise<Opened>>> = {
  cache: () =>
    githubPlace((view) =>
      cacheStore({
        service: serviceOf(view),
        upload: (key, bytes) => uploadToCache(view, key, bytes),
        mode: undefined,
        ref: 'refs/heads/main',
        repository,
        now: () => new Date(),
      }),
    ),
  artifact: () =>
    githubPlace((view) =>
      artifactStore({
        service: serviceOf(view),
        upload: async (name, member, bytes) => {
          // GitHub's own refusal, in the official client's words.
          if (view.artifacts().some((one) => one.name === name)) throw new Error('(409) Conflict');
          view.plantArtifact(name, Buffer.from(zipSync({ [member]: bytes }, { level: 0 })));
        },
        retentionDays: 0,
        retentionLimit: 90,
        now: () => new Date(),
        origin: { repositoryId: '42', repository, branch: 'main' },
      }),
    ),
  directory: async () => {
    const folder = mkdtempSync(join(tmpdir(), 'mcprt-contract-'));
    return {
      place: { open: () => directoryStore(folder), domain, overwrites: true },
      close: async () => rmSync(folder, { recursive: true }),
    };
  },
  oci: registryPlace,
  s3: bucketPlace,
};

it('is asked of every store', () => {
  expect(Object.keys(places)).toEqual([...storeNames]);
});

describe.each(Object.keys(places))('the contract of a store, kept by %s', (name) => {
  let opened: Opened | undefined;
  beforeAll(async () => {
    opened = await places[name]?.();
  });
  afterAll(() => opened?.close());

  it.each(contract)('$promise', async ({ holds }) => {
    expect(opened).toBeDefined();
    if (opened !== undefined) await holds(opened.place);
  });
});
