import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { zstdCompressSync } from 'node:zlib';
import { pack } from 'tar-stream';
import type { Github } from '../../lab/github/github.js';

/** A cache entry that would write outside of its folder if anything unpacked it. */
export interface Poison {
  key: string;
  /** What is on disk only if it was unpacked. */
  traces: string[];
}

const service = 'twirp/github.actions.results.api.v1.CacheService';

/**
 * Plants a cache entry under a newer name than any backup, as whoever may write to the repository's cache can: a file
 * with an absolute path, and a symlink through which the next file would be written. The official client unpacks both.
 */
export async function plantPoison(github: Github, folder: string, domain: string): Promise<Poison> {
  const [absolute, outside] = [join(folder, 'poison-absolute'), join(folder, 'poison-outside')];
  const tar = pack();
  tar.entry({ name: absolute }, 'planted');
  tar.entry({ name: 'mcprt-backup', type: 'symlink', linkname: outside });
  tar.entry({ name: 'mcprt-backup/backup.tar' }, 'planted');
  tar.finalize();
  const key = `mcprt-backup-${domain}-g00000099-r9.1`;
  await plantEntry(github, key, zstdCompressSync(await buffer(tar)));
  return { key, traces: [absolute, outside] };
}

/** Plants a cache entry with any bytes, where a backup would be looked for. */
export async function plantEntry(github: Github, key: string, bytes: Buffer): Promise<void> {
  const version = github.cacheEntries()[0]?.version ?? '';
  const { signed_upload_url: url } = await call(github, 'CreateCacheEntry', { key, version });
  await fetch(String(url), { method: 'PUT', headers: { 'x-ms-blob-type': 'BlockBlob' }, body: new Uint8Array(bytes) });
  await call(github, 'FinalizeCacheEntryUpload', { key, version, size_bytes: String(bytes.length) });
  if (!github.cacheEntries().some((entry) => entry.key === key)) throw new Error(`${key} was not planted`);
}

/** What a poisoned entry has left on disk. */
export function tracesOf({ traces }: Poison): string[] {
  return traces.filter((path) => existsSync(path));
}

async function call({ env }: Github, method: string, body: object): Promise<Record<string, unknown>> {
  const answer = await fetch(`${env.ACTIONS_RESULTS_URL}${service}/${method}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${env.ACTIONS_RUNTIME_TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return (await answer.json()) as Record<string, unknown>;
}
