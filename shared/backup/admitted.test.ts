import { describe, expect, it } from '@jest/globals';
import { ApiError } from '../cluster/api-error.js';
import { kinds } from '../cluster/objects.js';
import type { MemoryApi } from '../cluster/testing/memory-api.js';
import { type Scene, scene } from './testing/scene.js';

const lost = { namespace: 'registry', name: 'registry-tls' };
const brake = { name: 'mcprt-brake' };

/** A platform that has lost a Secret, in a cluster that answers a write of one so. */
async function refusing(status: number, detail: string, isRefused = true): Promise<Scene & { asked: string[] }> {
  const made = await scene('running');
  await made.backUp();
  made.api.remove(kinds.secret, lost);
  const asked: string[] = [];
  made.api.hooks.before = ({ method, path }) => {
    if (method !== 'POST' || !/\/namespaces\/registry\/secrets\b/.test(path)) return;
    asked.push(path);
    if (isRefused) throw new ApiError(status, 'Forbidden', detail, `POST ${path}`);
  };
  return { ...made, asked };
}

const isClean = ({ api }: { api: MemoryApi }): boolean =>
  api.find(kinds.secret, lost) === undefined && api.find(kinds.admissionPolicy, brake) === undefined;

describe('a cluster that does not let Secrets through', () => {
  it.each([
    [422, `secrets "registry-tls" is forbidden: ValidatingAdmissionPolicy 'no-secrets' denied request: not here`],
    [403, 'admission webhook "vault.example.com" denied the request: no Secrets'],
    [500, 'failed calling webhook "vault.example.com": failed to call webhook: connection refused'],
  ])('refuses before anything is written: %d', async (status, detail) => {
    const made = await refusing(status, detail);
    const before = made.api.writes.length;
    await expect(made.restore()).rejects.toMatchObject({
      message: expect.stringContaining('would be refused'),
      next: expect.stringContaining('no Secret was written'),
    });
    expect(made.asked.every((path) => path.includes('dryRun=All'))).toBe(true);
    expect(isClean(made)).toBe(true);
    expect(made.api.writes.slice(before).filter((one) => /\/secrets/.test(one))).toEqual([]);
  });

  it.each([
    [400, 'admission webhook "vault.example.com" does not support dry run'],
    [409, 'already exists'],
    [429, 'too many requests'],
    [503, 'the server is starting'],
  ])('is asked in earnest where the question has no answer: %d', async (status, detail) => {
    const made = await refusing(status, detail);
    const { before } = made.api.hooks;
    made.api.hooks.before = async (call) => {
      if (call.path.includes('dryRun=All')) await before?.(call);
    };
    expect(await made.restore()).toMatchObject({ verified: true });
    expect(made.asked.length).toBeGreaterThan(0);
  });

  it('refuses before any Secret is written also where its namespace was lost', async () => {
    const made = await refusing(422, 'denied by a policy');
    for (const one of made.api.objects(kinds.secret)) made.api.remove(kinds.secret, one.metadata);
    made.api.remove(kinds.namespace, { name: 'registry' });
    await expect(made.restore()).rejects.toMatchObject({ message: expect.stringContaining('would be refused') });
    expect(made.asked.every((path) => path.includes('dryRun=All'))).toBe(true);
    expect(made.api.objects(kinds.secret)).toEqual([]);
    expect(made.api.find(kinds.namespace, { name: 'registry' })).toBeDefined();
    made.api.hooks.before = () => undefined;
    expect(await made.restore()).toMatchObject({ verified: true, takenOver: true });
  });

  it('is asked once for each type in each namespace', async () => {
    const made = await refusing(0, '', false);
    expect(await made.restore()).toMatchObject({ verified: true });
    const [dry, real] = [true, false].map((wanted) => made.asked.filter((path) => path.includes('dryRun') === wanted));
    expect([dry?.length, real?.length]).toEqual([1, 1]);
  });
});
