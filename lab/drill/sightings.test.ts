import { describe, expect, it } from '@jest/globals';
import type { Cluster, WatchEvent } from '../../shared/cluster/cluster.js';
import type { KubeObject } from '../../shared/cluster/objects.js';
import { sighted, watchCertificates } from './sightings.js';

const certificate = (...conditions: [type: string, status: string, reason: string][]): KubeObject => ({
  apiVersion: 'cert-manager.io/v1',
  kind: 'Certificate',
  metadata: { name: 'a', namespace: 'team' },
  status: { conditions: conditions.map(([type, status, reason]) => ({ type, status, reason, message: reason })) },
});

describe('sighted', () => {
  it('has nothing to tell of a Certificate that cert-manager has not looked at', () => {
    expect(sighted(undefined, certificate(), 1)).toEqual({
      issuing: undefined,
      isIssuing: false,
      ready: undefined,
      readyAt: undefined,
    });
  });

  it('keeps why an issuance began when it has ended, and when a second one begins', () => {
    const begun = sighted(undefined, certificate(['Issuing', 'True', 'DoesNotExist']), 1);
    const ended = sighted(begun, certificate(['Ready', 'True', 'Ready']), 2);
    const again = sighted(ended, certificate(['Ready', 'True', 'Ready'], ['Issuing', 'True', 'Renewing']), 3);
    expect(ended).toMatchObject({ issuing: { reason: 'DoesNotExist' }, isIssuing: false, readyAt: 2 });
    expect(again).toMatchObject({ issuing: { reason: 'DoesNotExist' }, isIssuing: true, readyAt: 2 });
  });

  it('takes an issuance that failed before for none', () => {
    expect(sighted(undefined, certificate(['Issuing', 'False', 'Failed']), 1).issuing).toBeUndefined();
  });

  it('counts the time of the first Ready only', () => {
    const waiting = sighted(undefined, certificate(['Ready', 'False', 'Expired']), 1);
    expect(waiting.readyAt).toBeUndefined();
    const ready = sighted(waiting, certificate(['Ready', 'True', 'Ready']), 2);
    expect(sighted(ready, certificate(['Ready', 'True', 'Ready']), 3).readyAt).toBe(2);
  });
});

/** A cluster whose watch tells what happens, and ends after it or when it is told to. */
function telling(objects: readonly KubeObject[], { ends }: { ends: boolean }): Pick<Cluster, 'list' | 'watch'> {
  return {
    list: async <T extends KubeObject>() => ({ items: [] as T[], resourceVersion: '1' }),
    async *watch<T extends KubeObject>(_kind: unknown, { signal }: { signal: AbortSignal }) {
      for (const object of objects) yield { type: 'MODIFIED', object } as WatchEvent<T>;
      if (!ends) await new Promise((resolve) => signal.addEventListener('abort', resolve));
    },
  };
}

describe('a watcher', () => {
  const signal = new AbortController().signal;

  it('has seen what was true for a moment only', async () => {
    const moment = [certificate(['Issuing', 'True', 'Renewing']), certificate(['Ready', 'True', 'Ready'])];
    const watcher = await watchCertificates(telling(moment, { ends: false }), signal);
    await expect(watcher.until(() => watcher.seen.get('team/a')?.readyAt !== undefined, 5_000)).resolves.toBe(true);
    expect(watcher.seen.get('team/a')).toMatchObject({ issuing: { reason: 'Renewing' }, isIssuing: false });
    await watcher.close();
  });

  it('says when the time is over', async () => {
    const watcher = await watchCertificates(telling([], { ends: false }), signal);
    await expect(watcher.until(() => false, 30)).resolves.toBe(false);
    await watcher.close();
  });

  it('proves nothing once its watch has ended', async () => {
    const watcher = await watchCertificates(telling([], { ends: true }), signal);
    await expect(watcher.until(() => false, 5_000)).rejects.toMatchObject({ code: 'drill-stuck' });
    await watcher.close();
  });
});
