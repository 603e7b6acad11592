import { describe, expect, it, jest } from '@jest/globals';
import { ApiError } from '../cluster/api-error.js';
import { objectOf } from '../cluster/cluster.js';
import { type KubeObject, kinds } from '../cluster/objects.js';
import { type MemoryApi, memoryApi } from '../cluster/testing/memory-api.js';
import { McprtError } from '../errors.js';
import { isCanary } from '../facts/observation.js';
import { proveBrake } from './brake-proof.js';
import { clustersOwn, putApiServers, putController } from './testing/memory-world.js';

const silent = new AbortController().signal;
const denied =
  "Failed to create CertificateRequest: certificaterequests.cert-manager.io is forbidden: ValidatingAdmissionPolicy 'mcprt-brake' with binding 'mcprt-brake' denied request";

interface World {
  api: MemoryApi;
  /** What became of each of cert-manager's CertificateRequests. */
  tries: ('let through' | 'denied')[];
  prove(signal?: AbortSignal, state?: 'running' | 'unready'): Promise<void>;
}

/** A cluster with the brake, and cert-manager's request manager. @param tries what its API server makes of each of its requests */
function world(servers: readonly string[], tries: World['tries'], message = denied): World {
  const api = memoryApi();
  clustersOwn(api);
  putController(api, 'running');
  putApiServers(api, servers);
  for (const kind of [kinds.admissionPolicy, kinds.admissionPolicyBinding])
    api.put(objectOf(kind, { metadata: { name: 'mcprt-brake' }, spec: { policyName: 'mcprt-brake' } }));
  const left = [...tries];
  const done: World['tries'] = [];
  const request = ({ metadata: { namespace = '', name } }: KubeObject): void => {
    const next = left.shift();
    if (next === undefined) return;
    done.push(next);
    const own = { metadata: { namespace, name: `${name}-${done.length}` } };
    if (next === 'let through') api.put(objectOf(kinds.certificateRequest, own));
    else api.put(objectOf(kinds.event, { ...own, involvedObject: { name, namespace }, message }));
  };
  api.hooks.after = (event, object) => {
    if (object.kind === 'Certificate' && event === 'ADDED') setImmediate(() => request(object));
    if (object.kind !== 'CertificateRequest' || event !== 'DELETED') return;
    const [certificate] = api.objects(kinds.certificate).filter(isCanary);
    if (certificate !== undefined) setImmediate(() => request(certificate));
  };
  const prove: World['prove'] = (signal = silent, state = 'running') =>
    proveBrake(api.cluster, { state, namespace: 'cert-manager' }, signal);
  return { api, tries: done, prove };
}

function leftIn(api: MemoryApi): KubeObject[] {
  return [kinds.certificate, kinds.certificateRequest, kinds.secret].flatMap((kind) => api.objects(kind));
}

describe('the brake’s proof', () => {
  it('is a dry run, where there is one API server', async () => {
    const { api, tries, prove } = world(['192.0.2.1'], ['denied']);
    await prove();
    expect([tries, api.writes]).toEqual([[], []]);
  });

  it('does not wait for a cert-manager that does not run yet', async () => {
    const { api, prove } = world([], []);
    await prove(AbortSignal.timeout(5_000), 'unready');
    expect(api.writes).toEqual([]);
  });

  it.each<[string, string[]]>([
    ['there are several API servers', ['192.0.2.1', '192.0.2.2']],
    ['nobody tells how many there are', []],
  ])('is that cert-manager was denied something, where %s, and leaves nothing', async (_, servers) => {
    const { api, tries, prove } = world(servers, ['let through', 'let through', 'denied']);
    await prove();
    expect(tries).toEqual(['let through', 'let through', 'denied']);
    expect(leftIn(api)).toEqual([]);
  });

  it('lets cert-manager see a request before it takes it away', async () => {
    const { api, prove } = world([], ['let through', 'denied']);
    let looks = 0;
    let before: number | undefined;
    api.hooks.before = ({ method, path }) => {
      if (!path.includes('/certificaterequests')) return;
      if (method === 'DELETE') before ??= looks;
      else if (api.objects(kinds.certificateRequest).length > 0) looks += 1;
    };
    await prove();
    expect(before).toBe(2);
  });

  const reason = new McprtError('job-cancelled', { what: 'cancelled', why: 'a signal', next: 'again' });

  it('tells of the cancel that ended it, also where its canary cannot be taken away', async () => {
    const { api, prove } = world(['192.0.2.1', '192.0.2.2'], []);
    api.hooks.before = async ({ method }) => {
      if (method === 'DELETE') throw new ApiError(403, 'Forbidden', 'no', 'delete');
    };
    const cancel = new AbortController();
    setTimeout(() => cancel.abort(reason), 50);
    await expect(prove(cancel.signal)).rejects.toBe(reason);
  });

  it('is none where somebody else refuses cert-manager, and a cancel ends the wait at once', async () => {
    const { api, tries, prove } = world([], ['denied'], 'admission webhook "policies.example.com" denied the request');
    const cancel = new AbortController();
    setTimeout(() => cancel.abort(reason), 300);
    await expect(prove(cancel.signal)).rejects.toBe(reason);
    expect([tries, leftIn(api)]).toEqual([['denied'], []]);
  });

  it.each<[string, World['tries'], string]>([
    ['cert-manager is let through', ['let through'], 'it has let through what the policy denies'],
    ['cert-manager does nothing', [], 'cert-manager has not asked for a CertificateRequest'],
  ])('is given up where %s for a minute, and leaves nothing', async (_, tries, why) => {
    const { api, prove } = world([], tries);
    let time = 0;
    const clock = jest.spyOn(Date, 'now').mockImplementation(() => (time += 25_000));
    try {
      await expect(prove()).rejects.toMatchObject({
        code: 'brake-ineffective',
        why: expect.stringContaining(why),
        next: expect.stringContaining('scale cert-manager’s Deployment to 0'),
      });
    } finally {
      clock.mockRestore();
    }
    expect(leftIn(api)).toEqual([]);
  });
});
