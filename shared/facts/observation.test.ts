import { describe, expect, it } from '@jest/globals';
import { certificate, namespace, now, opaque } from '../backup/testing/scene.js';
import { ApiError } from '../cluster/api-error.js';
import { objectOf } from '../cluster/cluster.js';
import { type KubeObject, keyOf, kinds } from '../cluster/objects.js';
import { memoryApi } from '../cluster/testing/memory-api.js';
import { makerOf, observe, secretKeyOf } from './observation.js';
import { asSecret, maskValues, readableSecrets, readSecrets } from './secrets.js';

const cluster = (...objects: KubeObject[]) => {
  const api = memoryApi({ now: () => now });
  for (const name of ['kube-system', 'a', ...Array.from({ length: 9 }, (_, index) => `team-${index}`)])
    api.put(namespace(name));
  for (const object of objects) api.put(object);
  return api;
};
const request = (name: string, spec: object = { request: 'x' }): KubeObject =>
  objectOf(kinds.certificateRequest, { metadata: { namespace: 'a', name }, spec });

describe('an observation', () => {
  it('has every kind, without the canaries of a run that was killed', async () => {
    const api = cluster(
      certificate('a', 'web'),
      certificate('a', 'mcprt-barrier-1'),
      request('web-1'),
      request('mcprt-barrier-1'),
      objectOf(kinds.issuer, { metadata: { namespace: 'a', name: 'i' }, spec: {} }),
      objectOf(kinds.clusterIssuer, { metadata: { name: 'ci' }, spec: {} }),
      objectOf(kinds.ingress, { metadata: { namespace: 'a', name: 'in' }, spec: {} }),
    );
    const seen = await observe(api.cluster);
    const names = (list: KubeObject[]): string[] => list.map(({ metadata }) => metadata.name);
    expect([names(seen.certificates), names(seen.requests), names(seen.issuers), names(seen.ingresses)]).toEqual([
      ['web'],
      ['web-1'],
      ['i', 'ci'],
      ['in'],
    ]);
    expect(seen.fingerprint).toBe(api.find(kinds.namespace, { name: 'kube-system' })?.metadata.uid);
    expect(seen).toMatchObject({ now, layout: 'unknown', anchor: undefined });
    expect(seen.groups.get('cert-manager.io')).toEqual(['v1']);
  });

  it('is none where the cluster cannot be told from others', async () => {
    await expect(observe(memoryApi({ now: () => now }).cluster)).rejects.toMatchObject({ code: 'cluster-unknown' });
    const { cluster: timeless } = cluster();
    await expect(observe({ ...timeless, serverTime: () => undefined })).rejects.toMatchObject({
      code: 'cluster-unknown',
    });
  });

  it.each([
    ['a Certificate without a Secret', { ...certificate('a', 'web'), spec: { issuerRef: {} } }],
    ['a Certificate without an issuer', { ...certificate('a', 'web'), spec: { secretName: 's' } }],
    ['a Certificate without a spec', { ...certificate('a', 'web'), spec: 3 }],
    ['a request without one', request('r', {})],
    ['an Ingress without a spec', { ...objectOf(kinds.ingress, { metadata: { namespace: 'a', name: 'in' } }) }],
    ['an issuer without a spec', { ...objectOf(kinds.issuer, { metadata: { namespace: 'a', name: 'i' } }) }],
  ])('is none where something is not of the shape of its kind: %s', async (_, object) => {
    await expect(observe(cluster(object as KubeObject).cluster)).rejects.toMatchObject({ code: 'cluster-unexpected' });
  });

  it('of a Secret takes texts only', () => {
    const secret = opaque('a', 's', { k: 'v' });
    expect(asSecret(secret)).toBe(secret);
    expect(() => asSecret({ ...secret, data: { k: 1 } })).toThrow('shape');
    expect(() => asSecret({ ...secret, data: 'x' })).toThrow('shape');
  });

  it('calls things by their place', () => {
    expect([keyOf({ name: 'n' }), keyOf({ namespace: 'a', name: 'n' }), secretKeyOf(certificate('a', 'web'))]).toEqual([
      '/n',
      'a/n',
      'a/web-tls',
    ]);
    const owned = (kind: string): KubeObject => ({
      ...certificate('a', 'web'),
      metadata: { name: 'web', ownerReferences: [{ apiVersion: '', kind, name: '', uid: '' }] },
    });
    const makers = [owned('Ingress'), owned('Gateway'), owned('App'), certificate('a', 'web')].map((one) =>
      makerOf(one as Parameters<typeof makerOf>[0]),
    );
    expect(makers).toEqual(['shim', 'shim', 'explicit', 'explicit']);
  });

  it('masks values as they are stored, and as they are used', () => {
    const masked: string[] = [];
    maskValues(asSecret(opaque('a', 's', { k: 'value', l: '' })), (one) => void masked.push(one));
    expect(masked).toEqual(['dmFsdWU=', 'value', '', '']);
  });
});

describe('Secrets by name', () => {
  const teams = Array.from({ length: 9 }, (_, index) => ({ namespace: `team-${index}`, name: 'pull' }));
  const calls = (api: ReturnType<typeof cluster>) => {
    const paths: string[] = [];
    api.hooks.before = ({ path }) => void paths.push(path);
    return paths;
  };

  it('are read one by one while they are few, and by one list where many have a name', async () => {
    const api = cluster(
      ...teams.map((one) => opaque(one.namespace, one.name, {})),
      opaque('a', 'pull', {}),
      opaque('a', 's', {}),
    );
    const paths = calls(api);
    const few = await readSecrets(api.cluster, [
      teams[0] as never,
      { namespace: 'a', name: 'none' },
      teams[0] as never,
    ]);
    expect([[...few.keys()], paths.length]).toEqual([['team-0/pull'], 2]);
    paths.length = 0;
    const many = await readSecrets(api.cluster, teams.slice(0, 8));
    expect([many.size, paths.length, paths[0]]).toEqual([8, 1, expect.stringContaining('metadata.name%3Dpull')]);
    expect(many.has('a/pull')).toBe(false);
    paths.length = 0;
    await readSecrets(api.cluster, teams.slice(0, 7));
    expect(paths).toHaveLength(7);
  });

  it('that may not be listed are read by name, and those that may not be read are named', async () => {
    const api = cluster(...teams.map((one) => opaque(one.namespace, one.name, {})));
    api.hooks.before = ({ path }) => {
      if (path.includes('fieldSelector') || path.includes('team-3')) throw new ApiError(403, 'Forbidden', 'no', path);
    };
    const { secrets, forbidden } = await readableSecrets(api.cluster, teams);
    expect([secrets.size, forbidden]).toEqual([8, [teams[3]]]);
    await expect(readSecrets(api.cluster, teams)).rejects.toMatchObject({
      code: 'permission-missing',
      message: expect.stringContaining('1 Secret that'),
      why: 'get secrets pull in team-3',
    });
    api.hooks.before = () => {
      throw new ApiError(500, 'InternalError', 'down', 'x');
    };
    await expect(readableSecrets(api.cluster, teams)).rejects.toMatchObject({ status: 500 });
    await expect(readableSecrets(api.cluster, teams.slice(0, 1))).rejects.toMatchObject({ status: 500 });
  });
});

describe('Gateways', () => {
  it('are none where their kind is not served, and unknown where they may not be listed', async () => {
    const gateway = objectOf(kinds.gateway, { metadata: { name: 'web', namespace: 'a' }, spec: { listeners: [] } });
    const api = cluster(gateway);
    expect((await observe(api.cluster)).gateways).toMatchObject([{ metadata: { name: 'web' } }]);
    api.hooks.before = ({ path }) => {
      if (path.includes('gateways')) throw new ApiError(403, 'Forbidden', 'no', path);
    };
    expect((await observe(api.cluster)).gateways).toBeUndefined();
    api.cluster.serves = async () => false;
    expect((await observe(api.cluster)).gateways).toEqual([]);
  });
});
