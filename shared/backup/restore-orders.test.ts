import { describe, expect, it, jest } from '@jest/globals';
import { objectOf } from '../cluster/cluster.js';
import { type KubeObject, kinds } from '../cluster/objects.js';
import { beginInstallation } from '../facts/installation.js';
import { day } from './testing/issued.js';
import { putController, type State } from './testing/memory-world.js';
import { before130, certificate, namespace, type Scene, scene, secretOf } from './testing/scene.js';

const order = (namespaceName: string, of: string): KubeObject =>
  objectOf(kinds.order, {
    metadata: {
      namespace: namespaceName,
      name: `${of}-1`,
      uid: `uid-${of}`,
      annotations: { 'cert-manager.io/certificate-name': of },
    },
    spec: {},
  });

/** Somebody orders as soon as a Secret of that name is written. */
function orderingAt(made: Scene, secret: string, wanted: KubeObject): void {
  const { after } = made.api.hooks;
  made.api.hooks.after = (event, object, itself) => {
    after?.(event, object, itself);
    if (event === 'ADDED' && object.kind === 'Secret' && object.metadata.name === secret) itself.put(wanted);
  };
}

const registry = certificate('registry', 'registry-cert', { secretName: 'registry-tls' });

/** Only the Secret of the registry is lost: its Certificate stays. */
async function withoutSecret(...more: KubeObject[]): Promise<Scene> {
  const made = await scene('running', more);
  await made.backUp();
  made.api.remove(kinds.secret, { namespace: 'registry', name: 'registry-tls' });
  return made;
}

describe('a plan that would order more when the lock is taken', () => {
  it('is refused before anything is written, and the lock is gone', async () => {
    const made = await withoutSecret();
    const { after } = made.api.hooks;
    made.api.hooks.after = (event, object, itself) => {
      after?.(event, object, itself);
      if (event !== 'ADDED' || object.kind !== kinds.admissionPolicy.kind) return;
      // Somebody changes what is asked for: the certificate of the backup would not do any more.
      const [live] = itself.objects(kinds.certificate);
      if (live) itself.put({ ...live, spec: { ...(live.spec as object), dnsNames: ['another.example.com'] } });
    };
    await expect(made.restore()).rejects.toMatchObject({ code: 'restore-orders' });
    expect(made.api.find(kinds.secret, { namespace: 'registry', name: 'registry-tls' })).toBeUndefined();
    expect(made.api.objects(kinds.admissionPolicy)).toEqual([]);
  });
});

describe('the watch for orders', () => {
  it('ends with a restore that is refused when it has the lock', async () => {
    const made = await scene('running');
    await made.backUp();
    for (const name of ['registry', 'mcp-sentinel']) made.api.remove(kinds.namespace, { name });
    const watch = jest.spyOn(made.api.cluster, 'watch');
    await beginInstallation(made.api.cluster, { run: 'another', expires: new Date(Date.now() + 10 * day) });
    await expect(made.restore()).rejects.toMatchObject({ code: 'setup-busy' });
    const signals = watch.mock.calls.map(([, { signal }]) => signal);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
  });
});

describe('orders that appear during a restore', () => {
  it('of a certificate that it restored are an error, and the brake is off', async () => {
    const made = await withoutSecret();
    orderingAt(made, 'registry-tls', order('registry', 'registry-cert'));
    await expect(made.restore()).rejects.toMatchObject({
      code: 'restore-ordered',
      message: expect.stringContaining('1 certificates'),
      why: 'registry/registry-cert-1 (uid-registry-cert)',
    });
    expect(made.api.objects(kinds.admissionPolicy)).toEqual([]);
  });

  it('count also where they are gone at the end, as what they were made for was called off', async () => {
    const made = await withoutSecret();
    const wanted = order('registry', 'registry-cert');
    orderingAt(made, 'registry-tls', wanted);
    const { after } = made.api.hooks;
    made.api.hooks.after = (event, object, itself) => {
      after?.(event, object, itself);
      if (event === 'ADDED' && object.kind === kinds.order.kind) itself.remove(kinds.order, wanted.metadata);
    };
    await expect(made.restore()).rejects.toMatchObject({
      code: 'restore-ordered',
      why: 'registry/registry-cert-1 (uid-registry-cert)',
    });
    expect(made.api.objects(kinds.order)).toEqual([]);
  });

  it('are counted against what is allowed', async () => {
    const made = await withoutSecret();
    orderingAt(made, 'registry-tls', order('registry', 'registry-cert'));
    const { newOrders, otherOrders } = await made.restore({ maxOrders: 1 });
    expect([newOrders, otherOrders]).toEqual([['registry/registry-cert-1 (uid-registry-cert)'], []]);
    expect(made.warnings.join('\n')).not.toContain('appeared meanwhile');
  });

  it('of a certificate that it did not restore are told', async () => {
    const made = await withoutSecret(
      namespace('blog'),
      certificate('blog', 'web'),
      secretOf(certificate('blog', 'web')),
    );
    orderingAt(made, 'registry-tls', order('blog', 'web'));
    const { newOrders, otherOrders } = await made.restore();
    expect([newOrders, otherOrders]).toEqual([[], ['blog/web-1 (uid-web)']]);
    expect(made.warnings.join('\n')).toContain('appeared meanwhile: blog/web-1');
  });

  it('of a renewal that is due in any case are told', async () => {
    const short = certificate('registry', 'short');
    const made = await withoutSecret(short, secretOf(short, { age: 5 * day, life: 6 * day }));
    made.api.remove(kinds.secret, { namespace: 'registry', name: 'short-tls' });
    orderingAt(made, 'short-tls', order('registry', 'short'));
    const { newOrders, otherOrders, plan } = await made.restore();
    expect(plan.certificates.find(({ name }) => name === 'short')?.excused).toBe('renewal');
    expect([newOrders, otherOrders]).toEqual([[], ['registry/short-1 (uid-short)']]);
  });

  it('and were there before are nobody’s', async () => {
    const made = await withoutSecret();
    made.api.put(order('registry', 'registry-cert'));
    const { newOrders, otherOrders } = await made.restore();
    expect([newOrders, otherOrders]).toEqual([[], []]);
  });
});

describe('the end of a restore', () => {
  it('tells what it did, write by write, under the brake', async () => {
    const made = await withoutSecret();
    const lines: string[] = [];
    const result = await made.restore({}, { progress: (line) => void lines.push(line) });
    expect(result).toMatchObject({ brake: 'policy', takenOver: false, verified: true });
    expect(lines).toContain('brake on: no new ACME orders until the end');
    expect(lines).toContain('  create   Secret registry/registry-tls');
  });

  it('says that a dry run has done nothing', async () => {
    const made = await withoutSecret();
    const writes = made.api.writes.length;
    expect(await made.restore({ dryRun: true })).toMatchObject({
      applied: [],
      brake: 'none',
      takenOver: false,
      newOrders: [],
      otherOrders: [],
      verified: false,
    });
    expect(made.api.writes.slice(writes)).toEqual([]);
  });

  it('masks what it restores and what is live', async () => {
    const made = await withoutSecret();
    const masked: string[] = [];
    await made.restore({}, { mask: (secret) => void masked.push(secret) });
    const key = (secretOf(registry).data as Record<string, string>)['tls.key'] ?? '';
    expect(masked).toContain(Buffer.from(key, 'base64').toString());
    expect(masked).toContain('j');
  });

  it('is told from another plan by its digest', async () => {
    const made = await withoutSecret();
    const { planDigest } = await made.restore({ dryRun: true });
    await expect(made.restore({ expectPlan: 'another' })).rejects.toMatchObject({ code: 'restore-plan-moved' });
    expect(made.api.objects(kinds.admissionPolicy)).toEqual([]);
    expect((await made.restore({ expectPlan: planDigest })).verified).toBe(true);
  });
});

describe('a cluster without admission policies', () => {
  const lost = async (state: State): Promise<Scene> => {
    const made = await scene(state, [], before130);
    await made.backUp();
    made.api.remove(kinds.secret, { namespace: 'registry', name: 'registry-tls' });
    return made;
  };

  it('is not restored where cert-manager runs, and the way forward works', async () => {
    const made = await lost('running');
    await expect(made.restore()).rejects.toMatchObject({
      code: 'brake-unavailable',
      next: expect.stringContaining('kubectl scale -n cert-manager deploy/cert-manager --replicas=0'),
    });
    putController(made.api, 'stopped');
    expect(await made.restore()).toMatchObject({ brake: 'not-needed', takenOver: false, verified: true });
  });

  it.each<State>(['stopped', 'absent'])('is restored where cert-manager is %s', async (state) => {
    const made = await lost(state);
    expect(await made.restore()).toMatchObject({ brake: 'not-needed', verified: true });
  });
});
