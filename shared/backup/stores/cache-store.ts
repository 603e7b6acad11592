import { createHash } from 'node:crypto';
import { constants, gunzipSync, zstdDecompressSync } from 'node:zlib';
import { McprtError, messageOf } from '../../errors.js';
import { readTar } from '../archive.js';
import { limits } from '../limits.js';
import { malformed } from '../statement.js';
import type { ActionsService, CacheRefusal, Listed, RemoteCache } from './actions-service.js';
import { isWanted, nextWhenMissing, repositoryFate, type Store } from './store.js';

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
  /** Whose cache it is, as `owner/name`. */
  repository: string;
  now: () => Date;
}

/** After so many days without a visit an entry goes. */
const unreadDays = 7;

/** GitHub's cache: fast, and gone after a week without a visit or when the repository's quota is used up. */
export function cacheStore({ service, upload, mode, ref, repository, now }: CachePorts): Store {
  const requireReading = (): void => {
    if (mode !== 'none' && mode !== 'write-only') return;
    throw new McprtError('store-denied', {
      what: 'this job may not read the cache',
      why: `the workflow sets cache-mode: ${mode}`,
      next: 'set `cache-mode: read` for jobs that restore, and `cache-mode: write` for jobs that back up: they read back what they stored',
    });
  };
  const find = async (key: string): Promise<{ key: string; url: string }[]> => {
    requireReading();
    const found = await Promise.all(compressions.map((compression) => service.findCache(key, versionOf(compression))));
    return found.flatMap((one) => (one === undefined ? [] : [one]));
  };
  const fetchEntry = async (url: string): Promise<Buffer> => unpack(await service.download(url, limits.archiveBytes));
  const missed = (key: string): McprtError =>
    new McprtError('store-miss', {
      what: `the cache has no entry ${key}`,
      why: where,
      next: nextWhenMissing.cache,
    });
  const where = `looked from ${ref || 'an unknown ref'}, which sees its own entries and those of the default branch, with versions ${compressions.map((one) => `${versionOf(one).slice(0, 8)} (${one})`).join(', ')}. Entries go after 7 days without a visit, and sooner when the quota is full`;
  /** GitHub gives a run no entries but those of its own ref and of the default branch: none of a pull request's. */
  const listed = async (prefix: string): Promise<Listed<RemoteCache>> => {
    const branch = await service.defaultBranch();
    const refs = new Set([ref, branch === undefined ? '' : `refs/heads/${branch}`].filter((one) => one !== ''));
    try {
      const lists = await Promise.all([...refs].map((one) => service.listCaches(prefix, one)));
      return { items: lists.flatMap(({ items }) => items), cut: lists.find(({ cut }) => cut !== undefined)?.cut };
    } catch (error) {
      if (!(error instanceof McprtError) || !/^store-(?:token|unavailable)$/.test(error.code)) throw error;
      return { items: [], cut: error };
    }
  };
  const read = async (name: string): Promise<Buffer> => {
    const found = (await find(name)).find(({ key }) => key === name);
    if (found === undefined) throw missed(name);
    return fetchEntry(found.url);
  };
  return {
    name: 'cache',
    fate: repositoryFate(repository),
    async save(name, bytes) {
      let failure = 'the upload failed after it was accepted';
      const id = await upload(name, bytes).catch((error: unknown) => {
        failure = messageOf(error).slice(0, 300);
        return -1;
      });
      if (id === -1) {
        const refused = await service.whyCacheRefused(name, versionOf('zstd'));
        throw refusal(name, refused ?? { status: 200, message: failure }, mode);
      }
      return {
        where: `cache entry ${name}`,
        until: undefined,
        notes: ['kept for 7 days after the last visit, within the repository’s quota'],
      };
    },
    read,
    async list(wanted) {
      const prefix = 'name' in wanted ? wanted.name : wanted.prefix;
      // The newest is asked for by itself: any job may do that, and a list may not have it yet.
      const [newest, all] = await Promise.all([find(prefix), listed(prefix)]);
      const versions = compressions.map(versionOf);
      const ofBackups = all.items.filter(({ version }) => versions.includes(version));
      const ids = new Map(ofBackups.map(({ key, id }) => [key, id]));
      const urls = new Map(newest.map(({ key, url }) => [key, url]));
      const keys = [...new Set([...urls.keys(), ...ids.keys()])].filter((key) => isWanted(key, wanted));
      return {
        entries: keys.map((key) => ({
          name: key,
          foreign: undefined,
          fetch: () => {
            const url = urls.get(key);
            return url === undefined ? read(key) : fetchEntry(url);
          },
          remove: async () => {
            const id = ids.get(key);
            if (id === undefined) throw all.cut ?? unlisted(key);
            await service.remove('caches', id);
          },
        })),
        // Where there is no newest one there is none at all.
        cut: keys.length === 0 ? undefined : all.cut,
        where,
      };
    },
    async holds() {
      const until = new Date(now().getTime() + unreadDays * 24 * 3600_000);
      return {
        until,
        words: `${unreadDays} days after it was read last, and sooner when the repository’s quota is full`,
      };
    },
  };
}

function unlisted(key: string): McprtError {
  return new McprtError('store-prune', {
    what: `the cache does not list ${key} yet`,
    why: 'an entry is deleted by its number, which only the list has',
    next: 'nothing: the next backup tries again',
  });
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
      ? gunzipSync(archive, { maxOutputLength: limits.archiveBytes })
      : zstdDecompressSync(archive, {
          maxOutputLength: limits.archiveBytes,
          params: { [constants.ZSTD_d_windowLogMax]: 27 },
        });
  } catch {
    throw malformed('the cache entry is neither a zstd nor a gzip archive of a sensible size');
  }
  const member = (await readTar(tar, [cacheMember])).get(cacheMember);
  if (member === undefined) throw malformed('the cache entry holds no backup');
  return member;
}

/**
 * The error for a backup that the official client could not save; it logs why, and gives only -1.
 *
 * GitHub answers a duplicate with 409 `already_exists`, and a token without a writable scope with "cache write denied".
 * A repository over its cache quota becomes read-only, so that the same answer has two causes.
 */
function refusal(name: string, { status, message }: CacheRefusal, mode: string | undefined): McprtError {
  const make = (code: McprtError['code'], what: string, why: string, next: string): McprtError =>
    new McprtError(code, { what, why, next });
  if (mode === 'read' || mode === 'none') {
    return make(
      'store-read-only',
      'this run may not write to the cache',
      `the workflow sets cache-mode: ${mode}`,
      'set `cache-mode: write` for jobs that back up',
    );
  }
  if (status === 409 || /already[ _]exists/i.test(message)) {
    return make(
      'store-duplicate',
      `the name ${name} is taken in the cache`,
      `${message}: it was stored before, or its upload was begun and never finished`,
      'run the job again: each attempt stores under a name of its own',
    );
  }
  if (status === 429 && !/quota|storage/i.test(message)) {
    return make(
      'store-unavailable',
      'the cache takes no more calls for now',
      message,
      'too many calls in this repository: run it again in some minutes',
    );
  }
  if (/quota|storage|full|limit|exceed/i.test(message)) {
    return make(
      'store-full',
      'the repository’s cache is full',
      message,
      'delete old entries with `gh cache delete`, or rely on the artifact',
    );
  }
  if (status === 403 || /denied|read[- ]only|permission|not allowed|writable/i.test(message)) {
    return make(
      'store-read-only',
      'this run may not write to the cache',
      message,
      'run backups on push, schedule or workflow_dispatch of the default branch, with `cache-mode: write`; untrusted triggers get read-only tokens. If this is such a run, the repository’s cache is over its quota: delete old entries with `gh cache delete`',
    );
  }
  return make(
    'store-write',
    'the cache did not accept the backup',
    message,
    'run the job again; see githubstatus.com when it stays',
  );
}
