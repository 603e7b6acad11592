import { randomBytes } from 'node:crypto';
import { label } from '../certificates/model.js';
import { type Cluster, objectOf } from '../cluster/cluster.js';
import { type KubeObject, kinds } from '../cluster/objects.js';
import { canaryPrefix, isCanary } from '../facts/observation.js';

/** A Certificate for cert-manager to look at: its issuer does not exist, so that nothing can be ordered for it. */
export function newCanary(namespace: string): KubeObject {
  const name = canaryPrefix + randomBytes(4).toString('hex');
  return objectOf(kinds.certificate, {
    metadata: { name, namespace },
    spec: {
      secretName: name,
      dnsNames: ['canary.invalid'],
      issuerRef: { name, kind: 'ClusterIssuer' },
      privateKey: { algorithm: 'ECDSA', rotationPolicy: 'Always' },
    },
  });
}

/** Removes canaries, also those of a run that was killed, and what cert-manager has made for them. */
export async function sweepCanaries(cluster: Cluster, namespace: string): Promise<void> {
  await Promise.all(
    [kinds.certificate, kinds.certificateRequest, kinds.secret].map(async (kind) => {
      const { items } = await cluster.list(kind, { namespace, ...(kind === kinds.secret ? canarySecrets : {}) });
      const ours = items.filter(isCanary);
      await Promise.all(ours.map(({ metadata }) => cluster.delete(kind, { name: metadata.name, namespace })));
    }),
  );
}

const canarySecrets = { fieldSelector: 'type=Opaque', labelSelector: label.partOfCertManager };
