import { describe, expect, it } from '@jest/globals';
import { objectOf } from '../cluster/cluster.js';
import { numberAt } from '../cluster/fields.js';
import { type KubeObject, kinds } from '../cluster/objects.js';
import { before130, type Scene, scene } from './testing/scene.js';

const deployment = { namespace: 'cert-manager', name: 'cert-manager' };
const lost = { namespace: 'registry', name: 'registry-tls' };
const mayStopCertManager = true;

/** In ms after a Deployment is told to have no pods; the Deployment's status does not count one that is on its way out. */
interface Ending {
  pod: number;
  status: number;
}

const statusLast: Ending = { pod: 30, status: 90 };
const podLast: Ending = { pod: 90, status: 30 };

/** The Deployment controller, as far as it is waited for: pod and status follow what it is told, in either order. */
function followReplicas({ api }: Scene, ends: Ending): void {
  const { after: told } = api.hooks;
  const pod: KubeObject = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace: 'cert-manager', name: 'cert-manager-1', labels: { app: 'cert-manager' } },
  };
  const found = api.find(kinds.deployment, deployment);
  if (found === undefined) throw new Error('there is no Deployment');
  const spec = { ...(found.spec as object), selector: { matchLabels: { app: 'cert-manager' } } };
  api.put({ ...found, spec });
  api.put(pod);
  api.hooks.after = (event, object, itself) => {
    told?.(event, object, itself);
    if (object.kind !== 'Deployment' || event === 'DELETED') return;
    const [wanted, present] = [numberAt(object, 'spec', 'replicas'), numberAt(object, 'status', 'replicas')];
    if (wanted === undefined || wanted === present) return;
    const tell = (): void => {
      const live = itself.find(kinds.deployment, deployment);
      if (live !== undefined) itself.put({ ...live, status: { replicas: wanted, availableReplicas: wanted } });
    };
    if (wanted === 0) {
      setTimeout(() => itself.remove(kinds.pod, pod.metadata), ends.pod);
      setTimeout(tell, ends.status);
      return;
    }
    itself.put(pod);
    tell();
  };
}

async function oldCluster(ends = statusLast): Promise<Scene & { replicas(): number | undefined; noted(): boolean }> {
  const made = await scene('running', [], before130);
  await made.backUp();
  made.api.remove(kinds.secret, lost);
  followReplicas(made, ends);
  const live = (): KubeObject | undefined => made.api.find(kinds.deployment, deployment);
  return {
    ...made,
    replicas: () => numberAt(live(), 'spec', 'replicas'),
    noted: () => live()?.metadata.annotations?.['mcprt.dev/replicas'] !== undefined,
  };
}

describe('cert-manager that may be stopped, on a cluster that cannot deny orders', () => {
  it.each([
    ['its pod', podLast],
    ['its status', statusLast],
  ])('stands still while something is written, and runs again at the end: %s is last to stop', async (_last, ends) => {
    const made = await oldCluster(ends);
    const seen: unknown[] = [];
    const { after: told } = made.api.hooks;
    made.api.hooks.after = (event, object, itself) => {
      told?.(event, object, itself);
      if (object.metadata.name === lost.name) seen.push([made.replicas(), itself.objects(kinds.pod).length]);
    };
    expect(await made.restore({ mayStopCertManager })).toMatchObject({ verified: true });
    expect(seen).toEqual([[0, 0]]);
    expect([made.replicas(), made.noted()]).toEqual([1, false]);
  });

  it('is not stopped where nobody has allowed it, or where it does not run', async () => {
    const made = await oldCluster();
    await expect(made.restore()).rejects.toMatchObject({
      code: 'brake-unavailable',
      next: expect.stringContaining('`allow: stop-cert-manager`'),
    });
    expect([made.replicas(), made.noted()]).toEqual([1, false]);
    const stopped = await scene('stopped', [], before130);
    await stopped.backUp();
    await stopped.restore({ mayStopCertManager });
    expect(numberAt(stopped.api.find(kinds.deployment, deployment), 'spec', 'replicas')).toBe(0);
  });

  it('is not stopped where it is no Deployment: the way to do it is told before anything is written', async () => {
    const made = await scene('stopped', [], before130);
    await made.backUp();
    made.api.remove(kinds.secret, lost);
    const owner = { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'certs', uid: '1', controller: true };
    made.api.put(
      objectOf(kinds.pod, {
        metadata: { name: 'certs-0', namespace: 'cert-manager', ownerReferences: [owner] },
        spec: { containers: [{ name: 'main', image: 'x/cert-manager-controller:v1.20.0' }] },
        status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
      }),
    );
    await expect(made.restore({ mayStopCertManager })).rejects.toMatchObject({
      code: 'brake-unavailable',
      next: expect.stringContaining('kubectl scale -n cert-manager statefulset/certs --replicas=0'),
    });
    expect(made.api.find(kinds.secret, lost)).toBeUndefined();
  });

  it('is started again by the next run where the first was cut off', async () => {
    const made = await oldCluster();
    made.api.hooks.before = ({ method, path }) => {
      if (method === 'POST' && path.includes('/namespaces/registry/secrets')) throw new Error('killed');
    };
    await expect(made.restore({ mayStopCertManager })).rejects.toThrow('killed');
    expect([made.replicas(), made.noted()]).toEqual([0, true]);
    made.api.hooks.before = () => undefined;
    expect(await made.restore()).toMatchObject({ verified: true });
    expect([made.replicas(), made.noted()]).toEqual([1, false]);
  });

  it('is started again where nothing is written in the end', async () => {
    const made = await oldCluster();
    await expect(made.restore({ mayStopCertManager, expectPlan: 'another' })).rejects.toMatchObject({
      code: 'restore-plan-moved',
    });
    const { planDigest } = await made.restore({ dryRun: true });
    made.api.hooks.before = ({ method, path }) => {
      // Somebody takes another Secret away between the plan and the lock.
      if (method === 'POST' && path.includes('/configmaps'))
        made.api.remove(kinds.secret, { namespace: 'mcp-sentinel', name: 'sentinel-tls' });
    };
    await made.restore({ mayStopCertManager, expectPlan: planDigest }).catch(() => undefined);
    expect([made.replicas(), made.noted()]).toEqual([1, false]);
  });
});
