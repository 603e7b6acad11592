import { createHash } from 'node:crypto';
import { constants, gunzipSync, zstdDecompressSync } from 'node:zlib';
import { McprtError } from '../../errors.js';
import { maximumArchiveBytes, readTar } from '../archive.js';
import { malformed } from '../statement.js';
import type { ActionsService } from './actions-service.js';
import { generationOf, type Store } from './store.js';

/** The one file in a cache entry. It is part of what an entry is found by: changing it hides every older backup. */
export const cacheMember = 'mcprt-backup/backup.tar';

/** How the official client may have compressed an entry: by what is installed on the runner that saved it. */
const compressions = ['zstd', 'zstd-without-long', 'gzip'] as const;

export interface CachePorts {
  service: ActionsService;
  /** Saves with the official client; -1 when refused. */
  upload: (key: string, bytes: Buffer) => Promise<number>;
  /** ACTIONS_CACHE_MODE, by which a workflow limits what its jobs may do with caches. */
  mode: string | undefined;
  ref: string;
}

/** GitHub's cache: fast, and gone after a week without a visit or when the repository's quota is used up. */
export function cacheStore({ service, upload, mode, ref }: CachePorts): Store {
  const find = async (key: string): Promise<{ key: string; url: string }[]> => {
    if (mode === 'none' || mode === 'write-only') {
      throw new McprtError('store-denied', {
        what: 'this job may not read the cache',
        why: `the workflow sets cache-mode: ${mode}`,
        next: 'set `cache-mode: read` for jobs that restore, and `cache-mode: write` for jobs that back up: they read back what they stored',
      });
    }
    const found = await Promise.all(compressions.map((compression) => service.findCache(key, versionOf(compression))));
    return found.flatMap((one) => (one === undefined ? [] : [one]));
  };
  const fetchEntry = async (url: string): Promise<Buffer> => unpack(await service.download(url, maximumArchiveBytes));
  const missed = (key: string): McprtError =>
    new McprtError('store-miss', {
      what: `the cache has no entry that starts with ${key}`,
      why: `looked from ${ref || 'an unknown ref'}, which sees its own entries and those of the default branch, with versions ${compressions.map((one) => `${versionOf(one).slice(0, 8)} (${one})`).join(', ')}. Entries go after 7 days without a visit, and sooner when the quota is full`,
      next: 'run backups on the default branch; restore from the artifact when the cache has lost it; `gh cache list` shows what is there',
    });
  return {
    name: 'cache',
    async save(name, bytes) {
      if ((await upload(name, bytes)) === -1) {
        throw refusal(name, await service.whyCacheRefused(name, versionOf('zstd')), mode);
      }
      return {
        where: `cache entry ${name}`,
        until: undefined,
        notes: ['kept for 7 days after the last visit, within the repository’s quota'],
      };
    },
    async newest(prefix) {
      const found = (await find(prefix)).sort((a, b) => generationOf(b.key) - generationOf(a.key));
      if (found[0] === undefined) throw missed(prefix);
      return { name: found[0].key, bytes: await fetchEntry(found[0].url) };
    },
    async read(name) {
      const found = (await find(name)).find(({ key }) => key === name);
      if (found === undefined) throw missed(name);
      return fetchEntry(found.url);
    },
  };
}

/** The version under which the official client files an entry (`getCacheVersion` of @actions/cache). */
function versionOf(compression: (typeof compressions)[number]): string {
  return createHash('sha256').update([cacheMember, compression, '1.0'].join('|')).digest('hex');
}

/** Unpacks in memory what the official client would unpack to wherever the archive says. */
async function unpack(archive: Buffer): Promise<Buffer> {
  let tar: Buffer;
  try {
    const gzip = archive[0] === 0x1f && archive[1] === 0x8b;
    tar = gzip
      ? gunzipSync(archive, { maxOutputLength: maximumArchiveBytes })
      : zstdDecompressSync(archive, {
          maxOutputLength: maximumArchiveBytes,
          params: { [constants.ZSTD_d_windowLogMax]: 27 },
        });
  } catch {
    throw malformed('the cache entry is neither a zstd nor a gzip archive of a sensible size');
  }
  const member = (await readTar(tar, [cacheMember])).get(cacheMember);
  if (member === undefined) throw malformed('the cache entry holds no backup');
  return member;
}

function refusal(name: string, why: string | undefined, mode: string | undefined): McprtError {
  const text = why ?? 'the upload failed after it was accepted';
  const make = (code: McprtError['code'], what: string, next: string): McprtError =>
    new McprtError(code, { what, why: text, next });
  if (mode === 'read' || mode === 'none' || /denied|read[- ]only|permission|not allowed/i.test(text)) {
    return make(
      'store-read-only',
      'this run may not write to the cache',
      'run backups on push, schedule or workflow_dispatch of the default branch, with `cache-mode: write`; untrusted triggers get read-only tokens',
    );
  }
  if (/already exists|exists/i.test(text)) {
    return make(
      'store-duplicate',
      `the cache already has an entry ${name}`,
      'run the job again: each attempt stores under a name of its own',
    );
  }
  if (/quota|full|storage|limit|exceed/i.test(text)) {
    return make(
      'store-full',
      'the repository’s cache is full',
      'delete old entries with `gh cache delete`, or rely on the artifact',
    );
  }
  return make(
    'store-write',
    'the cache did not accept the backup',
    'run the job again; see githubstatus.com when it stays',
  );
}
