import { beforeAll, describe, expect, it } from '@jest/globals';
import { type BackupKey, makeKeys, type RestoreKey, readBackupKey, readRestoreKey } from '../backup/keys.js';
import { type RestoreResult, restore } from '../backup/restore.js';
import { day } from '../backup/testing/issued.js';
import { keepingStore, quietPorts } from '../backup/testing/memory-store.js';
import { before130, certificate, namespace, run, scene, secretOf } from '../backup/testing/scene.js';
import { ApiError } from '../cluster/api-error.js';
import { objectOf } from '../cluster/cluster.js';
import { type Kind, kinds } from '../cluster/objects.js';
import type { MemoryApi } from '../cluster/testing/memory-api.js';
import { beginInstallation, readInstallation, requireInstalled } from '../facts/installation.js';
import { type WipeOptions, type WipeResult, wipe } from './wipe.js';

let key: BackupKey;
let restoreKey: RestoreKey;
beforeAll(async () => {
  const made = await makeKeys('classic');
  key = readBackupKey(made.backup, () => undefined);
  restoreKey = readRestoreKey(made.restore, () => undefined);
});

interface Wiped {
  api: MemoryApi;
  wipe(options?: Partial<WipeOptions>): Promise<WipeResult>;
  restore(): Promise<RestoreResult>;
}

/** A platform, and somebody else's certificate beside it. */
async function world(unserved: Kind[] = []): Promise<Wiped> {
  const blog = certificate('blog', 'web');
  const config = objectOf(kinds.configMap, {
    metadata: { name: 'mcp-sentinel-config', namespace: 'mcp-sentinel' },
    data: { MCP_PLATFORM_DOMAIN: run.domain },
  });
  const { api } = await scene('running', [namespace('blog'), blog, secretOf(blog), config], unserved);
  const ports = quietPorts([keepingStore().store]);
  const limits = { timeout: 60_000, dryRun: false };
  const choice = { scope: 'platform', also: [], confirm: run.domain, cluster: '' } as const;
  return {
    api,
    wipe: (options = {}) => wipe(api.cluster, ports, { key, run, allow: [], ...choice, ...limits, ...options }),
    restore: () =>
      restore(api.cluster, ports, {
        key: restoreKey,
        run,
        overrides: { older: false },
        maxOrders: 0,
        maxAge: 14 * day,
        ...limits,
      }),
  };
}

const later = (holder: string) => ({ run: holder, expires: new Date(Date.now() + 3600_000 * 24 * 3650) });

async function rolloutUnderWay(api: MemoryApi): Promise<void> {
  const { run: holder, expires } = later('acme/platform/9/rollout');
  api.put({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { namespace: 'kube-system', name: 'mcprt-rollout' },
    data: { run: holder, expires: expires.toISOString() },
  });
}

/** Lets the API server go away with a write, by its number; `false` where there is none of that number. */
function failFrom(api: MemoryApi, write: number): { reached: () => boolean; mend: () => void } {
  let count = 0;
  api.hooks.before = ({ method, path }) => {
    if (method !== 'GET' && !path.includes('selfsubject')) count += 1;
    if (count > write) throw new ApiError(503, 'ServiceUnavailable', 'down', path);
  };
  return {
    reached: () => count > write,
    mend: () => {
      api.hooks.before = () => undefined;
    },
  };
}

describe('wipe', () => {
  it.each<Partial<WipeOptions>>([{}, { scope: 'all-apps' }, { also: ['blog', 'cert-manager'] }])(
    'goes on wherever the API server went away (%j): the next run ends it, and nothing is ordered for what comes back',
    async (choice) => {
      for (let write = 0; ; write++) {
        const one = await world();
        const { reached, mend } = failFrom(one.api, write);
        const first = await one.wipe(choice).catch((error: unknown) => error);
        mend();
        if (!reached()) break;
        const isOn = one.api.objects(kinds.admissionPolicy).length > 0;
        expect(first).toMatchObject(isOn ? { why: expect.stringContaining('the brake is still on') } : {});
        await one.wipe(choice);
        expect(one.api.find(kinds.namespace, { name: 'registry' })).toBeUndefined();
        expect(one.api.objects(kinds.admissionPolicy)).toEqual([]);
        const { plan, verified } = await one.restore();
        expect({ write, orders: plan.orders, verified }).toEqual({ write, orders: 0, verified: true });
      }
    },
    60_000,
  );

  it('leaves the installation due, before anybody else gets the lock', async () => {
    const { api, wipe: wipeIt } = await world();
    let dueAtRelease = '';
    api.hooks.before = async ({ method, path }) => {
      if (method !== 'DELETE' || !path.includes('/validatingadmissionpolicies/')) return;
      dueAtRelease = (await readInstallation(api.cluster))?.wipedBy ?? '';
    };
    await wipeIt();
    expect(dueAtRelease).not.toBe('');
    await expect(requireInstalled(api.cluster)).rejects.toMatchObject({ code: 'setup-due' });
  });

  it('works before Kubernetes 1.30, under a lock of its own', async () => {
    const { api, wipe: wipeIt } = await world(before130);
    let isHeld = false;
    api.hooks.before = ({ method, path }) => {
      if (method === 'DELETE' && path.endsWith('/namespaces/registry')) {
        isHeld = api.find(kinds.configMap, { namespace: 'kube-system', name: 'mcprt-brake' }) !== undefined;
      }
    };
    await wipeIt();
    expect(isHeld).toBe(true);
    expect(api.find(kinds.namespace, { name: 'registry' })).toBeUndefined();
    expect(api.find(kinds.configMap, { namespace: 'kube-system', name: 'mcprt-brake' })).toBeUndefined();
  });

  it.each([
    ['', []],
    [' before Kubernetes 1.30', before130],
  ])('deletes nothing while a rollout or a setup is under way%s', async (_, unserved: Kind[]) => {
    for (const begin of [rolloutUnderWay, (api: MemoryApi) => beginInstallation(api.cluster, later('other'))]) {
      const { api, wipe: wipeIt } = await world(unserved);
      await begin(api);
      await expect(wipeIt()).rejects.toMatchObject({ code: expect.stringMatching(/^(?:rollout|setup)-busy$/) });
      expect(api.objects(kinds.namespace).map(({ metadata }) => metadata.name)).toContain('mcp-sentinel');
    }
  });

  it('goes on whatever became of a certificate that stays', async () => {
    const one = await world();
    one.api.hooks.before = ({ method, path }) => {
      if (method === 'DELETE' && path.endsWith('/namespaces/mcp-sentinel')) throw new Error('killed');
    };
    await expect(one.wipe()).rejects.toThrow('killed');
    one.api.hooks.before = () => undefined;
    expect(one.api.find(kinds.namespace, { name: 'registry' })).toBeUndefined();
    one.api.put(secretOf(certificate('blog', 'web'), { age: day }));
    await expect(one.wipe({ scope: 'all-apps' })).rejects.toMatchObject({
      code: 'wipe-unsaved',
      next: expect.stringContaining('`scope: platform`'),
    });
    expect((await one.wipe()).start).toBe('resumed');
  });
});
