import { fork } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import { cacheMember } from '../backup/stores/cache-store.js';

/** The official client gives up sooner; in ms. */
const uploadWithin = 300_000;

const told = z.union([z.strictObject({ id: z.number() }), z.strictObject({ failure: z.string() })]);

/**
 * Saves a sealed backup with the official cache client, and gives the entry's id, or -1 when the service refused.
 *
 * The path is part of what an entry is found by, so it must be the same in every job: a relative one. The client takes it
 * from the present folder, so it runs as a process that has one of its own: this one goes on with other stores meanwhile.
 */
export async function uploadToCache(key: string, bytes: Buffer): Promise<number> {
  const { program } = await import('./save-cache.js');
  return inTemporaryFolder(async (folder) => {
    await writeFileBelow(folder, cacheMember, bytes);
    const child = fork(program, [key, cacheMember], {
      cwd: folder,
      env: clientEnvironment(process.env, folder),
      execArgv: [],
      timeout: uploadWithin,
    });
    const answer = await new Promise<unknown>((resolve, reject) => {
      child.once('message', resolve);
      child.once('error', reject);
      child.once('exit', (code, signal) => reject(new Error(`the cache client ended with ${signal ?? code}`)));
    });
    const parsed = told.parse(answer);
    if ('failure' in parsed) throw new Error(parsed.failure);
    return parsed.id;
  });
}

/** What the client gets of this process: it has no use for the inputs of the step, and some of them are keys. */
export function clientEnvironment(env: NodeJS.ProcessEnv, folder: string): NodeJS.ProcessEnv {
  const inherited = Object.entries(env).filter(([name]) => !name.startsWith('INPUT_'));
  return { ...Object.fromEntries(inherited), GITHUB_WORKSPACE: folder };
}

/** Uploads a sealed backup with the official artifact client. */
export async function uploadToArtifact(
  name: string,
  member: string,
  bytes: Buffer,
  retentionDays: number,
): Promise<void> {
  const { DefaultArtifactClient } = await import('./official-clients.js');
  await inTemporaryFolder(async (folder) => {
    const path = await writeFileBelow(folder, member, bytes);
    const options = retentionDays > 0 ? { retentionDays } : {};
    await new DefaultArtifactClient().uploadArtifact(name, [path], folder, { ...options, compressionLevel: 0 });
  });
}

async function inTemporaryFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(process.env.RUNNER_TEMP || tmpdir(), 'mcprt-'));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Only sealed bytes ever get here: what is on disk is what the store will hold. */
async function writeFileBelow(folder: string, name: string, bytes: Buffer): Promise<string> {
  const path = join(folder, name);
  await mkdir(join(path, '..'), { recursive: true, mode: 0o700 });
  await writeFile(path, bytes, { mode: 0o600, flag: 'wx' });
  return path;
}
