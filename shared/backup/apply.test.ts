import { describe, expect, it } from '@jest/globals';
import { objectOf } from '../cluster/cluster.js';
import { type KubeObject, kinds } from '../cluster/objects.js';
import { type MemoryApi, memoryApi } from '../cluster/testing/memory-api.js';
import { McprtError } from '../errors.js';
import type { Role } from '../facts/roles.js';
import { asSecret } from '../facts/secrets.js';
import { applyPlan, readBack } from './apply.js';
import type { Decision } from './decide.js';
import type { PlanLine } from './restore-plan.js';
import { encoded } from './testing/issued.js';
import { clustersOwn } from './testing/memory-world.js';
import { certificate, namespace, now, opaque, secretOf } from './testing/scene.js';

function world(...objects: KubeObject[]): MemoryApi {
  const api = memoryApi({ now: () => now });
  clustersOwn(api);
  for (const object of [namespace('a'), ...objects]) api.put(object);
  return api;
}

const line = (role: Role, object: KubeObject, decision: Partial<Decision> = {}): PlanLine => ({
  item: { roles: [role], object: asSecret(object) },
  subject: object.metadata.name,
  action: 'create',
  reason: 'r',
  ...decision,
});

async function apply(api: MemoryApi, lines: readonly PlanLine[], signal = new AbortController().signal) {
  const context = { now, certManager: 'v1.21.2', claimed: new Set<string>(), managed: new Set<string>() };
  const live = ({ item }: PlanLine) => {
    const found = api.find(kinds.secret, { namespace: 'a', name: item.object.metadata.name });
    return found === undefined ? undefined : asSecret(found);
  };
  const told: string[] = [];
  const applied = await applyPlan(
    api.cluster,
    lines,
    { ...context, live },
    { onWrite: ({ subject }) => told.push(subject), onNamespaces: async () => undefined },
    signal,
  );
  return { applied, told };
}

const dataOf = (api: MemoryApi, name: string): unknown => api.find(kinds.secret, { namespace: 'a', name })?.data;
const web = certificate('a', 'web');

describe('applying a plan', () => {
  it('goes wave by wave, whatever the order of the lines, and tells each', async () => {
    const api = world();
    const lines = [
      line('platform-secret', opaque('b', 'platform', { k: 'v' })),
      line('platform-config', objectOf(kinds.configMap, { metadata: { namespace: 'b', name: 'config' }, data: {} })),
      line('tls', secretOf(certificate('b', 'web'))),
      line('keystore-password', opaque('b', 'keystore', { k: 'v' })),
      line('ca-key', opaque('b', 'ca', { k: 'v' })),
      line('issuer-secret', opaque('b', 'issuer', { k: 'v' })),
      line('account-key', opaque('b', 'account', { k: 'v' })),
      line('namespace', namespace('b')),
    ];
    const { applied, told } = await apply(api, lines);
    expect(told).toEqual(applied.map(({ subject }) => subject));
    const waves = [told.slice(0, 1), told.slice(1, 5).sort(), told.slice(5).sort()];
    expect(waves).toEqual([['b'], ['account', 'ca', 'issuer', 'keystore'], ['config', 'platform', 'web-tls']]);
    expect(applied.every(({ action, reason }) => action === 'create' && reason === 'r')).toBe(true);
  });

  it('writes nothing where nothing is to be done', async () => {
    const api = world();
    const actions: Decision['action'][] = ['keep', 'skip'];
    await apply(
      api,
      actions.map((action) => line('tls', secretOf(web), { action })),
    );
    expect(api.writes).toEqual([]);
  });

  it('adds keys to what is there, also where that has none at all', async () => {
    const api = world(opaque('a', 'some', { b: '2' }));
    api.put(objectOf(kinds.secret, { metadata: { namespace: 'a', name: 'none' }, type: 'Opaque' }));
    const wanted = { a: '1', b: 'other' };
    const { applied } = await apply(api, [
      line('platform-secret', opaque('a', 'some', wanted), { action: 'add-keys', keys: ['a'] }),
      line('platform-secret', opaque('a', 'none', wanted), { action: 'add-keys', keys: ['a'] }),
    ]);
    expect(applied.map(({ keys }) => keys)).toEqual([['a'], ['a']]);
    expect([dataOf(api, 'some'), dataOf(api, 'none')]).toEqual([encoded({ a: '1', b: '2' }), encoded({ a: '1' })]);
  });

  it('replaces only what it has seen', async () => {
    const useless = secretOf(web, { more: { 'tls.crt': 'x' } });
    const api = world(useless);
    const wanted = secretOf(web);
    await apply(api, [line('tls', wanted, { action: 'replace' })]);
    expect(dataOf(api, 'web-tls')).toEqual(wanted.data);

    api.put(useless);
    const newer = secretOf(web, { age: 0 });
    api.hooks.before = async ({ method }) => {
      if (method === 'PATCH' && dataOf(api, 'web-tls') !== newer.data) api.put(newer);
    };
    const { applied } = await apply(api, [line('tls', wanted, { action: 'replace' })]);
    expect(applied).toMatchObject([{ action: 'keep', reason: 'it is the same certificate' }]);
    expect(dataOf(api, 'web-tls')).toEqual(newer.data);
  });

  it('decides again where something came first, and says what it then did', async () => {
    const api = world();
    const wanted = opaque('a', 'shared', { a: '1', b: '2' });
    api.hooks.before = async ({ method }) => {
      if (method === 'POST' && dataOf(api, 'shared') === undefined) api.put(opaque('a', 'shared', { b: '3' }));
    };
    const { applied } = await apply(api, [line('platform-secret', wanted)]);
    expect(applied).toMatchObject([{ action: 'add-keys', keys: ['a'] }]);
    expect(dataOf(api, 'shared')).toEqual(encoded({ a: '1', b: '3' }));
  });

  it('gives up what changes as fast as it is written, after five times', async () => {
    const api = world(opaque('a', 'shared', { b: '0' }));
    let tries = 0;
    api.hooks.before = async ({ method }) => {
      if (method !== 'PATCH') return;
      tries += 1;
      api.put(opaque('a', 'shared', { b: String(tries) }));
    };
    const adding = line('platform-secret', opaque('a', 'shared', { a: '1' }), { action: 'add-keys', keys: ['a'] });
    await expect(apply(api, [adding])).rejects.toMatchObject({ code: 'restore-contended' });
    expect(tries).toBe(5);
  });

  it('stops where the run is cancelled, before the next write', async () => {
    const reason = new McprtError('job-cancelled', { what: 'w', why: 'y', next: 'n' });
    const api = world();
    await expect(apply(api, [line('namespace', namespace('b'))], AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(api.writes).toEqual([]);
  });
});

describe('reading back', () => {
  const lines = [
    line('namespace', namespace('a')),
    line('platform-secret', opaque('a', 'made', { a: '1', b: '2' })),
    line('platform-secret', opaque('a', 'added', { a: '1', b: '2' }), { action: 'add-keys', keys: ['a'] }),
    line('platform-secret', opaque('a', 'kept', { a: '1' }), { action: 'keep' }),
  ];
  const done = lines.map(({ subject, action, reason, keys }) => ({
    subject,
    action,
    reason,
    ...(keys ? { keys } : {}),
  }));
  const read = (...objects: KubeObject[]): Promise<string[]> => readBack(world(...objects).cluster, lines, done);
  const made = opaque('a', 'made', { a: '1', b: '2' });

  it('is content with what was written, whatever else is there', async () => {
    expect(await read(made, opaque('a', 'added', { a: '1', b: 'own' }), opaque('a', 'kept', { a: 'own' }))).toEqual([]);
  });

  it('tells what is gone or is another, but for what was left as it is', async () => {
    expect(await read(opaque('a', 'made', { a: '9', b: '9' }), opaque('a', 'added', { b: '2' }))).toEqual([
      'made has another a, b than was written',
      'added has another a than was written',
    ]);
    expect(await read(made)).toEqual(['added is gone']);
  });

  it('is content with what something that looks after it has put there', async () => {
    const owner = {
      apiVersion: 'external-secrets.io/v1',
      kind: 'ExternalSecret',
      name: 'web',
      uid: 'u',
      controller: true,
    };
    const taken = opaque('a', 'made', { a: '9', b: '9' });
    taken.metadata.ownerReferences = [owner];
    expect(await read(taken, opaque('a', 'added', { a: '1' }))).toEqual([]);
  });

  it('looks for what was made although it holds nothing', async () => {
    const empty = line('platform-secret', opaque('a', 'empty', {}));
    const applied = [{ subject: 'empty', action: 'create', reason: 'r' } as const];
    expect(await readBack(world().cluster, [empty], applied)).toEqual(['empty is gone']);
    expect(await readBack(world(opaque('a', 'empty', {})).cluster, [empty], applied)).toEqual([]);
  });
});
