import { describe, expect, it } from '@jest/globals';
import { objectOf } from '../cluster/cluster.js';
import { numberAt } from '../cluster/fields.js';
import { type KubeObject, kinds } from '../cluster/objects.js';
import { isCanary } from '../facts/observation.js';
import type { RestoreResult } from './restore.js';
import { putApiServers, putController, type State } from './testing/memory-world.js';
import { before130, certificate, namespace, type Scene, scene, secretOf } from './testing/scene.js';

const registry = certificate('registry', 'registry-cert', { secretName: 'registry-tls' });
const lostSecret = { namespace: 'registry', name: 'registry-tls' };

/** The platform's namespaces are gone, and everything in them. */
async function wiped(state: State = 'running', unserved: Parameters<typeof scene>[2] = []): Promise<Scene> {
  const made = await scene(state, [], unserved);
  await made.backUp();
  for (const name of ['registry', 'mcp-sentinel']) made.api.remove(kinds.namespace, { name });
  return made;
}

/** A restore, and how often it asked whether orders are denied. */
async function probing(made: Scene, options: Parameters<Scene['restore']>[0] = {}): Promise<[RestoreResult, number]> {
  const { before } = made.api.hooks;
  let probes = 0;
  made.api.hooks.before = async (call) => {
    if (call.path.includes('/orders') && call.path.includes('dryRun')) probes += 1;
    await before?.(call);
  };
  return [await made.restore(options), probes];
}

/** Does something at the first request of a kind. */
function once(made: Scene, isThen: (method: string, path: string) => boolean, work: () => void): void {
  let isDone = false;
  made.api.hooks.before = ({ method, path }) => {
    if (isDone || !isThen(method, path)) return;
    isDone = true;
    work();
  };
}

function ingress(secretName: string): KubeObject {
  return objectOf(kinds.ingress, {
    metadata: {
      namespace: 'registry',
      name: 'registry',
      uid: 'ingress',
      annotations: { 'cert-manager.io/cluster-issuer': 'le' },
    },
    spec: { tls: [{ hosts: ['registry.example.com'], secretName }] },
  });
}

const issuing = { conditions: [{ type: 'Issuing', status: 'True', reason: 'DoesNotExist' }] };

describe('the second that the brake costs', () => {
  it('is not spent after a wipe, where nobody asks for what is restored; the lock is held', async () => {
    const made = await wiped();
    let locked = false;
    made.api.hooks.before = ({ method, path }) => {
      if (method === 'POST' && path.includes('/registry/secrets'))
        locked = made.api.objects(kinds.admissionPolicyBinding).length === 1;
    };
    const [result, probes] = await probing(made);
    expect([result.verified, result.brake, probes, locked]).toEqual([true, 'not-needed', 0, true]);
    expect(made.api.objects(kinds.admissionPolicy)).toEqual([]);
  });

  it.each<[string, (made: Scene) => void]>([
    ['a Certificate', ({ api }) => api.put(registry)],
    ['an Ingress, whose Certificate is not there yet', ({ api }) => api.put(ingress('registry-tls'))],
  ])('is spent where %s asks for it', async (_, ask) => {
    const made = await wiped();
    made.api.put(namespace('registry'));
    ask(made);
    const [result, probes] = await probing(made);
    expect([result.verified, result.brake, probes]).toEqual([true, 'policy', 1]);
  });

  it('is spent on cert-manager’s own API server, too, where there are several', async () => {
    const made = await wiped();
    made.api.put(namespace('registry'));
    made.api.put(registry);
    putApiServers(made.api, ['192.0.2.1', '192.0.2.2']);
    const { after } = made.api.hooks;
    const denied = new Set<string>();
    made.api.hooks.after = (event, object, itself) => {
      after?.(event, object, itself);
      if (event !== 'ADDED' || object.kind !== 'Certificate' || !isCanary(object)) return;
      const { namespace: home = '', name } = object.metadata;
      denied.add(`${home}/${name}`);
      const message = "ValidatingAdmissionPolicy 'mcprt-brake' denied request";
      itself.put(
        objectOf(kinds.event, {
          metadata: { namespace: home, name },
          involvedObject: { name, namespace: home },
          message,
        }),
      );
    };
    const [result] = await probing(made);
    // The other canary is the barrier's.
    expect([result.verified, result.brake, denied.size]).toEqual([true, 'policy', 2]);
    expect(made.api.objects(kinds.certificate).filter(isCanary)).toEqual([]);
  });

  it('is not spent for what asks for something else', async () => {
    const made = await wiped();
    for (const object of [namespace('registry'), certificate('registry', 'other'), ingress('another-tls')])
      made.api.put(object);
    expect((await probing(made))[1]).toBe(0);
  });

  it('is spent where somebody asks between the first look and the lock', async () => {
    const made = await wiped();
    once(
      made,
      (method, path) => method === 'POST' && path.includes('/validatingadmissionpolicies'),
      () => {
        made.api.put(namespace('registry'));
        made.api.put({ ...registry, status: issuing });
      },
    );
    const [result, probes] = await probing(made);
    expect([result.verified, result.brake, probes]).toEqual([true, 'policy', 1]);
    expect(made.api.find(kinds.certificate, registry.metadata)?.status).toEqual({
      conditions: [{ type: 'Ready', status: 'True', reason: 'Ready' }],
    });
  });

  it('is spent where somebody asks between the lock and the writes, and what has begun is called off', async () => {
    const made = await wiped();
    once(
      made,
      (method, path) => method === 'POST' && path.includes('/registry/secrets'),
      () => {
        const { metadata } = made.api.put({ ...registry, status: issuing });
        const controller = { apiVersion: 'cert-manager.io/v1', kind: 'Certificate', controller: true };
        made.api.put(
          objectOf(kinds.certificateRequest, {
            metadata: {
              namespace: 'registry',
              name: 'registry-cert-1',
              annotations: { 'cert-manager.io/certificate-revision': '1' },
              ownerReferences: [{ ...controller, name: metadata.name, uid: metadata.uid ?? '' }],
            },
            spec: { request: 'cg==', issuerRef: { name: 'le' } },
          }),
        );
      },
    );
    let left: number | undefined;
    const { before } = made.api.hooks;
    made.api.hooks.before = async (call) => {
      if (call.path.includes('/orders') && call.path.includes('dryRun'))
        left = made.api.objects(kinds.certificateRequest).length;
      await before?.(call);
    };
    const [result, probes] = await probing(made);
    expect([result.verified, result.brake, probes]).toEqual([true, 'policy', 1]);
    // What has begun would have ordered in the second that the brake takes.
    expect(left).toBe(0);
    expect(made.api.find(kinds.certificate, registry.metadata)?.status).toEqual({
      conditions: [{ type: 'Ready', status: 'True', reason: 'Ready' }],
    });
    expect(made.api.objects(kinds.certificateRequest)).toEqual([]);
    expect(made.api.objects(kinds.admissionPolicy)).toEqual([]);
  });

  it('lets nothing go on that begins while it calls off', async () => {
    const late = certificate('registry', 'late');
    const made = await scene('running', [late, secretOf(late)]);
    await made.backUp();
    for (const name of ['registry-tls', 'late-tls']) made.api.remove(kinds.secret, { namespace: 'registry', name });
    made.api.put({ ...(made.api.find(kinds.certificate, registry.metadata) ?? registry), status: issuing });
    made.api.remove(kinds.certificate, late.metadata);
    once(
      made,
      (method, path) => method === 'PATCH' && path.includes('/registry-cert/status'),
      () => {
        const ready = { type: 'Ready', status: 'True', reason: 'Ready' };
        made.api.put({ ...late, status: { conditions: [...issuing.conditions, ready] } });
      },
    );
    const result = await made.restore({}, { signal: AbortSignal.timeout(3_000) });
    expect(result.verified).toBe(true);
    expect(made.api.find(kinds.certificate, late.metadata)?.status).toEqual({
      conditions: [{ type: 'Ready', status: 'True', reason: 'Ready' }],
    });
  });
});

describe('a cluster that cannot deny orders, and cert-manager that runs', () => {
  it('is restored after a wipe as it is: nobody asks for anything', async () => {
    const made = await wiped('running', before130);
    const told = await made.restore({ dryRun: true });
    expect(told.plan.warnings.join()).not.toContain('stop-cert-manager');
    expect(await made.restore()).toMatchObject({ verified: true, brake: 'not-needed' });
  });

  it('is not written to where somebody asks between the first look and the lock', async () => {
    const made = await wiped('running', before130);
    once(
      made,
      (method, path) => method === 'POST' && path.includes('/configmaps'),
      () => {
        made.api.put(namespace('registry'));
        made.api.put(registry);
      },
    );
    await expect(made.restore()).rejects.toMatchObject({ code: 'brake-unavailable' });
    expect(made.api.find(kinds.secret, lostSecret)).toBeUndefined();
    expect(made.api.find(kinds.configMap, { namespace: 'kube-system', name: 'mcprt-brake' })).toBeUndefined();
    putController(made.api, 'stopped');
    expect(await made.restore()).toMatchObject({ verified: true });
    expect(
      numberAt(
        made.api.find(kinds.deployment, { namespace: 'cert-manager', name: 'cert-manager' }),
        'spec',
        'replicas',
      ),
    ).toBe(0);
  });
});
