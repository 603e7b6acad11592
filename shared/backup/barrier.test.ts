import { describe, expect, it } from '@jest/globals';
import { ApiError } from '../cluster/api-error.js';
import { kinds } from '../cluster/objects.js';
import { type MemoryApi, memoryApi } from '../cluster/testing/memory-api.js';
import { McprtError } from '../errors.js';
import { barrier } from './barrier.js';
import { clustersOwn, putController } from './testing/memory-world.js';

const silent = new AbortController().signal;

/** A cluster whose cert-manager says these reasons of a canary, one after the other. */
function saying(...reasons: string[]): MemoryApi & { said: string[] } {
  const api = memoryApi();
  clustersOwn(api);
  putController(api, 'running');
  const said: string[] = [];
  api.hooks.after = (event, object) => {
    if (event === 'DELETED' || object.kind !== 'Certificate') return;
    const reason = reasons.shift();
    if (reason === undefined) return;
    setTimeout(() => {
      said.push(reason);
      api.put({ ...object, status: { conditions: [{ type: 'Ready', status: 'False', reason }] } });
    }, 10);
  };
  return Object.assign(api, { said });
}

describe('the barrier', () => {
  it('ends only when cert-manager has looked into the canary’s Secret', async () => {
    const api = saying('DoesNotExist', 'Pending', 'MissingData');
    await barrier(api.cluster, 'cert-manager', silent);
    expect(api.said).toEqual(['DoesNotExist', 'Pending', 'MissingData']);
  });

  it('leaves nothing of its own behind, also of a run that was killed', async () => {
    const api = saying('MissingData');
    const left = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {
        name: 'mcprt-barrier-old',
        namespace: 'cert-manager',
        labels: { 'controller.cert-manager.io/fao': 'true' },
      },
    };
    api.put(left);
    const clear = await barrier(api.cluster, 'cert-manager', silent);
    await clear();
    expect([...api.objects(kinds.secret), ...api.objects(kinds.certificate)]).toEqual([]);
  });

  it('writes the canary’s Secret into the class that restored Secrets are in', async () => {
    const api = saying('MissingData');
    let labels: unknown;
    const { after } = api.hooks;
    api.hooks.after = (event, object, itself) => {
      if (object.kind === 'Secret' && event === 'ADDED') labels = object.metadata.labels;
      after?.(event, object, itself);
    };
    await barrier(api.cluster, 'cert-manager', silent);
    expect(labels).toEqual({ 'controller.cert-manager.io/fao': 'true' });
  });

  it('tells of the cancel that ended it, also where its canary cannot be taken away', async () => {
    const api = saying('DoesNotExist');
    api.hooks.before = async ({ method }) => {
      if (method === 'DELETE') throw new ApiError(403, 'Forbidden', 'no', 'delete');
    };
    const reason = new Error('cancelled');
    const cancel = new AbortController();
    setTimeout(() => cancel.abort(reason), 50);
    await expect(barrier(api.cluster, 'cert-manager', cancel.signal)).rejects.toBe(reason);
  });

  it('hears a cancel at once', async () => {
    const api = saying('DoesNotExist');
    const cancel = new AbortController();
    const reason = new McprtError('job-cancelled', { what: 'cancelled', why: 'a signal', next: 'again' });
    setTimeout(() => cancel.abort(reason), 50);
    await expect(barrier(api.cluster, 'cert-manager', cancel.signal)).rejects.toBe(reason);
    expect([...api.objects(kinds.secret), ...api.objects(kinds.certificate)]).toEqual([]);
  });
});
