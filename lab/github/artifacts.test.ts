import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ArtifactClient } from '@actions/artifact';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type Github, startGithub } from './github.js';
import { inRun } from './in-run.js';
import { quickTimers } from './quick-timers.js';

const DAY = 86_400_000;

describe('the artifact service, used by the real client', () => {
  let folder: string;
  let github: Github;
  let client: ArtifactClient;
  let runs = 100;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'mcprt-artifacts-'));
    github = await startGithub();
    // The client reads the URL of the REST API when it is loaded, and takes the console on which it shows each refusal.
    jest.spyOn(console, 'error').mockReturnValue();
    process.env.GITHUB_API_URL = github.env.GITHUB_API_URL;
    client = (await import('@actions/artifact')).default;
  });

  afterEach(() => {
    github.clearFaults();
    jest.restoreAllMocks();
  });

  afterAll(async () => {
    delete process.env.GITHUB_API_URL;
    rmSync(folder, { recursive: true });
    await github.close();
  });

  /** A run of its own for each test, since the services are shared. */
  function newRun(): Github {
    runs += 1;
    return github.as({ id: runs });
  }

  function upload(as: Github, name: string, content: string | Buffer = name, retentionDays?: number) {
    const file = join(folder, 'backup.bin');
    writeFileSync(file, content);
    const options = { compressionLevel: 0, ...(retentionDays !== undefined && { retentionDays }) };
    return inRun(as, () => client.uploadArtifact(name, [file], folder, options), { folder });
  }

  function findBy(as: Github) {
    const [repositoryOwner = '', repositoryName = ''] = (as.env.GITHUB_REPOSITORY ?? '').split('/');
    return { findBy: { token: as.token, workflowRunId: as.run.id, repositoryOwner, repositoryName } };
  }

  async function download(as: Github, id: number, options = {}) {
    const path = mkdtempSync(join(folder, 'download-'));
    const { result } = await inRun(as, () => client.downloadArtifact(id, { path, ...options }), { folder });
    return { ...result, read: () => readFileSync(join(path, 'backup.bin')) };
  }

  it('gives back to its run what the run uploaded, and finds it by name', async () => {
    const run = newRun();
    const { result } = await upload(run, 'backup', 'the bytes');
    expect(result).toMatchObject({ id: expect.any(Number), size: expect.any(Number) });
    const found = await inRun(run, () => client.getArtifact('backup'), { folder });
    expect(found.result.artifact).toMatchObject({ id: result.id, digest: `sha256:${result.digest}` });
    const back = await download(run, result.id ?? 0, { expectedHash: `sha256:${result.digest}` });
    expect(back.read().toString()).toBe('the bytes');
    expect(back.digestMismatch).toBe(false);
  });

  it('puts the blocks of a large upload together', async () => {
    const run = newRun();
    const content = randomBytes(20 * 1024 * 1024);
    const { result } = await upload(run, 'large', content);
    const back = await download(run, result.id ?? 0);
    expect(back.read().equals(content)).toBe(true);
  });

  it('gives an artifact to another run by the REST API, with a token that may read', async () => {
    const run = newRun();
    const { result } = await upload(run, 'backup', 'the bytes');
    const later = newRun();
    const source = { findBy: { ...findBy(later).findBy, workflowRunId: run.run.id } };
    const list = await inRun(later, () => client.listArtifacts(source), { folder });
    expect(list.result.artifacts).toEqual([expect.objectContaining({ name: 'backup', id: result.id })]);
    const found = await inRun(later, () => client.getArtifact('backup', source), { folder });
    expect(found.result.artifact.digest).toBe(`sha256:${result.digest}`);
    const back = await download(later, result.id ?? 0, { ...source, expectedHash: `sha256:${result.digest}` });
    expect(back.read().toString()).toBe('the bytes');
  });

  it('hides it from another run that has only its runtime token', async () => {
    const { result } = await upload(newRun(), 'backup');
    await expect(download(newRun(), result.id ?? 0)).rejects.toThrow('No artifacts found');
  });

  it('refuses a token that may not read', async () => {
    const run = github.as({ id: 99, permissions: {} });
    await upload(run, 'backup');
    const action = () => client.getArtifact('backup', findBy(run));
    await expect(inRun(run, action, { folder })).rejects.toThrow('Resource not accessible by integration');
  });

  it('takes one artifact of a name per run', async () => {
    const run = newRun();
    await upload(run, 'backup');
    await expect(upload(run, 'backup')).rejects.toThrow('(409) Conflict: an artifact with this name already exists');
    await expect(upload(newRun(), 'backup')).resolves.toBeDefined();
  });

  it('takes the name again after it was deleted, as another artifact', async () => {
    const run = newRun();
    const first = await upload(run, 'backup');
    await inRun(run, () => client.deleteArtifact('backup'), { folder });
    const second = await upload(run, 'backup');
    expect(second.result.id).toBeGreaterThan(first.result.id ?? 0);
  });

  it.each([
    ['what was asked for', 14, 14],
    ['what the repository allows when more is asked for', 400, 90],
    ['what the repository allows when nothing is asked for', undefined, 90],
  ])('keeps an artifact for %s', async (_, asked, granted) => {
    const run = newRun();
    const { result } = await upload(run, 'backup', 'x', asked);
    const artifact = github.artifacts().find(({ id }) => id === result.id);
    const days = ((artifact?.expiresAt.getTime() ?? 0) - (artifact?.createdAt.getTime() ?? 0)) / DAY;
    expect(Math.round(days)).toBe(granted);
  });

  it('is full on demand, which the client knows by its words', async () => {
    github.inject({ kind: 'full', on: 'artifacts' });
    await expect(upload(newRun(), 'backup')).rejects.toThrow('Artifact storage quota has been hit');
  });

  it('takes a name for taken on demand', async () => {
    github.inject({ kind: 'duplicate', on: 'artifacts', times: 1 });
    await expect(upload(newRun(), 'backup')).rejects.toThrow('(409)');
  });

  it('is down on demand while the cache is not', async () => {
    quickTimers();
    github.inject({ kind: 'down', on: 'artifacts' });
    await expect(upload(newRun(), 'backup')).rejects.toThrow('after 5 attempts: Failed request: (503)');
  });

  it('limits the rate on demand, which the client waits out', async () => {
    quickTimers();
    github.inject({ kind: 'rate-limited', on: 'artifacts', times: 2 });
    expect((await upload(newRun(), 'backup')).log).toContain('Attempt 2 of 5 failed');
  });

  it('knows no caller without a token', async () => {
    github.inject({ kind: 'missing-token', on: 'artifacts' });
    await expect(upload(newRun(), 'backup')).rejects.toThrow('(401)');
  });

  it('gives back changed bytes after tampering, which only a digest shows', async () => {
    const run = newRun();
    const { result } = await upload(run, 'backup', 'x');
    const expectedHash = `sha256:${result.digest}`;
    // The last byte of a zip is in the length of its comment, which a reader of the stream never looks at.
    github.tamper('artifacts', 'backup', (bytes) => Buffer.concat([bytes.subarray(0, -1), Buffer.from([1])]));
    expect((await download(run, result.id ?? 0, { expectedHash })).digestMismatch).toBe(true);
  });

  it('breaks a download off on demand', async () => {
    const run = newRun();
    const { result } = await upload(run, 'backup', randomBytes(100_000));
    github.inject({ kind: 'truncated-download', on: 'artifacts', times: 1 });
    const response = await fetch(await signedUrl(run, result.id ?? 0));
    await expect(response.arrayBuffer()).rejects.toThrow();
  });

  it('shows what was ever stored, unpacked', async () => {
    await upload(newRun(), 'name-canary', 'content-canary');
    const everything = Buffer.concat([...github.storedBytes()]).toString('latin1');
    expect(everything).toContain('content-canary');
    expect(everything).toContain('name-canary');
  });

  async function signedUrl({ env, token }: Github, id: number): Promise<string> {
    const url = `${env.GITHUB_API_URL}/repos/${env.GITHUB_REPOSITORY}/actions/artifacts/${id}/zip`;
    const response = await fetch(url, { redirect: 'manual', headers: { authorization: `Bearer ${token}` } });
    expect(response.status).toBe(302);
    return response.headers.get('location') ?? '';
  }
});
