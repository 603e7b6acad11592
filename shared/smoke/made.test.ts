import { describe, expect, it } from '@jest/globals';
import { ApiError } from '../cluster/api-error.js';
import type { Cluster } from '../cluster/cluster.js';
import { McprtError } from '../errors.js';
import { answeringCluster } from '../permissions/testing/asked-cluster.js';
import type { ApiCaller } from '../platform/api.js';
import { Made, type MadeThing, removeMade } from './made.js';

const thing = (kind: MadeThing['kind'], name: string): MadeThing => ({ kind, namespace: 'n', name });

/** An admin whose requests are kept, and who is refused some. */
function adminOf(refused: string, statusOfGet = 404): { admin: ApiCaller; asked: string[] } {
  const asked: string[] = [];
  const admin: ApiCaller = {
    async call(method, path) {
      asked.push(`${method} ${path}`);
      if (path === refused) throw new McprtError('smoke-server-error', { what: 'it failed', why: '500', next: '' });
      return { status: method === 'GET' ? statusOfGet : 200, body: {}, told: `${method} → ${statusOfGet}` };
    },
    person: () => Promise.reject(new Error('nobody')),
    forget: () => undefined,
  };
  return { admin, asked };
}

describe('what a run has made', () => {
  it('is told with every change, before anything else happens', () => {
    const told: string[][] = [];
    const made = new Made((things) => void told.push(things.map(({ name }) => name)), [thing('server', 'a')]);
    made.add(thing('grant', 'b'));
    made.drop(({ name }) => name === 'a');
    expect(told).toEqual([['a', 'b'], ['b']]);
    expect(made.things).toEqual([thing('grant', 'b')]);
  });

  it('leaves the list alone that it began with', () => {
    const before = [thing('server', 'a')];
    new Made(() => undefined, before).add(thing('server', 'b'));
    expect(before).toHaveLength(1);
  });
});

/** A cluster with Secrets by path, which may forbid to delete them, or take them away only in appearance. */
function clusterWith(secrets: Set<string>, behaviour: 'deletes' | 'forbids' | 'pretends'): Cluster {
  return answeringCluster(async ({ method, path }) => {
    const name = path.replace(/\?.*/, '');
    if (method === 'DELETE' && behaviour === 'forbids') throw new ApiError(403, 'Forbidden', 'no', path);
    if (!secrets.has(name)) throw new ApiError(404, 'NotFound', 'none', path);
    if (method === 'DELETE' && behaviour === 'deletes') secrets.delete(name);
    return { status: 200, body: '{"kind":"Secret","metadata":{"name":"a"}}' };
  });
}

describe('removal', () => {
  const without = (admin: ApiCaller) => ({ admin, cluster: undefined });
  const all = [thing('server', 'a'), thing('grant', 'b'), thing('session', 'c'), thing('server', 'd')];

  it('takes sessions and grants before servers, and looks that each is gone', async () => {
    const { admin, asked } = adminOf('');
    const made = new Made(() => undefined, all);
    expect(await removeMade(made, without(admin))).toEqual({ left: [], kept: [] });
    expect(made.things).toEqual([]);
    expect(asked.slice(0, 4)).toEqual([
      'DELETE /runtime/sessions/n/c',
      'GET /runtime/sessions/n/c',
      'DELETE /runtime/grants/n/b',
      'GET /runtime/grants/n/b',
    ]);
    expect(asked.slice(4).sort()).toEqual([
      'DELETE /runtime/servers/n/a',
      'DELETE /runtime/servers/n/d',
      'GET /runtime/servers/n/a',
      'GET /runtime/servers/n/d',
    ]);
  });

  it('goes on after a failure, tells it, and forgets only what is gone', async () => {
    const made = new Made(() => undefined, all);
    const { left } = await removeMade(made, without(adminOf('/runtime/grants/n/b').admin));
    expect(left).toEqual(['grant n/b: it failed: 500']);
    expect(made.things).toEqual([thing('grant', 'b')]);
  });

  it.each(['server', 'grant', 'session'] as const)(
    'does not believe that a %s is gone which is still there',
    async (kind) => {
      const made = new Made(() => undefined, [thing(kind, 'a')]);
      const { left } = await removeMade(made, without(adminOf('', 200).admin));
      expect(left).toEqual([expect.stringContaining(`${kind} n/a: the ${kind} a is still there`)]);
      expect(made.things).toHaveLength(1);
    },
  );

  describe('of a Secret that outlives its server', () => {
    const path = '/api/v1/namespaces/n/secrets/a-analytics-creds';
    const remove = (cluster: Cluster | undefined) => {
      const made = new Made(() => undefined, [thing('secret', 'a-analytics-creds')]);
      return removeMade(made, { admin: adminOf('').admin, cluster });
    };

    it('takes it away', async () => {
      const secrets = new Set([path]);
      expect(await remove(clusterWith(secrets, 'deletes'))).toEqual({ left: [], kept: [] });
      expect(secrets.size).toBe(0);
      expect(await remove(clusterWith(secrets, 'deletes'))).toEqual({ left: [], kept: [] });
    });

    it('says how it goes where it may not, or no cluster is known', async () => {
      const kept = ['kubectl delete secret -n n a-analytics-creds'];
      expect(await remove(clusterWith(new Set([path]), 'forbids'))).toEqual({ left: [], kept });
      expect(await remove(undefined)).toEqual({ left: [], kept });
    });

    it('does not believe that it is gone which is still there', async () => {
      const { left, kept } = await remove(clusterWith(new Set([path]), 'pretends'));
      expect(left).toEqual([expect.stringContaining('the Secret a-analytics-creds is still there')]);
      expect(kept).toEqual([]);
    });
  });

  it('leaves alone what is not wanted', async () => {
    const made = new Made(() => undefined, all);
    await removeMade(made, without(adminOf('').admin), ({ kind }) => kind === 'server');
    expect(made.things.map(({ name }) => name)).toEqual(['b', 'c']);
  });
});
