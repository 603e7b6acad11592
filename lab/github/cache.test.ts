import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { restoreCache, saveCache } from '@actions/cache';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type Github, type GithubOptions, startGithub } from './github.js';
import { inRun } from './in-run.js';
import { quickTimers } from './quick-timers.js';

describe('the cache service, used by the real client', () => {
  const home = process.cwd();
  let folder: string;
  let github: Github;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'mcprt-cache-'));
    // The version of an entry depends on the literal path, so that all runs must name the same relative one.
    process.chdir(folder);
    github = await startGithub();
  });

  afterEach(async () => {
    process.chdir(home);
    rmSync(folder, { recursive: true });
    jest.restoreAllMocks();
    await github.close();
  });

  async function restart(options: GithubOptions): Promise<void> {
    await github.close();
    github = await startGithub(options);
  }

  /** The id of the new entry, -1 when it was not saved; and the log. */
  async function save(as: Github, key: string, content = key, without: readonly string[] = []) {
    writeFileSync('backup.bin', content);
    const { result, log } = await inRun(as, () => saveCache(['backup.bin'], key), { folder, without });
    return { saved: result !== -1, log };
  }

  /** The key that was found, and what the file then holds. */
  async function restore(as: Github, key: string, restoreKeys: string[] = [], without: readonly string[] = []) {
    writeFileSync('backup.bin', 'nothing');
    const action = () => restoreCache(['backup.bin'], key, restoreKeys);
    const { result, log } = await inRun(as, action, { folder, without });
    return { key: result, content: readFileSync('backup.bin', 'utf8'), log };
  }

  it('gives back in another run what one run saved', async () => {
    expect(await save(github, 'backup-1', 'the bytes')).toMatchObject({ saved: true });
    const later = github.as({ id: 9_000_000_002 });
    expect(await restore(later, 'backup-1')).toMatchObject({ key: 'backup-1', content: 'the bytes' });
    expect(github.cacheEntries()).toEqual([expect.objectContaining({ key: 'backup-1', scope: 'refs/heads/main' })]);
  });

  it('misses what is not there', async () => {
    expect(await restore(github, 'backup-1')).toMatchObject({ key: undefined, content: 'nothing' });
  });

  it('finds the newest entry by prefix: of the key first, then of each restore key in turn', async () => {
    for (const key of ['a-1', 'a-2', 'b-1', 'b-2']) await save(github, key);
    expect(await restore(github, 'a-')).toMatchObject({ key: 'a-2', content: 'a-2' });
    expect(await restore(github, 'a-1')).toMatchObject({ key: 'a-1' });
    expect(await restore(github, 'c-1', ['c-', 'b-', 'a-'])).toMatchObject({ key: 'b-2', content: 'b-2' });
  });

  it('misses an entry that was saved for another path', async () => {
    await save(github, 'backup-1');
    const other = () => restoreCache(['other.bin'], 'backup-1');
    expect((await inRun(github, other, { folder })).result).toBeUndefined();
  });

  it('refuses to overwrite an entry, with the conflict that the client only logs', async () => {
    await save(github, 'backup-1', 'first');
    const { saved, log } = await save(github, 'backup-1', 'second');
    expect(saved).toBe(false);
    expect(log).toContain('another job may be creating this cache');
    expect(await restore(github, 'backup-1')).toMatchObject({ content: 'first' });
  });

  it('shows a branch the default branch, and the default branch no other one', async () => {
    const branch = github.as({ ref: 'refs/heads/feature' });
    await save(github, 'main-1');
    await save(branch, 'feature-1');
    expect(await restore(branch, 'main-1')).toMatchObject({ key: 'main-1' });
    expect(await restore(github, 'feature-1')).toMatchObject({ key: undefined });
    expect(await restore(github.as({ ref: 'refs/heads/other' }), 'feature-1')).toMatchObject({ key: undefined });
  });

  it('prefers the own scope to a newer entry of the default branch', async () => {
    const branch = github.as({ ref: 'refs/heads/feature' });
    await save(branch, 'backup-1');
    await save(github, 'backup-2');
    expect(await restore(branch, 'backup-')).toMatchObject({ key: 'backup-1' });
  });

  it('keeps what a pull request saves from its base branch', async () => {
    const pull = github.as({ ref: 'refs/pull/7/merge', baseRef: 'release', event: 'pull_request', isFromFork: true });
    const base = github.as({ ref: 'refs/heads/release' });
    await save(base, 'base-1');
    await save(pull, 'pull-1');
    expect(await restore(pull, 'base-1')).toMatchObject({ key: 'base-1' });
    expect(await restore(pull, 'pull-1')).toMatchObject({ key: 'pull-1' });
    expect(await restore(base, 'pull-1')).toMatchObject({ key: undefined });
    expect(await restore(github, 'pull-1')).toMatchObject({ key: undefined });
  });

  it.each([
    ['an event that strangers can cause', { event: 'pull_request_target' }],
    ['the cache mode', { cacheMode: 'read' }],
  ] as const)('lets a run read and not write because of %s', async (_, run) => {
    await save(github, 'backup-1');
    const reader = github.as(run);
    const { saved, log } = await save(reader, 'backup-2', 'x', ['ACTIONS_CACHE_MODE']);
    expect(saved).toBe(false);
    expect(log).toContain('cache write denied: token has no writable scopes');
    expect(await restore(reader, 'backup-1')).toMatchObject({ key: 'backup-1' });
  });

  it('lets a write-only run write and not read', async () => {
    const writer = github.as({ cacheMode: 'write-only' });
    expect(await save(writer, 'backup-1')).toMatchObject({ saved: true });
    const denied = await restore(writer, 'backup-1', [], ['ACTIONS_CACHE_MODE']);
    expect(denied).toMatchObject({ key: undefined, log: expect.stringContaining('cache read denied:') });
    expect((await restore(writer, 'backup-1')).log).toContain('does not permit reads');
  });

  it('makes room by removing what was not used for longest', async () => {
    // Three of these do not fit in two kilobytes, two do.
    const incompressible = () => randomBytes(600).toString('base64');
    await restart({ cacheLimitBytes: 2048 });
    await save(github, 'a', incompressible());
    await save(github, 'b', incompressible());
    await restore(github, 'a');
    await save(github, 'c', incompressible());
    expect(github.cacheEntries().map(({ key }) => key)).toEqual(['a', 'c']);
  });

  it('removes what was not used for seven days', async () => {
    let day = 0;
    await restart({ now: () => new Date(Date.UTC(2026, 10, 1 + day)) });
    await save(github, 'backup-1');
    day = 6;
    expect(await restore(github.as({}), 'backup-1')).toMatchObject({ key: 'backup-1' });
    day = 12;
    expect(github.cacheEntries()).toHaveLength(1);
    day = 13;
    expect(await restore(github.as({}), 'backup-1')).toMatchObject({ key: undefined });
  });

  it('loses an entry that is evicted', async () => {
    await save(github, 'backup-1');
    expect(github.evict('backup-1')).toBe(1);
    expect(await restore(github, 'backup-1')).toMatchObject({ key: undefined });
    expect(github.evict('backup-1')).toBe(0);
  });

  it.each(['read-only', 'full'] as const)('is %s on demand', async (kind) => {
    github.inject({ kind });
    expect(await save(github, 'a')).toMatchObject({
      saved: false,
      log: expect.stringContaining('cache write denied:'),
    });
    github.clearFaults();
    expect(await save(github, 'a')).toMatchObject({ saved: true });
  });

  it('takes a key for taken on demand, once', async () => {
    github.inject({ kind: 'duplicate', on: 'cache', times: 1 });
    expect(await save(github, 'a')).toMatchObject({ saved: false });
    expect(await save(github, 'a')).toMatchObject({ saved: true });
  });

  it('is down on demand, which the client outlasts when it is short', async () => {
    quickTimers();
    github.inject({ kind: 'down', on: 'cache', times: 1 });
    expect(await save(github, 'a')).toMatchObject({
      saved: true,
      log: expect.stringContaining('Attempt 1 of 5 failed'),
    });
    github.inject({ kind: 'down' });
    expect(await save(github, 'b')).toMatchObject({
      saved: false,
      log: expect.stringContaining('Attempt 4 of 5 failed'),
    });
    expect(await restore(github, 'a')).toMatchObject({ key: undefined, log: expect.stringContaining('(503)') });
  });

  it('limits the rate on demand, after which the client does not try again', async () => {
    github.inject({ kind: 'rate-limited', times: 1 });
    const { saved, log } = await save(github, 'a');
    expect(saved).toBe(false);
    expect(log).toContain('your rate limit will reset in 60 seconds');
    expect(log).not.toContain('Attempt 1');
  });

  it('knows no caller without a token', async () => {
    github.inject({ kind: 'missing-token' });
    expect(await restore(github, 'a')).toMatchObject({ key: undefined, log: expect.stringContaining('(401)') });
    github.clearFaults();
    const without = await restore(github, 'a', [], ['ACTIONS_RUNTIME_TOKEN']);
    expect(without).toMatchObject({ key: undefined, log: expect.stringContaining('ACTIONS_RUNTIME_TOKEN') });
  });

  it('gives back changed bytes after tampering', async () => {
    await save(github, 'a');
    expect(github.tamper('cache', 'a')).toBe(true);
    expect(await restore(github, 'a')).toMatchObject({ key: undefined, content: 'nothing' });
    expect(github.tamper('cache', 'b')).toBe(false);
  });

  it('breaks a download off on demand', async () => {
    await save(github, 'a', 'x'.repeat(100));
    github.inject({ kind: 'truncated-download', on: 'cache', times: 1 });
    expect(await restore(github, 'a')).toMatchObject({ key: undefined });
    expect(await restore(github, 'a')).toMatchObject({ key: 'a' });
  });

  it('changes a download on demand', async () => {
    await save(github, 'a', 'x'.repeat(100));
    github.inject({ kind: 'altered-download', on: 'cache', times: 1 });
    expect(await restore(github, 'a')).toMatchObject({ key: undefined });
    expect(await restore(github, 'a')).toMatchObject({ key: 'a' });
  });

  it('shows what was ever stored, unpacked, also after it was evicted', async () => {
    await save(github, 'key-canary', 'content-canary '.repeat(50));
    github.evict('key-canary');
    const everything = Buffer.concat([...github.storedBytes()]).toString('latin1');
    expect(everything).toContain('content-canary content-canary');
    expect(everything).toContain('key-canary');
    expect(everything).not.toContain('other-canary');
  });
});
