import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { packFolder } from './archive.js';
import { root } from './folders.js';
import { type Listening, listenOnLoopback } from './loopback.js';
import { archiveName, type Digests, digestOf, type Otherwise, ownMachine, takePrebuilt } from './prebuilt.js';

const sources = 'abc';

describe('the lab of a release', () => {
  let folder: string;
  let server: Server;
  let listening: Listening;
  let address: string;
  let served: Buffer | undefined;
  let digests: Digests;
  let asked: string[];
  let encoding = '';
  const told: string[] = [];

  const take = (
    over: Partial<Digests> = {},
    {
      env = { MCPRT_LAB_URL: address },
      ...more
    }: Partial<Otherwise> & { env?: NodeJS.ProcessEnv; signal?: AbortSignal } = {},
  ): Promise<string | undefined> =>
    takePrebuilt(
      { sources, workshop: join(folder, 'workshop'), done: join(folder, 'done') },
      { env, progress: (line) => void told.push(line), ...(more.signal && { signal: more.signal }) },
      { ...more, digests: { ...digests, ...over } },
    );
  const done = (): Promise<string[]> => readdir(join(folder, 'done'));

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mcprt-prebuilt-'));
    for (const name of ['lab/crds', 'workshop', 'done']) await mkdir(join(folder, name), { recursive: true });
    await writeFile(join(folder, 'lab', 'lab'), 'a program', { mode: 0o700 });
    await writeFile(join(folder, 'lab', 'crds', 'version'), 'v1.21.2\n', { mode: 0o400 });
    await packFolder(join(folder, 'lab'), join(folder, 'lab.tar'));
    served = gzipSync(await readFile(join(folder, 'lab.tar')));
    const digest = await digestOf(join(folder, 'lab.tar'));
    digests = { sources, go: '1.26.8', archives: { [ownMachine]: digest } };
    asked = [];
    encoding = '';
    told.length = 0;
    server = createServer(({ url = '' }, answer) => {
      asked.push(url);
      if (encoding !== '') answer.setHeader('content-encoding', encoding);
      if (url === `/${archiveName(sources, ownMachine)}` && served !== undefined) answer.end(served);
      else answer.writeHead(404).end();
    });
    listening = await listenOnLoopback(server);
    address = `http://127.0.0.1:${listening.port}`;
  });
  afterEach(async () => {
    await listening.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('is taken where it is what these sources give', async () => {
    expect(await take()).toBe(undefined);
    expect((await done()).sort()).toEqual(['crds', 'lab']);
    expect(await readFile(join(folder, 'done', 'crds', 'version'), 'utf8')).toBe('v1.21.2\n');
    const modes = await Promise.all(['lab', 'crds/version'].map((name) => stat(join(folder, 'done', name))));
    expect(modes.map(({ mode }) => mode & 0o777)).toEqual([0o755, 0o644]);
    expect(await readdir(join(folder, 'workshop'))).toEqual([]);
  });

  it.each([
    ['of what is in it', (whole: Buffer) => whole],
    ['of the file as it is', (whole: Buffer) => gzipSync(whole)],
  ])('is taken from a server that calls gzip an encoding %s', async (_, change) => {
    encoding = 'gzip';
    served = change(served ?? Buffer.alloc(0));
    expect(await take()).toBe(undefined);
    expect((await done()).sort()).toEqual(['crds', 'lab']);
  });

  it('is packed into the same bytes, whatever the times of its files and their modes for others', async () => {
    await chmod(join(folder, 'lab', 'lab'), 0o755);
    for (const name of ['lab', 'crds/version']) await utimes(join(folder, 'lab', name), 1e9, 1e9);
    await packFolder(join(folder, 'lab'), join(folder, 'again.tar'));
    expect(await digestOf(join(folder, 'again.tar'))).toEqual(digests.archives[ownMachine]);
  });

  it('is not taken with another byte in it, and nothing of it is left', async () => {
    const tar = await readFile(join(folder, 'lab.tar'));
    const at = tar.indexOf('a program');
    tar[at] = 'A'.charCodeAt(0);
    served = gzipSync(tar);
    expect(await take()).toMatch(/^its digest is/);
    expect(await done()).toEqual([]);
    expect(told.at(-1)).toMatch(/^ {2}that cannot be used: its digest is [0-9a-f]{64}, and lab\/prebuilt.json names/);
  });

  it('is not read further than its size', async () => {
    const [digest] = Object.values(digests.archives);
    const small = { sha256: digest?.sha256 ?? '', bytes: 512 };
    expect(await take({ archives: { [ownMachine]: small } })).toBe(
      'it has more than the 512 bytes that lab/prebuilt.json names',
    );
  });

  it.each<[string, (whole: Buffer) => Buffer | undefined, string]>([
    ['the release does not have it', () => undefined, 'the answer is 404'],
    ['the answer is no archive', () => Buffer.from('<html>'), 'incorrect header check'],
    ['the answer ends too early', (whole) => whole.subarray(0, 40), 'unexpected end of file'],
  ])('is compiled where %s', async (_, change, why) => {
    served = change(served ?? Buffer.alloc(0));
    expect(await take()).toBe(why);
    expect(await done()).toEqual([]);
    expect(told.at(-1)).toBe(`  that cannot be used: ${why}`);
  });

  it('is not asked for where the sources are others, or the machine is of a kind that no release has', async () => {
    expect(await take({ sources: 'other' })).toBe('there is none of these sources');
    expect(await take({ archives: {} })).toBe(`there is none for ${ownMachine}`);
    expect(asked).toEqual([]);
  });

  it('is asked for where this version is released: in the repository that the action is from', async () => {
    const env = { GITHUB_SERVER_URL: address, GITHUB_ACTION_REPOSITORY: 'acme/mcprt' };
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
    expect(await take({}, { env })).toBe('the answer is 404');
    expect(asked).toEqual([`/acme/mcprt/releases/download/v${version}/${archiveName(sources, ownMachine)}`]);
  });

  it('is asked for through the proxy of the machine', async () => {
    const env = { MCPRT_LAB_URL: 'http://mirror.example.com/mcprt', HTTP_PROXY: address, http_proxy: address };
    expect(await take({}, { env })).toBe('the answer is 404');
    expect(asked).toEqual([`http://mirror.example.com/mcprt/${archiveName(sources, ownMachine)}`]);
  });

  it.each([
    ['file:///srv/lab', 'MCPRT_LAB_URL is no http or https address'],
    ['mirror', 'MCPRT_LAB_URL is no http or https address'],
    ['https://user:hunter2@mirror.example.com', 'MCPRT_LAB_URL may hold no password'],
  ])('is not asked for at %s', async (url, why) => {
    expect(await take({}, { env: { MCPRT_LAB_URL: url } })).toBe(why);
    expect(told.join()).not.toContain('hunter2');
  });

  it('says why nobody answers', async () => {
    await listening.close();
    expect(await take()).toMatch(/^fetch failed: connect ECONNREFUSED 127\.0\.0\.1:\d+$/);
  });

  it.each([
    ['of which nothing more comes', { all: 60_000, more: 100 }, 'nothing more comes after 0.1 s'],
    ['that is not whole in time', { all: 100, more: 60_000 }, 'it is not whole after 0.1 s'],
  ])('is not waited for for ever: an answer %s', async (_, patience, why) => {
    server.removeAllListeners('request').on('request', (__, answer) => void answer.write((served ?? '').slice(0, 20)));
    expect(await take({}, { patience })).toBe(why);
    server.removeAllListeners('request').on('request', () => undefined);
    expect(await take({}, { patience })).toBe(why);
  });

  it('ends with a cancel', async () => {
    server.removeAllListeners('request').on('request', () => undefined);
    await expect(take({}, { signal: AbortSignal.timeout(50) })).rejects.toThrow('timeout');
    expect(await readdir(join(folder, 'workshop'))).toEqual([]);
  });
});
