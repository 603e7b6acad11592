import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { kinds } from '../cluster/objects.js';
import { holdsInTheEnd, seed } from '../testing/law.js';
import { certificate, namespace, opaque, type Scene, scene, secretOf } from './testing/scene.js';

const label = fc.stringMatching(/^[a-z][a-z0-9]{0,6}$/);
/** What a cluster has besides the platform, and what of all is lost. */
const loss = fc.record({
  apps: fc.uniqueArray(label, { maxLength: 3 }),
  keystores: fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }),
  namespaces: fc.subarray(['registry', 'mcp-sentinel', 'apps']),
  secrets: fc.subarray(['cert-manager/account', 'registry/registry-tls', 'mcp-sentinel/mcp-sentinel-secrets']),
  keys: fc.subarray(['ADMIN_API_KEYS', 'JWT_SECRET']),
  config: fc.boolean(),
});
type Loss = typeof loss extends fc.Arbitrary<infer T> ? T : never;

const all = ({ api }: Scene): unknown[] =>
  [kinds.secret, kinds.configMap].flatMap((kind) =>
    api
      .objects(kind)
      .filter(({ metadata }) => !metadata.name.startsWith('mcprt-'))
      .map(({ metadata, data, type }) => [`${metadata.namespace}/${metadata.name}`, type, data]),
  );
const sorted = (list: unknown[]): string[] => list.map((one) => JSON.stringify(one)).sort();

async function backedUp({ apps, keystores }: Loss): Promise<Scene> {
  const own = apps.flatMap((name, index) => {
    const passwordSecretRef = { name: `${name}-password`, key: 'password' };
    const keystore = keystores[index] ? { keystores: { jks: { create: true, passwordSecretRef } } } : {};
    const of = certificate('apps', name, keystore);
    const password = keystores[index] ? [opaque('apps', `${name}-password`, { password: 'p' })] : [];
    return [
      of,
      secretOf(of, keystores[index] ? { more: { 'keystore.jks': 'k', 'truststore.jks': 't' } } : {}),
      ...password,
    ];
  });
  const made = await scene('stopped', own.length === 0 ? [] : [namespace('apps'), ...own]);
  await made.backUp();
  return made;
}

/** Loses something; what stays, nobody has changed. */
function lose({ api }: Scene, { namespaces, secrets, keys, config }: Loss): void {
  for (const name of namespaces) api.remove(kinds.namespace, { name });
  for (const one of secrets) {
    const [space = '', name = ''] = one.split('/');
    api.remove(kinds.secret, { namespace: space, name });
  }
  const ref = { namespace: 'mcp-sentinel', name: 'mcp-sentinel-secrets' };
  const live = api.find(kinds.secret, ref);
  if (live !== undefined) {
    const left = Object.entries(live.data as Record<string, string>).filter(([key]) => !keys.includes(key));
    api.put({ ...live, data: Object.fromEntries(left) });
  }
  if (config) api.remove(kinds.configMap, { namespace: 'mcp-sentinel', name: 'mcp-sentinel-config' });
}

describe(`a restore of whatever was lost (seed ${seed})`, () => {
  it('brings all of it back, orders nothing, and has nothing left to do', async () => {
    await holdsInTheEnd(
      fc.asyncProperty(loss, async (lost) => {
        const world = await backedUp(lost);
        const before = sorted(all(world));
        lose(world, lost);
        const planned = await world.restore({ dryRun: true });
        const { applied, plan, verified } = await world.restore();
        expect([plan.orders, verified]).toEqual([0, true]);
        // What was planned is what was done.
        expect(applied.map(({ subject, action }) => [subject, action]).sort()).toEqual(
          planned.plan.lines.map(({ subject, action }) => [subject, action]).sort(),
        );
        expect(sorted(all(world))).toEqual(before);
        const writes = world.api.writes.length;
        const again = await world.restore({ dryRun: true });
        expect(again.plan.lines.filter(({ action }) => action !== 'keep')).toEqual([]);
        expect(world.api.writes.slice(writes)).toEqual([]);
      }),
      12,
    );
  });
});
