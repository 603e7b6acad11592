import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import * as z from 'zod';
import { toldBy } from '../../shared/errors.js';
import { httpFetch } from '../../shared/http.js';
import { proxiesIn } from '../../shared/proxy.js';
import { unpackFolder } from './archive.js';
import { root } from './folders.js';
import type { ModuleOptions } from './module-program.js';

/** What the lab's programs are when they are built from these sources: the tar file of them, before it is compressed. */
const digestsShape = z.object({
  /** Of the sources that they are built from. */
  sources: z.string(),
  /** The Go that gives these bytes. */
  go: z.string(),
  archives: z.record(z.string(), z.object({ sha256: z.string(), bytes: z.number() })),
});
export type Digests = z.infer<typeof digestsShape>;
type Digest = Digests['archives'][string];

export const digestsFile = join(root, 'lab', 'prebuilt.json');
/** Until the whole file is there, in ms; and until the first of it is. */
const deadline = 300_000;
const patience = 20_000;

/** What is committed of the release's archives. */
export async function readDigests(): Promise<Digests> {
  return digestsShape.parse(JSON.parse(await readFile(digestsFile, 'utf8')));
}

/** The name of a release's file for a kind of machine, such as `linux-x64`. */
export const archiveName = (sources: string, machine: string): string => `mcprt-lab-${sources}-${machine}.tar.gz`;

/** Of this machine. */
export const ownMachine = `${process.platform}-${process.arch}`;

/** Where a build goes: a folder for it, and one for what is needed meanwhile. */
export interface Places {
  sources: string;
  workshop: string;
  done: string;
}

/**
 * Takes the lab's programs from the release, where they are those that these sources give: the repository has their digest, so that
 * it does not matter where they come from. `MCPRT_LAB_URL` is another place to look, such as a mirror.
 *
 * @param digests what is committed of them
 * @returns whether they are there; why not is told, and they have to be compiled then
 */
export async function takePrebuilt(
  { sources, workshop, done }: Places,
  { env, progress }: ModuleOptions,
  digests?: Digests,
): Promise<boolean> {
  const known = digests ?? (await readDigests());
  const digest = known.archives[ownMachine];
  if (digest === undefined || known.sources !== sources) return false;
  const address = `${env.MCPRT_LAB_URL || (await releaseAddress(env))}/${archiveName(sources, ownMachine)}`;
  const file = join(workshop, 'lab.tar');
  try {
    progress(`downloading the lab that is released with these sources: ${address}`);
    const started = performance.now();
    await download(address, file, digest.bytes, env);
    await requireDigest(file, digest);
    await unpackFolder(file, done);
    progress(
      `  downloaded in ${((performance.now() - started) / 1000).toFixed(1)} s, its digest is that of lab/prebuilt.json`,
    );
    return true;
  } catch (error) {
    progress(`  that cannot be used: ${toldBy(error)}`);
    await rm(done, { recursive: true, force: true });
    await mkdir(done);
    return false;
  } finally {
    await rm(file, { force: true });
  }
}

/** Where the files of this version's release are. On a runner, of the very repository that the action is used from. */
async function releaseAddress(env: NodeJS.ProcessEnv): Promise<string> {
  const { GITHUB_ACTION_REPOSITORY: own, GITHUB_SERVER_URL: server } = env;
  const text = await readFile(join(root, 'package.json'), 'utf8');
  const { version } = z.object({ version: z.string() }).parse(JSON.parse(text));
  const repository = own ? `${server || 'https://github.com'}/${own}` : 'https://github.com/org/mcprt';
  return `${repository}/releases/download/v${version}`;
}

/** @param most bytes of the file that is in it. @throws what stands in the way */
async function download(address: string, file: string, most: number, env: NodeJS.ProcessEnv): Promise<void> {
  const late = new AbortController();
  const waiting = setTimeout(() => late.abort(new Error(`there is no answer after ${patience / 1000} s`)), patience);
  const signal = AbortSignal.any([late.signal, AbortSignal.timeout(deadline)]);
  try {
    const answer = await httpFetch(address, { signal }, proxiesIn(env));
    clearTimeout(waiting);
    if (!answer.ok || answer.body === null) {
      await answer.body?.cancel();
      throw new Error(`the answer is ${answer.status}`);
    }
    let bytes = 0;
    await pipeline(
      Readable.fromWeb(answer.body as import('node:stream/web').ReadableStream<Uint8Array>),
      createGunzip(),
      async function* (chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) {
          bytes += chunk.length;
          if (bytes > most) throw new Error(`it has more than the ${most} bytes that lab/prebuilt.json names`);
          yield chunk;
        }
      },
      createWriteStream(file, { mode: 0o600 }),
      { signal },
    );
  } finally {
    clearTimeout(waiting);
  }
}

/** The digest of a tar file. */
export async function digestOf(file: string): Promise<Digest> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return { sha256: hash.digest('hex'), bytes: (await stat(file)).size };
}

/** @throws Error where a file is not the one that these sources give */
async function requireDigest(file: string, { sha256 }: Digest): Promise<void> {
  const found = await digestOf(file);
  if (found.sha256 !== sha256) throw new Error(`its digest is ${found.sha256}, and lab/prebuilt.json names ${sha256}`);
}
