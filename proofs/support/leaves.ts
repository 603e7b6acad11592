import { type Certificate, secretBytes } from '../../shared/certificates/model.js';
import { certManagerVersion } from '../../shared/certificates/version.js';
import { decodeLeaf } from '../../shared/certificates/x509.js';
import type { Cluster } from '../../shared/cluster/cluster.js';
import { type KubeObject, kinds } from '../../shared/cluster/objects.js';

/** One Certificate of a cluster with the certificate that is really in its Secret. */
export interface Leaf {
  certificate: string;
  acme: boolean;
  serial: string;
  notAfter: string;
}

/** The leaves of all Certificates, sorted by name. */
export async function leaves(cluster: Cluster): Promise<Leaf[]> {
  const { items } = await cluster.list<KubeObject & Certificate>(kinds.certificate);
  const found = await Promise.all(
    items.map(async ({ metadata, spec }): Promise<Leaf> => {
      const namespace = metadata.namespace ?? '';
      const secret = await cluster.get<KubeObject & { data?: Record<string, string> }>(kinds.secret, {
        namespace,
        name: spec.secretName,
      });
      const leaf = secret && decodeLeaf(secretBytes(secret, 'tls.crt'), certManagerVersion('v1.21.2'));
      return {
        certificate: `${namespace}/${metadata.name}`,
        acme: spec.issuerRef.name.startsWith('letsencrypt'),
        serial: leaf?.ok ? leaf.value.serial : 'none',
        notAfter: leaf?.ok ? leaf.value.notAfter.toISOString() : 'none',
      };
    }),
  );
  return found.sort((a, b) => a.certificate.localeCompare(b.certificate));
}
