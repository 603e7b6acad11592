import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { ApiError } from '../cluster/api-error.js';
import { objectOf } from '../cluster/cluster.js';
import { type KubeObject, kinds } from '../cluster/objects.js';
import { type MemoryApi, memoryApi } from '../cluster/testing/memory-api.js';
import { followOrders, type OrderLog } from './issuances.js';
import { namespace, now } from './testing/scene.js';

const order = (name: string, more: object = {}): KubeObject =>
  objectOf(kinds.order, { metadata: { namespace: 'a', name, uid: `uid-${name}`, ...more }, spec: {} });
const ref = (name: string) => ({ namespace: 'a', name });
const annotations = { 'cert-manager.io/certificate-name': 'web' };
let opened: OrderLog | undefined;

async function following(api: MemoryApi): Promise<OrderLog> {
  opened = await followOrders(api.cluster, new AbortController().signal);
  return opened;
}

function apiWith(...objects: KubeObject[]): MemoryApi {
  const api = memoryApi({ now: () => now });
  for (const object of [namespace('a'), ...objects]) api.put(object);
  return api;
}

describe('orders from a moment on', () => {
  afterEach(async () => {
    await opened?.close();
    opened = undefined;
  });

  it('are told with their Certificate, without those that were there, and canaries', async () => {
    const api = apiWith(order('old', { annotations }));
    const orders = await following(api);
    api.put(order('new', { annotations }));
    api.put(order('mcprt-barrier-1'));
    expect(await orders.appeared()).toEqual([{ name: 'a/new (uid-new)', certificate: 'a/web' }]);
  });

  it('are told apart from those of the same name by their objects', async () => {
    const api = apiWith(order('one', { annotations }));
    const orders = await following(api);
    api.remove(kinds.order, ref('one'));
    api.put(order('one', { uid: 'another' }));
    expect(await orders.appeared()).toEqual([{ name: 'a/one (another)', certificate: undefined }]);
  });

  it('are told although they are gone', async () => {
    const api = apiWith();
    const orders = await following(api);
    api.put(order('one', { annotations }));
    api.remove(kinds.order, ref('one'));
    expect(await orders.appeared()).toEqual([{ name: 'a/one (uid-one)', certificate: 'a/web' }]);
  });

  it('are told where no watch is to be had', async () => {
    for (const status of [403, 404, 410, 500]) {
      const api = apiWith();
      api.hooks.before = ({ path }) => {
        if (path.includes('watch=true')) throw new ApiError(status, 'Refused', '', 'watch orders');
      };
      const orders = await following(api);
      api.put(order('one', { annotations }));
      expect(await orders.appeared()).toEqual([{ name: 'a/one (uid-one)', certificate: 'a/web' }]);
      await orders.close();
    }
  });

  it('are told although they are gone when a watch that broke is there again', async () => {
    const api = apiWith();
    let isBroken = false;
    const { promise: again, resolve } = Promise.withResolvers<void>();
    api.hooks.before = ({ path }) => {
      if (!path.includes('watch=true')) return;
      if (isBroken) return resolve();
      isBroken = true;
      api.put(order('one', { annotations }));
      api.remove(kinds.order, ref('one'));
      throw new Error('the connection was reset');
    };
    const orders = await following(api);
    await again;
    expect(await orders.appeared()).toEqual([{ name: 'a/one (uid-one)', certificate: 'a/web' }]);
  });

  it('are told although they are gone after a version that is too old', async () => {
    const api = apiWith();
    let old: string | undefined;
    const { promise: again, resolve } = Promise.withResolvers<void>();
    api.hooks.before = ({ path }) => {
      if (!path.includes('watch=true')) return;
      const version = new URL(path, 'https://memory').searchParams.get('resourceVersion') ?? '';
      if (old !== undefined && version !== old) return resolve();
      old = version;
      // Something is written, so that there is a newer one.
      api.put(namespace('b'));
      throw new ApiError(410, 'Expired', '', 'watch orders');
    };
    const orders = await following(api);
    await again;
    api.put(order('one', { annotations }));
    api.remove(kinds.order, ref('one'));
    expect(await orders.appeared()).toEqual([{ name: 'a/one (uid-one)', certificate: 'a/web' }]);
  });

  it('are told although they are gone after a watch that has died without a word', async () => {
    const api = apiWith();
    let watches = 0;
    const { promise: again, resolve } = Promise.withResolvers<void>();
    const { timeout } = AbortSignal;
    const soon = jest.spyOn(AbortSignal, 'timeout').mockImplementation(() => timeout.call(AbortSignal, 20));
    api.hooks.before = ({ path, signal }) => {
      if (!path.includes('watch=true')) return;
      watches += 1;
      if (watches > 1) return resolve();
      api.put(order('one', { annotations }));
      api.remove(kinds.order, ref('one'));
      return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason as Error)));
    };
    try {
      const orders = await following(api);
      await again;
      expect(await orders.appeared()).toEqual([{ name: 'a/one (uid-one)', certificate: 'a/web' }]);
    } finally {
      soon.mockRestore();
    }
  }, 5_000);

  it('hold up no end, where nobody answers', async () => {
    const api = apiWith();
    let isSilent = false;
    const { promise: asked, resolve } = Promise.withResolvers<void>();
    api.hooks.before = ({ path }) => {
      if (path.includes('watch=true')) {
        isSilent = true;
        throw new ApiError(410, 'Expired', '', 'watch orders');
      }
      if (!isSilent) return;
      resolve();
      return new Promise(() => undefined);
    };
    const orders = await following(api);
    await asked;
    await orders.close();
    opened = undefined;
  });
});
