import { describe, expect, it, jest } from '@jest/globals';
import { newKey, requestPem } from '../certificates/testing/fixtures.js';
import { ApiError } from '../cluster/api-error.js';
import { objectOf } from '../cluster/cluster.js';
import { type KubeObject, kinds } from '../cluster/objects.js';
import type { MemoryApi } from '../cluster/testing/memory-api.js';
import { McprtError } from '../errors.js';
import { day } from './testing/issued.js';
import { certificate, namespace, opaque, type Scene, scene, secretOf } from './testing/scene.js';

const wiped = ['registry', 'mcp-sentinel'];
const wipe = (api: MemoryApi, names: readonly string[] = wiped): void => {
  for (const name of names) api.remove(kinds.namespace, { name });
};
const reason = new McprtError('job-cancelled', { what: 'cancelled', why: 'a signal', next: 'again' });
const isOn = (api: MemoryApi): boolean => api.objects(kinds.admissionPolicy).length > 0;

/** A scene whose backup was made and whose platform was wiped. */
async function lost(...more: KubeObject[]): Promise<Scene> {
  const made = await scene('running', more);
  await made.backUp();
  wipe(made.api);
  return made;
}

/** A write in earnest. */
const isSecretOfRegistry = (path: string): boolean =>
  path.startsWith('/api/v1/namespaces/registry/secrets') && !path.includes('dryRun');

describe('restore', () => {
  it('writes what others depend on first: namespaces, keys of issuers, certificates, the platform’s own', async () => {
    const { api, backUp, restore } = await scene('running');
    await backUp();
    wipe(api);
    api.remove(kinds.secret, { namespace: 'cert-manager', name: 'account' });
    const before = api.writes.length;
    await restore();
    const order = [
      'POST /api/v1/namespaces',
      'POST /api/v1/namespaces/cert-manager/secrets',
      'POST /api/v1/namespaces/registry/secrets',
      'POST /api/v1/namespaces/mcp-sentinel/secrets',
    ];
    const places = order.map((line) => api.writes.indexOf(line, before));
    expect(places).not.toContain(-1);
    expect(places).toEqual([...places].sort((a, b) => a - b));
  });

  it('writes nothing a second time, and is off the brake', async () => {
    const { api, restore } = await lost();
    await restore();
    const before = api.writes.length;
    expect((await restore()).applied.every(({ action }) => action === 'keep')).toBe(true);
    expect(
      api.writes.slice(before).filter((line) => line.includes('/namespaces') && !line.includes('/cert-manager/')),
    ).toEqual([]);
    expect(isOn(api)).toBe(false);
  });

  it('stops before any write when it would lead to an order', async () => {
    const changed = certificate('registry', 'registry-cert', {
      secretName: 'registry-tls',
      dnsNames: ['other.example.com'],
    });
    const { api, restore } = await lost();
    api.put(namespace('registry'));
    api.put(changed);
    const before = api.writes.length;
    await expect(restore()).rejects.toMatchObject({
      code: 'restore-orders',
      next: expect.stringContaining('`max-orders: 1`'),
    });
    expect(api.writes.slice(before)).toEqual([]);
    await expect(restore({ maxOrders: 1, dryRun: true })).resolves.toMatchObject({ plan: { orders: 1 } });
  });

  it('asks whether it may wait for cert-manager where that runs, before any write', async () => {
    const outcome = async (namespaceOf: string, state: 'running' | 'stopped', mayDo: boolean): Promise<string> => {
      const { api, backUp, restore } = await scene(state);
      await backUp();
      wipe(api);
      const ref = { namespace: 'cert-manager', name: 'cert-manager' };
      const controller = api.find(kinds.deployment, ref);
      if (controller === undefined) throw new Error('there is one');
      api.remove(kinds.deployment, ref);
      api.put(namespace(namespaceOf));
      api.put({ ...controller, metadata: { ...controller.metadata, namespace: namespaceOf } });
      api.hooks.mayNothing = !mayDo;
      const before = api.writes.length;
      const error = await restore().then(
        () => undefined,
        (thrown: McprtError) => thrown,
      );
      if (error === undefined) return 'restored';
      expect(api.writes.slice(before)).toEqual([]);
      return `${error.code}: ${error.why}`;
    };
    expect(await outcome('elsewhere', 'running', true)).toBe('restored');
    expect(await outcome('elsewhere', 'running', false)).toMatch(/^permission-missing: .*elsewhere/);
    // The question at the start of the operation was about this one; a stopped one is not waited for.
    expect(await outcome('cert-manager', 'running', false)).toBe('restored');
    expect(await outcome('elsewhere', 'stopped', false)).toBe('restored');
  });

  it('counts no renewal that is due anyway, and tells it', async () => {
    const short = certificate('registry', 'short');
    const { api, restore } = await lost(short, secretOf(short, { age: 5 * day, life: 6 * day }));
    const { plan } = await restore();
    expect(plan.orders).toBe(0);
    expect(plan.certificates.find(({ name }) => name === 'short')).toMatchObject({
      verdict: 'order',
      reason: 'Renewing',
      excused: 'renewal',
    });
    expect(plan.warnings.join('\n')).toContain('registry/short is due for renewal in any case');
    expect(isOn(api)).toBe(false);
  });

  it('tells from a backup’s own content what had to be issued before', async () => {
    const never = certificate('blog', 'never', { issuerRef: { name: 'nowhere' } });
    const { api, restore } = await lost(namespace('blog'), never);
    api.remove(kinds.namespace, { name: 'blog' });
    const { plan } = await restore({ dryRun: true });
    expect(plan.certificates.find(({ name }) => name === 'never')).toMatchObject({
      verdict: 'order',
      excused: 'before',
    });
    expect(plan.orders).toBe(0);
  });

  it('brings no team back that its database has lost, and its certificates without its labels', async () => {
    const labels = {
      'platform.mcpruntime.org/managed': 'true',
      'mcpruntime.org/team-id': 'f',
      'pod-security.kubernetes.io/enforce': 'restricted',
    };
    const teams = ['mcp-team-a', 'mcp-team-b'];
    const served = certificate('mcp-team-b', 'server');
    const pulls = teams.map((name) =>
      opaque(name, 'mcp-runtime-registry-pull', { '.dockerconfigjson': '{}' }, 'kubernetes.io/dockerconfigjson'),
    );
    const { api, restore } = await lost(
      ...teams.map((name) => namespace(name, labels)),
      ...pulls,
      served,
      secretOf(served),
    );
    wipe(api, teams);
    const { plan } = await restore();
    expect(api.find(kinds.namespace, { name: 'mcp-team-a' })).toBeUndefined();
    expect(api.find(kinds.namespace, { name: 'mcp-team-b' })?.metadata.labels).toEqual({
      'kubernetes.io/metadata.name': 'mcp-team-b',
      'pod-security.kubernetes.io/enforce': 'restricted',
    });
    expect(api.objects(kinds.secret).filter(({ metadata }) => metadata.name === 'mcp-runtime-registry-pull')).toEqual(
      [],
    );
    expect(plan.warnings.join('\n')).toMatch(/made again with them: mcp-team-a\n.*only the certificates.*: mcp-team-b/);
    // A team that is there is completed.
    api.put(namespace('mcp-team-a', labels));
    const again = await restore();
    expect(
      again.applied.find(({ subject }) => subject === 'Secret mcp-team-a/mcp-runtime-registry-pull'),
    ).toMatchObject({ action: 'create' });
  });

  it('leaves a cluster that the next backup is made of, before the teams are there again', async () => {
    const labels = { 'platform.mcpruntime.org/managed': 'true' };
    const served = certificate('mcp-team-b', 'server');
    const pull = opaque(
      'mcp-team-b',
      'mcp-runtime-registry-pull',
      { '.dockerconfigjson': '{}' },
      'kubernetes.io/dockerconfigjson',
    );
    const { api, restore, backUp } = await lost(namespace('mcp-team-b', labels), pull, served, secretOf(served));
    wipe(api, ['mcp-team-b']);
    await restore();
    const registry = certificate('registry', 'registry-cert', { secretName: 'registry-tls' });
    api.put(registry);
    const { snapshot } = await backUp();
    const names = snapshot.objects.map(({ object }) => object.metadata.name);
    // Another wipe must not lose what its team is still to be made for.
    expect(names).toContain('server-tls');
    expect(names).not.toContain('mcp-runtime-registry-pull');
  });

  it('decides again when somebody else was faster', async () => {
    const { api, restore } = await lost();
    const mine = secretOf(certificate('registry', 'registry-cert', { secretName: 'registry-tls' }), { age: day });
    api.hooks.before = ({ method, path }) => {
      if (method !== 'POST' || !path.startsWith('/api/v1/namespaces/registry/secrets')) return;
      api.hooks.before = () => undefined;
      api.put(mine);
    };
    const { applied } = await restore();
    expect(applied.find(({ subject }) => subject === 'Secret registry/registry-tls')).toMatchObject({
      action: 'keep',
    });
  });

  it('fails when what came first cannot be replaced, and stays on the brake', async () => {
    const { api, restore } = await lost();
    api.hooks.before = ({ method, path }) => {
      if (method !== 'POST' || !path.startsWith('/api/v1/namespaces/registry/secrets')) return;
      api.hooks.before = () => undefined;
      api.put(opaque('registry', 'registry-tls', { of: 'somebody else' }));
    };
    await expect(restore()).rejects.toMatchObject({
      code: 'restore-refused',
      why: expect.stringMatching(/not cert-manager’s is in its place[\s\S]*the brake is still on/),
    });
    expect(isOn(api)).toBe(true);
  });

  it('gives the same certificate its annotations back, whatever the type of the Secret is', async () => {
    const { api, backUp, restore } = await scene('running');
    await backUp();
    const ref = { namespace: 'registry', name: 'registry-tls' };
    const live = api.find(kinds.secret, ref);
    if (live === undefined) throw new Error('there is one');
    api.remove(kinds.secret, ref);
    api.put({ ...live, metadata: ref, type: 'Opaque' });
    const { plan } = await restore();
    expect(plan.orders).toBe(0);
    expect(api.find(kinds.secret, ref)).toMatchObject({
      type: 'Opaque',
      metadata: { annotations: { 'cert-manager.io/issuer-name': 'le' } },
      data: live.data,
    });
  });

  it('takes nothing that is being deleted for restored', async () => {
    const { api, backUp, restore } = await scene('running');
    await backUp();
    const leaving = { deletionTimestamp: '2026-11-24T11:00:00Z', finalizers: ['example.com/held'] };
    for (const ref of [
      { namespace: 'registry', name: 'registry-tls' },
      { namespace: 'mcp-sentinel', name: 'mcp-sentinel-secrets' },
    ]) {
      const live = api.find(kinds.secret, ref);
      if (live === undefined) throw new Error('there is one');
      api.put({ ...live, metadata: { ...live.metadata, ...leaving } });
    }
    await expect(restore()).rejects.toMatchObject({
      code: 'restore-refused',
      why: expect.stringMatching(
        /registry-tls: it is being deleted.*example.com\/held[\s\S]*mcp-sentinel-secrets: it is/,
      ),
    });
    expect(isOn(api)).toBe(false);
  });

  it('waits for no namespace that it writes nothing into, and tells one that begins to go meanwhile', async () => {
    const team = namespace('mcp-team-a', { 'platform.mcpruntime.org/managed': 'true' });
    const pull = opaque('mcp-team-a', 'mcp-runtime-registry-pull', { a: 'b' });
    const { api, restore } = await lost(team, pull);
    const leave = (name: string): void => {
      const live = api.find(kinds.namespace, { name });
      if (live === undefined) throw new Error('it is there');
      api.put({ ...live, metadata: { ...live.metadata, deletionTimestamp: '2026-11-24T11:00:00Z' } });
    };
    leave('mcp-team-a');
    const held = api.find(kinds.secret, { namespace: 'mcp-team-a', name: 'mcp-runtime-registry-pull' });
    if (held === undefined) throw new Error('it is there');
    api.put({ ...held, metadata: { ...held.metadata, deletionTimestamp: '2026-11-24T11:00:00Z' } });
    expect((await restore({ timeout: 1 })).verified).toBe(true);

    wipe(api);
    api.hooks.before = ({ method, path }) => {
      if (method !== 'POST' || !path.startsWith('/api/v1/namespaces/registry/secrets')) return;
      api.hooks.before = () => undefined;
      leave('registry');
    };
    await expect(restore()).rejects.toMatchObject({ code: 'namespace-terminating' });
  });

  it.each(['running', 'stopped'] as const)(
    'reads back the keys that it added to a Secret that was there, with cert-manager %s',
    async (state) => {
      const { api, backUp, restore } = await scene(state);
      await backUp();
      wipe(api);
      const ref = { namespace: 'mcp-sentinel', name: 'mcp-sentinel-secrets' };
      api.put(namespace('mcp-sentinel'));
      api.put(opaque(ref.namespace, ref.name, { ADMIN_API_KEYS: 'live' }));
      api.hooks.after = (event, object, itself) => {
        if (event !== 'MODIFIED' || object.metadata.name !== ref.name) return;
        api.hooks.after = () => undefined;
        itself.put(opaque(ref.namespace, ref.name, { ADMIN_API_KEYS: 'live', JWT_SECRET: 'of somebody else' }));
      };
      await expect(restore()).rejects.toMatchObject({
        code: 'restore-verify',
        why: expect.stringMatching(
          /mcp-sentinel-secrets has another JWT_SECRET than was written\n[\s\S]*the brake is still on/,
        ),
      });
      expect(isOn(api)).toBe(true);
    },
  );

  it('calls off an issuance that had begun, also where cert-manager is stopped', async () => {
    const { api, backUp, restore } = await scene('stopped');
    await backUp();
    const issuing = {
      conditions: [
        { type: 'Ready', status: 'False' },
        { type: 'Issuing', status: 'True', reason: 'DoesNotExist' },
      ],
    };
    api.remove(kinds.secret, { namespace: 'registry', name: 'registry-tls' });
    const [live] = api.objects(kinds.certificate);
    if (live === undefined) throw new Error('there is one');
    api.put({ ...live, status: issuing });
    await restore();
    expect(api.objects(kinds.certificate)[0]?.status).toEqual({ conditions: [{ type: 'Ready', status: 'False' }] });
  });

  it('looks again where cert-manager has written meanwhile, and gives up where it may not write', async () => {
    const issued = async (failing: (attempt: number) => ApiError | undefined) => {
      const { api, backUp, restore } = await scene('stopped');
      await backUp();
      api.remove(kinds.secret, { namespace: 'registry', name: 'registry-tls' });
      const [live] = api.objects(kinds.certificate);
      if (live === undefined) throw new Error('there is one');
      api.put({ ...live, status: { conditions: [{ type: 'Issuing', status: 'True', reason: 'DoesNotExist' }] } });
      let attempts = 0;
      api.hooks.before = ({ method, path }) => {
        if (method !== 'PATCH' || !path.includes('/registry-cert/status')) return;
        attempts += 1;
        const error = failing(attempts);
        if (error) throw error;
      };
      const ended = await restore().catch((error: unknown) => error);
      return { ended, attempts, status: api.objects(kinds.certificate)[0]?.status };
    };
    const conflict = new ApiError(409, 'Conflict', 'changed', 'x');
    const twice = await issued((attempt) => (attempt < 3 ? conflict : undefined));
    expect(twice).toMatchObject({ attempts: 3, status: { conditions: [] } });
    expect(twice.ended).not.toBeInstanceOf(Error);
    const never = await issued(() => new ApiError(500, 'InternalError', 'down', 'x'));
    expect(never).toMatchObject({ attempts: 1, ended: { message: expect.stringContaining('500') } });
  });

  it.each([
    ['the write of the Secret', '/namespaces/registry/secrets'],
    ['the barrier', '/namespaces/cert-manager/certificates'],
    ['the call-off', '/registry-cert/status'],
  ])('finishes what a run left that was killed before the end of %s', async (_, at) => {
    const { api, backUp, restore } = await scene('running');
    await backUp();
    api.remove(kinds.secret, { namespace: 'registry', name: 'registry-tls' });
    const issuing = { type: 'Issuing', status: 'True', reason: 'DoesNotExist' };
    const [live] = api.objects(kinds.certificate);
    if (live === undefined) throw new Error('there is one');
    api.put({ ...live, status: { revision: 1, conditions: [issuing] } });
    // Made since the backup, with another key than the backup's.
    const uid = live.metadata.uid ?? '';
    const request = (name: string, revision: string): KubeObject =>
      objectOf(kinds.certificateRequest, {
        metadata: {
          name,
          namespace: 'registry',
          annotations: { 'cert-manager.io/certificate-revision': revision },
          ownerReferences: [
            { apiVersion: 'cert-manager.io/v1', kind: 'Certificate', name: 'registry-cert', uid, controller: true },
          ],
        },
        spec: {
          request: Buffer.from(requestPem({ key: newKey('P-256'), dns: [] })).toString('base64'),
          issuerRef: { name: 'le' },
        },
      });
    api.put(request('stale', '1'));
    api.put(request('next', '2'));
    let isDead = false;
    api.hooks.before = ({ method, path }) => {
      if (isDead) throw new Error('killed');
      isDead = method !== 'GET' && path.includes(at) && !path.includes('dryRun');
      // What is written is written: only the answer does not arrive any more.
      if (isDead && !at.endsWith('secrets')) throw new Error('killed');
    };
    await expect(restore()).rejects.toThrow('killed');
    api.hooks.before = () => undefined;
    expect(api.find(kinds.secret, { namespace: 'registry', name: 'registry-tls' })).toBeDefined();
    expect(isOn(api)).toBe(true);

    const { plan, takenOver } = await restore();
    expect(takenOver).toBe(true);
    expect(plan.orders).toBe(0);
    expect(plan.certificates).toMatchObject([{ name: 'registry-cert', verdict: 'keep', excused: undefined }]);
    expect(api.objects(kinds.certificate)[0]?.status).toEqual({
      revision: 1,
      conditions: [{ type: 'Ready', status: 'True', reason: 'Ready' }],
    });
    expect(api.objects(kinds.certificateRequest)).toEqual([]);
    expect(isOn(api)).toBe(false);
  });

  it('leaves a renewal and what somebody triggered alone, whose Secret it does not write', async () => {
    for (const reason of ['Renewing', 'ManuallyTriggered']) {
      const { api, backUp, restore } = await scene('running');
      await backUp();
      const [live] = api.objects(kinds.certificate);
      if (live === undefined) throw new Error('there is one');
      const status = { conditions: [{ type: 'Issuing', status: 'True', reason }] };
      api.put({ ...live, status });
      const { plan } = await restore();
      expect(plan.aborts).toEqual([]);
      expect(api.objects(kinds.certificate)[0]?.status).toEqual(status);
    }
  });

  it.each<[string, (path: string, method: string) => boolean, boolean]>([
    ['the proof of the brake', (path, method) => method === 'POST' && path.includes('/orders'), false],
    ['a write', (path, method) => method === 'POST' && isSecretOfRegistry(path), true],
    ['the barrier', (path, method) => method === 'POST' && path.includes('/certificates'), true],
  ])('hears a cancel during %s', async (_, isThen, staysOn) => {
    const { api, backUp, restore } = await scene('running');
    await backUp();
    api.remove(kinds.secret, { namespace: 'registry', name: 'registry-tls' });
    const cancel = new AbortController();
    api.hooks.before = ({ method, path }) => {
      if (isThen(path, method)) cancel.abort(reason);
    };
    // The canary is never looked at: only the cancel ends the wait for it.
    api.hooks.after = () => undefined;
    const failed = restore({}, { signal: cancel.signal });
    await expect(failed).rejects.toMatchObject({
      code: 'job-cancelled',
      ...(staysOn ? { why: expect.stringContaining('the brake is still on') } : {}),
    });
    expect(isOn(api)).toBe(staysOn);
  });

  it('that a quota stops says so and that the brake is still on, and goes on when there is room', async () => {
    const { api, backUp, restore } = await scene('running');
    await backUp();
    api.remove(kinds.secret, { namespace: 'registry', name: 'registry-tls' });
    let isFull = true;
    api.hooks.before = ({ method, path }) => {
      // There was room when it was asked.
      if (!isFull || method !== 'POST' || !isSecretOfRegistry(path)) return;
      throw new ApiError(403, 'Forbidden', 'secrets "registry-tls" is forbidden: exceeded quota: small, used: 5', path);
    };
    await expect(restore()).rejects.toMatchObject({
      code: 'cluster-quota',
      why: expect.stringMatching(/exceeded quota[\s\S]*the brake is still on/),
      next: expect.stringMatching(/ResourceQuota small[\s\S]*takes the brake over/),
    });
    expect(isOn(api)).toBe(true);
    isFull = false;
    expect(await restore()).toMatchObject({ takenOver: true, verified: true, newOrders: [] });
    expect(isOn(api)).toBe(false);
  });

  it('hears a cancel while it waits for certificates, and for a namespace that is being deleted', async () => {
    const { api, backUp, restore } = await scene('running');
    await backUp();
    api.remove(kinds.secret, { namespace: 'registry', name: 'registry-tls' });
    const [live] = api.objects(kinds.certificate);
    if (live === undefined) throw new Error('there is one');
    api.put({ ...live, status: { conditions: [{ type: 'Ready', status: 'False' }] } });
    const { after: react } = api.hooks;
    api.hooks.after = (event, object, itself) => {
      if (object.metadata.name.startsWith('mcprt-barrier-')) react?.(event, object, itself);
    };
    const cancel = new AbortController();
    setTimeout(() => cancel.abort(reason), 400);
    await expect(restore({}, { signal: cancel.signal })).rejects.toMatchObject({
      code: 'job-cancelled',
      why: expect.stringContaining('the brake is still on'),
    });

    const other = await lost();
    other.api.put(
      objectOf(kinds.namespace, { metadata: { name: 'registry', deletionTimestamp: '2026-11-24T11:00:00Z' } }),
    );
    const late = new AbortController();
    setTimeout(() => late.abort(reason), 100);
    await expect(other.restore({}, { signal: late.signal })).rejects.toBe(reason);
  });

  it('counts an order that cert-manager made for what was restored, and tells others', async () => {
    const { api, restore } = await lost();
    const order = (name: string): KubeObject =>
      objectOf(kinds.order, {
        metadata: { name, namespace: 'registry', annotations: { 'cert-manager.io/certificate-name': name } },
        spec: {},
      });
    const { after: react } = api.hooks;
    api.hooks.after = (event, object, itself) => {
      react?.(event, object, itself);
      if (event === 'DELETED' && object.kind === 'ValidatingAdmissionPolicyBinding')
        itself.put(order('somebody-elses'));
    };
    await expect(restore()).resolves.toMatchObject({
      newOrders: [],
      otherOrders: [expect.stringContaining('registry/somebody-elses')],
    });
    wipe(api);
    api.hooks.after = (event, object, itself) => {
      react?.(event, object, itself);
      if (event === 'DELETED' && object.kind === 'ValidatingAdmissionPolicyBinding') itself.put(order('registry-cert'));
    };
    await expect(restore()).rejects.toMatchObject({ code: 'restore-ordered' });
  });

  /** Time that goes by a minute with each look at it, once something has happened. */
  const hurried = (since: () => boolean) => {
    let passed = 0;
    const { now: real } = Date;
    return jest.spyOn(Date, 'now').mockImplementation(() => {
      if (since()) passed += 60_000;
      return real() + passed;
    });
  };

  it('says which certificates do not become Ready, and what cert-manager says of them', async () => {
    const { api, restore } = await lost();
    const { after: react } = api.hooks;
    let written = false;
    api.hooks.after = (event, object, itself) => {
      if (object.metadata.name.startsWith('mcprt-barrier-')) react?.(event, object, itself);
      written ||= event === 'ADDED' && object.metadata.name === 'registry-tls';
    };
    const conditions = [{ type: 'Ready', status: 'False', reason: 'Doubtful', message: 'not yet' }];
    api.put(namespace('registry'));
    api.put({
      ...certificate('registry', 'registry-cert', { secretName: 'registry-tls' }),
      status: { conditions },
    } as KubeObject);
    const clock = hurried(() => written);
    try {
      await expect(restore()).rejects.toMatchObject({
        code: 'restore-verify',
        message: expect.stringContaining('1 certificate is not Ready'),
        why: expect.stringMatching(/^registry\/registry-cert: .*Ready=False Doubtful not yet/),
      });
    } finally {
      clock.mockRestore();
    }
    expect(isOn(api)).toBe(true);
  });

  it('names what holds a namespace that does not go in time', async () => {
    for (const [conditions, why] of [
      [
        [
          { type: 'A', status: 'True', message: 'pods are left' },
          { type: 'B', status: 'False', message: 'no' },
        ],
        'registry: pods are left',
      ],
      [[], 'registry: its content is being deleted'],
    ] as const) {
      const { api, restore } = await lost();
      const leaving = {
        metadata: { name: 'registry', deletionTimestamp: '2026-11-24T11:00:00Z' },
        status: { conditions },
      };
      api.put(objectOf(kinds.namespace, leaving));
      const writes = api.writes.length;
      await expect(restore({ timeout: 1 })).rejects.toMatchObject({
        code: 'namespace-terminating',
        message: 'namespaces are still being deleted: registry',
        why,
      });
      expect(api.writes.slice(writes)).toEqual([]);
    }
  });
});
