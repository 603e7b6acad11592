import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheMember } from '../backup/stores/cache-store.js';

/**
 * Saves a sealed backup with the official cache client, and gives the entry's id, or -1 when the service refused.
 *
 * The path is part of what an entry is found by, so it must be the same in every job: a relative one, below a folder
 * that is the workspace just for this call. The client is large and few operations need it: it is a bundle of its own,
 * loaded late (ncc would minify no chunk).
 */
export async function uploadToCache(key: string, bytes: Buffer): Promise<number> {
  const { saveCache } = await import(/* webpackIgnore: true */ './official-clients.js');
  return inTemporaryFolder(async (folder) => {
    await writeFileBelow(folder, cacheMember, bytes);
    const [workspace, here] = [process.env.GITHUB_WORKSPACE, process.cwd()];
    process.env.GITHUB_WORKSPACE = folder;
    process.chdir(folder);
    try {
      return await saveCache([cacheMember], key);
    } finally {
      process.chdir(here);
      if (workspace === undefined) delete process.env.GITHUB_WORKSPACE;
      else process.env.GITHUB_WORKSPACE = workspace;
    }
  });
}

/** Uploads a sealed backup with the official artifact client. */
export async function uploadToArtifact(
  name: string,
  member: string,
  bytes: Buffer,
  retentionDays: number,
): Promise<void> {
  const { DefaultArtifactClient } = await import(/* webpackIgnore: true */ './official-clients.js');
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
