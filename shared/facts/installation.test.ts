import { describe, expect, it } from '@jest/globals';
import { brake } from '../backup/brake.js';
import { clustersOwn } from '../backup/testing/memory-world.js';
import { kinds } from '../cluster/objects.js';
import { type MemoryApi, memoryApi } from '../cluster/testing/memory-api.js';
import {
  beginInstallation,
  endInstallation,
  noteWiped,
  readInstallation,
  requireInstalled,
  requireNoInstallation,
  requireNoRollout,
} from './installation.js';

const now = new Date('2026-11-24T12:00:00Z');
const installer = (run: string, minutes = 10) => ({ run, expires: new Date(now.getTime() + minutes * 60_000) });
const { signal } = new AbortController();

function cluster(): MemoryApi {
  const api = memoryApi({ now: () => now });
  clustersOwn(api);
  return api;
}

const rollout = (api: MemoryApi, minutes: number): void =>
  void api.put({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { namespace: 'kube-system', name: 'mcprt-rollout' },
    data: { run: 'acme/platform/7/rollout', expires: installer('', minutes).expires.toISOString() },
  });

describe('an installation', () => {
  it('is neither due nor under way on a cluster where nobody has begun one', async () => {
    const { cluster: api } = cluster();
    expect(await readInstallation(api)).toBeUndefined();
    await Promise.all([requireInstalled(api), requireNoInstallation(api, 'mine'), requireNoRollout(api)]);
  });

  it('is due after a wipe, for a rollout and for nobody else, until a setup has finished', async () => {
    const { cluster: api } = cluster();
    await noteWiped(api, 'acme/platform/1/wipe');
    await expect(requireInstalled(api)).rejects.toMatchObject({ code: 'setup-due' });
    await requireNoInstallation(api, 'another wipe');
    await beginInstallation(api, installer('setup'));
    await expect(requireInstalled(api)).rejects.toMatchObject({ code: 'setup-busy' });
    await endInstallation(api, 'setup', false);
    await expect(requireInstalled(api)).rejects.toMatchObject({ code: 'setup-due' });
    await beginInstallation(api, installer('setup'));
    await endInstallation(api, 'setup', true);
    await requireInstalled(api);
  });

  it('keeps others out while it is under way, and not when its time is over', async () => {
    const api = cluster();
    await beginInstallation(api.cluster, installer('other'));
    await expect(requireInstalled(api.cluster)).rejects.toMatchObject({ code: 'setup-busy' });
    await expect(beginInstallation(api.cluster, installer('mine'))).rejects.toMatchObject({ code: 'setup-busy' });
    await expect(brake(api.cluster, { run: 'wipe', expires: now }, { canDeny: true, signal })).rejects.toMatchObject({
      code: 'setup-busy',
    });
    expect(api.find(kinds.admissionPolicy, { name: 'mcprt-brake' })).toBeUndefined();
    const late = cluster();
    await beginInstallation(late.cluster, installer('killed', -1));
    await requireInstalled(late.cluster);
    await beginInstallation(late.cluster, installer('mine'));
    expect(await readInstallation(late.cluster)).toMatchObject({ run: 'mine' });
  });

  it('lets its own restore take the brake, and another attempt of the same run go on', async () => {
    const { cluster: api } = cluster();
    await beginInstallation(api, installer('mine'));
    await beginInstallation(api, installer('mine'));
    await (await brake(api, installer('mine'), { canDeny: true, signal })).release();
  });

  it('is ended by its own run only', async () => {
    const { cluster: api } = cluster();
    await beginInstallation(api, installer('other'));
    await endInstallation(api, 'mine', true);
    expect(await readInstallation(api)).toMatchObject({ run: 'other' });
  });

  it('is taken over by one of two runs that find it, and not by both', async () => {
    const api = cluster();
    await beginInstallation(api.cluster, installer('killed', -1));
    api.hooks.before = async ({ method, path }) => {
      if (method !== 'PATCH' || !path.includes('/mcprt-install')) return;
      api.hooks.before = () => undefined;
      await beginInstallation(api.cluster, installer('other'));
    };
    await expect(beginInstallation(api.cluster, installer('mine'))).rejects.toMatchObject({ code: 'setup-busy' });
    expect(await readInstallation(api.cluster)).toMatchObject({ run: 'other' });
  });
});

describe('a rollout that is under way', () => {
  it('keeps a restore and a wipe out until its time is over', async () => {
    const api = cluster();
    rollout(api, 5);
    await expect(requireNoRollout(api.cluster)).rejects.toMatchObject({ code: 'rollout-busy' });
    await expect(brake(api.cluster, installer('wipe'), { canDeny: true, signal })).rejects.toMatchObject({
      code: 'rollout-busy',
    });
    expect(api.find(kinds.admissionPolicy, { name: 'mcprt-brake' })).toBeUndefined();
    const late = cluster();
    rollout(late, -1);
    await requireNoRollout(late.cluster);
  });
});
