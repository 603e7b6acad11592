import { holdPoliciesBack, letPoliciesThrough } from '../../lab/driver/lab.js';
import { until } from '../../lab/driver/until.js';
import { namespaces } from '../../lab/platform/names.js';
import { asNew } from '../../lab/platform/objects.js';
import { conditionOf } from '../../shared/cluster/fields.js';
import { type KubeObject, kinds } from '../../shared/cluster/objects.js';
import { isCanary } from '../../shared/facts/observation.js';
import { beginElsewhere } from '../world/installation.js';
import type { World } from '../world/world.js';
import { brake } from './brake.js';

const ref = { namespace: namespaces.registry, name: 'registry-cert' };

/**
 * Loses a certificate, and has cert-manager's API server learn late of the brake of a restore. Just before that restore writes the Secret,
 * somebody asks for the certificate, and the restore goes on when cert-manager has ordered it, or could not.
 *
 * @param restore must brake, through the world's gate
 * @returns whether the server was still late when the restore tried what cert-manager may do
 */
export async function restoreBesideLateServer(
  { cluster, gate, state }: World<'gate'>,
  restore: () => Promise<void>,
): Promise<boolean> {
  const certificate = await cluster.get<KubeObject>(kinds.certificate, ref);
  if (certificate === undefined) throw new Error(`there is no Certificate ${ref.name}`);
  const { namespace } = ref;
  await cluster.delete(kinds.certificate, ref);
  await cluster.delete(kinds.secret, { namespace, name: 'registry-tls' });
  // The cluster would clean up after the Certificate, but late: the new one's have the same names.
  for (const kind of [kinds.certificateRequest, kinds.order])
    for (const { metadata } of (await cluster.list(kind, { namespace })).items)
      await cluster.delete(kind, { namespace, name: metadata.name });
  await beginElsewhere(cluster);
  const ask = async (): Promise<void> => {
    await cluster.create(kinds.certificate, asNew(certificate));
    await until('cert-manager to order, or to be denied it', async () => {
      const [orders, requests] = await Promise.all([
        cluster.list(kinds.order, { namespace }),
        cluster.list<KubeObject>(kinds.certificateRequest, { namespace }),
      ]);
      const isDenied = (one: KubeObject): boolean => conditionOf(one, 'Ready')?.message?.includes(brake.name) ?? false;
      return orders.items.length > 0 || requests.items.some(isDenied);
    });
  };
  let asked: Promise<void> | undefined;
  gate.reset({
    beforeWrite(_, what) {
      if (what !== `POST /api/v1/namespaces/${namespace}/secrets`) return undefined;
      asked ??= ask();
      return asked.then(() => undefined);
    },
  });
  holdPoliciesBack(state);
  let wasLate = false;
  let isOver = false;
  const letting = until('the restore to try', async () => {
    wasLate ||= (await cluster.list(kinds.certificateRequest)).items.some(isCanary);
    return wasLate || isOver;
  }).finally(() => letPoliciesThrough(state));
  await restore().finally(() => {
    isOver = true;
  });
  await letting;
  gate.reset({});
  return wasLate;
}
