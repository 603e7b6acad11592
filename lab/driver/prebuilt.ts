import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { createGunzip } from 'node:zlib';
import * as z from 'zod';
import { toldBy } from '../../shared/errors.js';
import { httpFetch } from '../../shared/http.js';
import { isRecord } from '../../shared/json.js';
import { proxiesIn } from '../../shared/proxy.js';
import { unpackFolder } from './archive.js';
import { root } from './folders.js';
import type { BuildOptions } from './module-program.js';

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
/** Until the whole file is there, and until more of it is. In ms. */
const patience = { all: 300_000, more: 20_000 } as const;
export type Patience = { readonly [name in keyof typeof patience]: number };

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

/** What a test has otherwise. */
export interface Otherwise {
  digests?: Digests;
  patience?: Patience;
}

/**
 * Takes the lab's programs from the release, where they are those that these sources give: the repository has their digest, so that
 * it does not matter where they come from. `MCPRT_LAB_URL` is another place to look, such as a mirror.
 *
 * @returns undefined where they are there; otherwise why they have to be compiled
 * @throws the signal's reason
 */
export async function takePrebuilt(
  { sources, workshop, done }: Places,
  { env, progress, signal }: BuildOptions,
  otherwise: Otherwise = {},
): Promise<string | undefined> {
  const known = otherwise.digests ?? (await readDigests());
  const digest = known.archives[ownMachine];
  if (digest === undefined) return `there is none for ${ownMachine}`;
  if (known.sources !== sources) return 'there is none of these sources';
  const file = join(workshop, 'lab.tar');
  try {
    const address = await addressOf(archiveName(sources, ownMachine), env);
    progress(`downloading the lab that is released with these sources: ${address}`);
    const started = performance.now();
    await download(address, file, digest.bytes, { env, signal, patience: otherwise.patience ?? patience });
    await requireDigest(file, digest);
    await unpackFolder(file, done);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    progress(`  downloaded in ${seconds} s, its digest is that of lab/prebuilt.json`);
    return undefined;
  } catch (error) {
    signal?.throwIfAborted();
    const reason = reasonOf(error);
    progress(`  that cannot be used: ${reason}`);
    await rm(done, { recursive: true, force: true });
    await mkdir(done);
    return reason;
  } finally {
    await rm(file, { force: true });
  }
}

/** What `fetch` says of a failure is in its cause. */
function reasonOf(error: unknown): string {
  const cause = isRecord(error) ? error.cause : undefined;
  const more = isRecord(cause) && typeof cause.message === 'string' && cause.message !== '' ? `: ${cause.message}` : '';
  return `${toldBy(error)}${more}`;
}

/**
 * Where a file of this version's release is: in the very repository that the action is used from, or in the place that is named.
 *
 * @throws Error for a place that nothing can be taken from
 */
async function addressOf(name: string, env: NodeJS.ProcessEnv): Promise<URL> {
  const { MCPRT_LAB_URL: named, GITHUB_ACTION_REPOSITORY: own, GITHUB_SERVER_URL: server } = env;
  if (named) {
    const place = URL.parse(named.endsWith('/') ? named : `${named}/`);
    if (place === null || !/^https?:$/.test(place.protocol))
      throw new Error('MCPRT_LAB_URL is no http or https address');
    // Who is told the address is told the password.
    if (place.username !== '' || place.password !== '') throw new Error('MCPRT_LAB_URL may hold no password');
    return new URL(name, place);
  }
  const text = await readFile(join(root, 'package.json'), 'utf8');
  const { version } = z.object({ version: z.string() }).parse(JSON.parse(text));
  const repository = own ? `${server || 'https://github.com'}/${own}` : 'https://github.com/org/mcprt';
  return new URL(`${repository}/releases/download/v${version}/${name}`);
}

/** How something is downloaded. */
interface Download {
  env: NodeJS.ProcessEnv;
  signal: AbortSignal | undefined;
  patience: Patience;
}

/** @param most bytes of the file that is in it. @throws what stands in the way */
async function download(address: URL, file: string, most: number, { env, signal, patience }: Download): Promise<void> {
  const late = new AbortController();
  const waits = (ms: number, what: string): NodeJS.Timeout =>
    setTimeout(() => late.abort(new Error(`${what} after ${ms / 1000} s`)), ms);
  const timers = [waits(patience.all, 'it is not whole'), waits(patience.more, 'nothing more comes')];
  const [, more] = timers;
  const ended = signal === undefined ? late.signal : AbortSignal.any([late.signal, signal]);
  try {
    const answer = await httpFetch(address.href, { signal: ended }, proxiesIn(env));
    if (!answer.ok || answer.body === null) {
      await answer.body?.cancel();
      throw new Error(`the answer is ${answer.status}`);
    }
    let bytes = 0;
    await pipeline(
      Readable.fromWeb(answer.body as ReadableStream<Uint8Array>),
      async function* (chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) {
          more?.refresh();
          yield chunk;
        }
      },
      answer.headers.has('content-encoding') ? unpacked : createGunzip(),
      async function* (chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) {
          bytes += chunk.length;
          if (bytes > most) throw new Error(`it has more than the ${most} bytes that lab/prebuilt.json names`);
          yield chunk;
        }
      },
      createWriteStream(file),
      { signal: ended },
    );
  } catch (error) {
    late.signal.throwIfAborted();
    throw error;
  } finally {
    for (const timer of timers) clearTimeout(timer);
  }
}

/** A server that calls the file an encoding of its content has it unpacked on the way: then it is the tar file already. */
async function* unpacked(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const all = chunks[Symbol.asyncIterator]();
  const first = await all.next();
  const rest = async function* (): AsyncGenerator<Buffer> {
    if (first.done) return;
    yield first.value;
    for (let next = await all.next(); !next.done; next = await all.next()) yield next.value;
  };
  const isPacked = !first.done && first.value[0] === 0x1f && first.value[1] === 0x8b;
  // What fails on the way ends the unpacking too.
  yield* isPacked ? Readable.from(rest()).compose(createGunzip()) : rest();
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
