import { z } from 'zod';
import type { Blobs } from './blobs.js';
import type { CacheStore } from './cache-store.js';
import type { Faults } from './faults.js';
import { json } from './http.js';
import { READ, WRITE } from './scopes.js';
import type { Caller } from './tokens.js';
import { method, type TwirpService, twirpError } from './twirp.js';

const KEY = z
  .string()
  .min(1)
  .max(512)
  .regex(/^[^,]*$/, 'keys cannot contain commas');
const VERSION = z.string().min(1);
const MAX_KEYS = 10;

const RESERVE = z.strictObject({ key: KEY, version: VERSION });
const FINALIZE = z.strictObject({ key: KEY, version: VERSION, size_bytes: z.string().regex(/^\d+$/).default('0') });
const FIND = z.strictObject({
  key: KEY,
  restore_keys: z
    .array(KEY)
    .max(MAX_KEYS - 1)
    .default([]),
  version: VERSION,
});

const READ_DENIED = 'cache read denied: token has no readable scopes';
const WRITE_DENIED = 'cache write denied: token has no writable scopes';
const TAKEN = 'cache entry with the same key, version, and scope already exists';

export interface CacheServiceOptions {
  readonly store: CacheStore;
  readonly blobs: Blobs;
  readonly faults: Faults;
}

/**
 * Version 2 of the cache service. Messages and codes are those that the real one is known to send: a duplicate is a
 * conflict, a read-only token an answer that is not ok. The answer of a full cache is not documented; it is modelled
 * as the read-only one, which GitHub says such a cache becomes.
 */
export function cacheService({ store, blobs, faults }: CacheServiceOptions): TwirpService {
  const writableScope = (caller: Caller) => {
    const isDenied = faults.hits('read-only', 'cache') || faults.hits('full', 'cache');
    return isDenied ? undefined : caller.scopes.find(({ permission }) => permission & WRITE)?.scope;
  };
  return {
    name: 'github.actions.results.api.v1.CacheService',
    service: 'cache',
    methods: {
      CreateCacheEntry: method(RESERVE, ({ key, version }, { caller, origin }) => {
        const scope = writableScope(caller);
        if (scope === undefined) return json(200, { ok: false, signed_upload_url: '', message: WRITE_DENIED });
        const entry = faults.hits('duplicate', 'cache') ? undefined : store.reserve(key, version, scope);
        if (entry === undefined) return twirpError('already_exists', TAKEN);
        return json(200, { ok: true, signed_upload_url: blobs.sign(entry.blob, 'write', origin), message: '' });
      }),
      FinalizeCacheEntryUpload: method(FINALIZE, ({ key, version, size_bytes }, { caller }) => {
        const scope = caller.scopes.find(({ permission }) => permission & WRITE)?.scope;
        const entry = scope === undefined ? undefined : store.finalize(key, version, scope, Number(size_bytes));
        if (entry !== undefined) return json(200, { ok: true, entry_id: String(entry.id), message: '' });
        return json(200, { ok: false, entry_id: '0', message: 'no upload of this key, version and size to finalize' });
      }),
      GetCacheEntryDownloadURL: method(FIND, ({ key, restore_keys, version }, { caller, origin }) => {
        const scopes = caller.scopes.filter(({ permission }) => permission & READ).map(({ scope }) => scope);
        if (scopes.length === 0) return twirpError('permission_denied', READ_DENIED);
        const entry = store.find({ key, restoreKeys: restore_keys, version, scopes });
        if (entry === undefined) return json(200, { ok: false, signed_download_url: '', matched_key: '' });
        const signed = blobs.sign(entry.blob, 'read', origin);
        return json(200, { ok: true, signed_download_url: signed, matched_key: entry.key });
      }),
    },
  };
}
