import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { packFolder } from './archive.js';
import { type Listening, listenOnLoopback } from './loopback.js';
import { archiveName, type Digests, digestOf, ownMachine, takePrebuilt } from './prebuilt.js';

const sources = 'abc';

describe('the lab of a release', () => {
  let folder: string;
  let server: Server;
  let listening: Listening;
  let address: string;
  let served: Buffer | undefined;
  let digests: Digests;
  let asked: string[];
  const told: string[] = [];

  const take = (over: Partial<Digests> = {}, env: NodeJS.ProcessEnv = { MCPRT_LAB_URL: address }): Promise<boolean> =>
    takePrebuilt(
      { sources, workshop: join(folder, 'workshop'), done: join(folder, 'done') },
      { env, progress: (line) => void told.push(line) },
      { ...digests, ...over },
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
    told.length = 0;
    server = createServer(({ url = '' }, answer) => {
      asked.push(url);
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
    expect(await take()).toBe(true);
    expect((await done()).sort()).toEqual(['crds', 'lab']);
    expect(await readFile(join(folder, 'done', 'crds', 'version'), 'utf8')).toBe('v1.21.2\n');
    const modes = await Promise.all(['lab', 'crds/version'].map((name) => stat(join(folder, 'done', name))));
    expect(modes.map(({ mode }) => mode & 0o777)).toEqual([0o755, 0o644]);
    expect(await readdir(join(folder, 'workshop'))).toEqual([]);
  });

  it('is packed into the same bytes, whatever the times of its files and their modes for others', async () => {
    await writeFile(join(folder, 'lab', 'lab'), 'a program', { mode: 0o755 });
    await packFolder(join(folder, 'lab'), join(folder, 'again.tar'));
    expect(await digestOf(join(folder, 'again.tar'))).toEqual(digests.archives[ownMachine]);
  });

  it('is not taken with another byte in it, and nothing of it is left', async () => {
    const tar = await readFile(join(folder, 'lab.tar'));
    const at = tar.indexOf('a program');
    tar[at] = 'A'.charCodeAt(0);
    served = gzipSync(tar);
    expect(await take()).toBe(false);
    expect(await done()).toEqual([]);
    expect(told.at(-1)).toMatch(/^ {2}that cannot be used: its digest is [0-9a-f]{64}, and lab\/prebuilt.json names/);
  });

  it('is not read further than its size', async () => {
    const [digest] = Object.values(digests.archives);
    const small = { sha256: digest?.sha256 ?? '', bytes: 512 };
    expect(await take({ archives: { [ownMachine]: small } })).toBe(false);
    expect(told.at(-1)).toBe('  that cannot be used: it has more than the 512 bytes that lab/prebuilt.json names');
  });

  it.each<[string, (whole: Buffer) => Buffer | undefined, string]>([
    ['the release does not have it', () => undefined, 'the answer is 404'],
    ['the answer is no archive', () => Buffer.from('<html>'), 'incorrect header check'],
    ['the answer ends too early', (whole) => whole.subarray(0, 40), 'unexpected end of file'],
  ])('is compiled where %s', async (_, change, why) => {
    served = change(served ?? Buffer.alloc(0));
    expect(await take()).toBe(false);
    expect(await done()).toEqual([]);
    expect(told.at(-1)).toBe(`  that cannot be used: ${why}`);
  });

  it('is not asked for where the sources are others, or the machine is of a kind that no release has', async () => {
    expect(await take({ sources: 'other' })).toBe(false);
    expect(await take({ archives: {} })).toBe(false);
    expect(asked).toEqual([]);
  });
});
