import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { zipSync } from 'fflate';
import type { Github } from '../../lab/github/github.js';
import { readBackupKey, readRestoreKey } from '../../shared/backup/keys.js';
import { authenticate, openBackup, sealBackup } from '../../shared/backup/seal.js';
import type { BackupContext } from '../../shared/backup/statement.js';
import { nameFor } from '../../shared/backup/stores/store.js';
import type { World } from '../world/world.js';

const unmasked = (): void => undefined;

/** A run of a fork's pull request, whose author calls their branch as they like: here as our default branch. */
export function forkOf(github: Github, id: number): Github {
  return github.as({
    id,
    event: 'pull_request',
    ref: 'refs/pull/7/merge',
    baseRef: 'main',
    headBranch: 'main',
    isFromFork: true,
  });
}

/** What the artifact store unpacks. */
export function zipOf(bytes: Buffer): Buffer {
  return Buffer.from(zipSync({ 'backup.tar': new Uint8Array(bytes) }));
}

/** The name that a backup of this generation would have. */
export function nameOf({ domain }: World, generation: number, runId = '900'): string {
  return nameFor(domain, generation, { runId, runAttempt: '1' });
}

/** The bytes of a backup in a folder, by its generation. */
export async function bytesOf(folder: string, generation: number): Promise<Buffer> {
  const digits = String(generation).padStart(8, '0');
  const name = (await readdir(folder)).find((file) => file.includes(`-g${digits}-`));
  if (name === undefined) throw new Error(`${folder} has no generation ${generation}`);
  return readFile(join(folder, name));
}

/** A genuine backup made anew with another context, which only the holder of all keys can do, under its own name. */
export async function resealed(
  { keys }: World,
  bytes: Buffer,
  change: Partial<BackupContext>,
): Promise<{ name: string; bytes: Buffer }> {
  const key = readRestoreKey(keys.restore, unmasked);
  const opened = await authenticate(bytes, key.signers);
  const snapshot = await openBackup(opened, key);
  const context = { ...opened.context, ...change };
  const sealed = await sealBackup(snapshot, context, readBackupKey(keys.backup, unmasked));
  return { name: nameFor(context.domain, context.generation, context), bytes: sealed };
}

/** Puts files into the folder of a directory store. */
export async function store(folder: string, ...backups: readonly { name: string; bytes: Buffer }[]): Promise<void> {
  await Promise.all(backups.map(({ name, bytes }) => writeFile(join(folder, `${name}.mcprt`), bytes)));
}
