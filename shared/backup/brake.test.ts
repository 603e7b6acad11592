import { describe, expect, it, jest } from '@jest/globals';
import { ApiError } from '../cluster/api-error.js';
import { type Kind, kinds } from '../cluster/objects.js';
import { type MemoryApi, memoryApi } from '../cluster/testing/memory-api.js';
import { McprtError } from '../errors.js';
import { beginInstallation } from '../facts/installation.js';
import { observeLock, requireFree } from '../facts/lock.js';
import { brake } from './brake.js';
import { clustersOwn } from './testing/memory-world.js';
import { before130 } from './testing/scene.js';

const now = new Date('2026-11-24T12:00:00Z');
const signal = new AbortController().signal;
const orderer = { state: 'running', namespace: 'cert-manager' } as const;
const holder = (run: string, minutes = 10) => ({ run, expires: new Date(now.getTime() + minutes * 60_000) });

function cluster(unserved: Kind[] = []): MemoryApi {
  const api = memoryApi({ now: () => now, unserved });
  clustersOwn(api);
  return api;
}

/** The API server takes a policy over some ticks late: until then a dry run goes through. */
function lateBy(api: MemoryApi, probes: number): { probes: number } {
  const seen = { probes: 0 };
  const binding = api.find(kinds.admissionPolicyBinding, { name: 'mcprt-brake' });
  api.hooks.before = ({ method, path }) => {
    if (method !== 'POST' || !path.includes('/orders')) return;
    seen.probes += 1;
    const found = binding ?? api.find(kinds.admissionPolicyBinding, { name: 'mcprt-brake' });
    if (seen.probes < probes) api.remove(kinds.admissionPolicyBinding, { name: 'mcprt-brake' });
    else if (found === undefined) {
      api.put({
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'ValidatingAdmissionPolicyBinding',
        metadata: { name: 'mcprt-brake' },
        spec: { policyName: 'mcprt-brake' },
      });
    }
  };
  return seen;
}

describe('the brake', () => {
  it('says how a command that was killed is continued, which is no run of its own', async () => {
    const api = cluster();
    await brake(api.cluster, holder('local/vm/17961249830012433/backup'), { canDeny: true, signal });
    await expect(requireFree(api.cluster, 'local/vm/17961249830012999/backup')).rejects.toMatchObject({
      code: 'restore-locked',
      next: expect.stringContaining('run it again with `--resume 17961249830012433`'),
    });
  });

  it('is not taken from another run that may be alive', async () => {
    const api = cluster();
    await brake(api.cluster, holder('other'), { canDeny: true, signal });
    await expect(brake(api.cluster, holder('mine'), { canDeny: true, signal })).rejects.toMatchObject({
      code: 'restore-locked',
    });
    await expect(requireFree(api.cluster, 'mine')).rejects.toMatchObject({
      code: 'restore-locked',
      next: expect.stringMatching(/run it again, or wait/),
    });
    expect(api.find(kinds.admissionPolicy, { name: 'mcprt-brake' })?.metadata.annotations).toMatchObject({
      'mcprt.dev/run': 'other',
    });
  });

  it.each([
    ['another run whose time is over', holder('other', -1)],
    ['an attempt of the same run', holder('mine')],
  ])('is taken over from %s', async (_, before) => {
    const api = cluster();
    await brake(api.cluster, before, { canDeny: true, signal });
    const held = await brake(api.cluster, holder('mine'), { canDeny: true, signal });
    expect(held.takenOver).toBe(true);
    expect(api.find(kinds.admissionPolicy, { name: 'mcprt-brake' })?.metadata.annotations).toMatchObject({
      'mcprt.dev/run': 'mine',
    });
  });

  it('is on only when a dry run of an order was denied', async () => {
    const api = cluster();
    const seen = lateBy(api, 3);
    const { before } = api.hooks;
    const probes: unknown[] = [];
    api.hooks.before = async (call) => {
      if (call.path.includes('/orders')) probes.push(JSON.parse(call.body ?? ''));
      await before?.(call);
    };
    await brake(api.cluster, holder('mine'), { canDeny: true, orderer, signal });
    expect(seen.probes).toBe(3);
    // An order that nothing but the brake has a reason to refuse.
    expect(probes[0]).toMatchObject({
      metadata: { namespace: 'default' },
      spec: { request: expect.stringMatching(/^[A-Za-z0-9+/]+=*$/), dnsNames: [expect.stringMatching(/\.invalid$/)] },
    });
    expect(api.objects(kinds.order)).toEqual([]);
  });

  it('denies orders, and of CertificateRequests only those of canaries', async () => {
    const api = cluster();
    await brake(api.cluster, holder('mine'), { canDeny: true, signal });
    expect(api.find(kinds.admissionPolicy, { name: 'mcprt-brake' })?.spec).toMatchObject({
      matchConstraints: {
        resourceRules: [
          { resources: ['orders'], operations: ['CREATE'] },
          { resources: ['certificaterequests'], operations: ['CREATE'] },
        ],
      },
      validations: [
        { expression: "request.resource.resource != 'orders' && !object.metadata.name.startsWith('mcprt-barrier-')" },
      ],
    });
  });

  it('is taken over by one of two runs that find it, and not by both', async () => {
    const api = cluster();
    await brake(api.cluster, holder('killed', -1), { canDeny: true, signal });
    api.hooks.before = async ({ method, path }) => {
      if (method !== 'PATCH' || !path.includes('/validatingadmissionpolicies/')) return;
      api.hooks.before = () => undefined;
      await brake(api.cluster, holder('other'), { canDeny: true, signal });
    };
    await expect(brake(api.cluster, holder('mine'), { canDeny: true, signal })).rejects.toMatchObject({
      code: 'restore-locked',
    });
    expect(api.find(kinds.admissionPolicy, { name: 'mcprt-brake' })?.metadata.annotations).toMatchObject({
      'mcprt.dev/run': 'other',
    });
  });

  it.each([
    ['a webhook of others refuses', 400, 'admission webhook "policies.example.com" denied the request: not in default'],
    ['cert-manager’s webhook is still down', 500, 'failed calling webhook "webhook.cert-manager.io": refused'],
  ])('is not given up where at first %s', async (_, status, detail) => {
    const api = cluster();
    let probes = 0;
    api.hooks.before = ({ method, path }) => {
      if (method !== 'POST' || !path.includes('/orders')) return;
      probes += 1;
      if (probes < 3) throw new ApiError(status, 'Refused', detail, 'POST orders');
    };
    await brake(api.cluster, holder('mine'), { canDeny: true, orderer, signal });
    expect(probes).toBe(3);
    api.hooks.before = ({ method, path }) => {
      if (method === 'POST' && path.includes('/orders')) throw new ApiError(403, 'Forbidden', 'no', 'POST orders');
    };
    await expect(brake(api.cluster, holder('mine'), { canDeny: true, orderer, signal })).rejects.toMatchObject({
      code: 'cluster-forbidden',
    });
  });

  it('is let go when it could not be put into force, and says so where it could not be let go', async () => {
    const api = cluster();
    const down = new ApiError(503, 'ServiceUnavailable', 'down', 'any');
    api.hooks.before = ({ method, path }) => {
      if (method === 'PATCH' && path.includes('/validatingadmissionpolicybindings/')) throw down;
    };
    await expect(brake(api.cluster, holder('mine'), { canDeny: true, orderer, signal })).rejects.toBe(down);
    expect(api.objects(kinds.admissionPolicy)).toEqual([]);

    for (const from of ['/validatingadmissionpolicybindings/', '/orders']) {
      let isDead = false;
      api.hooks.before = ({ method, path }) => {
        isDead ||= method !== 'GET' && path.includes(from);
        if (isDead) throw down;
      };
      await expect(brake(api.cluster, holder('mine'), { canDeny: true, orderer, signal })).rejects.toMatchObject({
        code: 'cluster-unavailable',
        why: expect.stringContaining('the brake is still on'),
      });
      expect(api.objects(kinds.admissionPolicy)).toHaveLength(1);
      api.remove(kinds.admissionPolicy, { name: 'mcprt-brake' });
      api.remove(kinds.admissionPolicyBinding, { name: 'mcprt-brake' });
    }
  });

  it('lets the binding go before the policy, so that no other run begins meanwhile', async () => {
    const api = cluster();
    const held = await brake(api.cluster, holder('mine'), { canDeny: true, signal });
    await held.release();
    expect(api.writes.filter((line) => line.startsWith('DELETE'))).toEqual([
      'DELETE /apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings/mcprt-brake',
      'DELETE /apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/mcprt-brake',
    ]);
    expect(held.isReleased()).toBe(true);
  });

  const reason = new McprtError('job-cancelled', { what: 'cancelled', why: 'a signal', next: 'again' });

  it('hears a cancel while it waits for its proof, and is off then', async () => {
    const api = cluster();
    lateBy(api, Number.POSITIVE_INFINITY);
    const cancel = new AbortController();
    setTimeout(() => cancel.abort(reason), 60);
    await expect(brake(api.cluster, holder('mine'), { canDeny: true, orderer, signal: cancel.signal })).rejects.toBe(
      reason,
    );
    expect(api.objects(kinds.admissionPolicy)).toEqual([]);
  });

  it('stays on, and says so, when it was a killed run’s: what that one wrote may need it', async () => {
    const api = cluster();
    await brake(api.cluster, holder('mine'), { canDeny: true, signal });
    lateBy(api, Number.POSITIVE_INFINITY);
    const cancel = new AbortController();
    setTimeout(() => cancel.abort(reason), 60);
    const failed = brake(api.cluster, holder('mine'), {
      canDeny: true,
      orderer,
      signal: cancel.signal,
    });
    await expect(failed).rejects.toMatchObject({
      code: 'job-cancelled',
      why: expect.stringContaining('the brake is still on'),
    });
    expect(api.objects(kinds.admissionPolicy)).toHaveLength(1);
  });

  it.each<[string, ((api: MemoryApi) => void) | undefined, string]>([
    ['and says so', undefined, 'brake-ineffective'],
    [
      'in the words of the webhook that is in its way',
      (api) => {
        const late = new ApiError(500, 'InternalError', 'failed calling webhook "w"', 'POST orders');
        api.hooks.before = ({ method, path }) => {
          if (method === 'POST' && path.includes('/orders')) throw late;
        };
      },
      'cluster-webhook-away',
    ],
  ])('is given up where it stays without effect, %s', async (_, hinder, code) => {
    const api = cluster();
    if (hinder === undefined) lateBy(api, Number.POSITIVE_INFINITY);
    else hinder(api);
    let time = 0;
    const clock = jest.spyOn(Date, 'now').mockImplementation(() => (time += 60_000));
    try {
      await expect(brake(api.cluster, holder('mine'), { canDeny: true, orderer, signal })).rejects.toMatchObject({
        code,
      });
    } finally {
      clock.mockRestore();
    }
    expect(api.objects(kinds.admissionPolicy)).toEqual([]);
  });

  it('passes on what the API server says of it', async () => {
    const api = cluster();
    const refused = new ApiError(403, 'Forbidden', 'no', 'POST policies');
    api.hooks.before = ({ method }) => {
      if (method === 'POST') throw refused;
    };
    await expect(brake(api.cluster, holder('mine'), { canDeny: true, signal })).rejects.toBe(refused);
    api.hooks.before = () => undefined;
    await brake(api.cluster, holder('killed', -1), { canDeny: true, signal });
    api.hooks.before = ({ method, path }) => {
      if (method === 'PATCH' && path.includes('/validatingadmissionpolicies/')) throw refused;
    };
    await expect(brake(api.cluster, holder('mine'), { canDeny: true, signal })).rejects.toBe(refused);
  });
});

describe('the lock of a cluster before Kubernetes 1.30, which cannot deny orders', () => {
  const options = { canDeny: false, signal };

  it('keeps others out, is taken over by the same run, and is let go', async () => {
    const api = cluster(before130);
    await brake(api.cluster, holder('mine'), options);
    for (const other of [() => brake(api.cluster, holder('other'), options), () => requireFree(api.cluster, 'other')]) {
      await expect(other()).rejects.toMatchObject({
        code: 'restore-locked',
        next: expect.stringContaining('kubectl delete configmap -n kube-system mcprt-brake'),
      });
    }
    const again = await brake(api.cluster, holder('mine', 20), options);
    expect([again.takenOver, (await observeLock(api.cluster))?.expires]).toEqual([true, holder('mine', 20).expires]);
    await again.release();
    expect(await observeLock(api.cluster)).toBeUndefined();
    expect(api.objects(kinds.configMap)).toEqual([]);
  });

  it('is not taken while a setup is under way', async () => {
    const api = cluster(before130);
    await beginInstallation(api.cluster, { run: 'other', expires: holder('other').expires });
    await expect(brake(api.cluster, holder('mine'), options)).rejects.toMatchObject({ code: 'setup-busy' });
    expect(await observeLock(api.cluster)).toBeUndefined();
  });
});
