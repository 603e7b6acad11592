import { until } from '../../lab/driver/until.js';
import { installPlatform, waitForCertificates } from '../../lab/platform/install.js';
import { type Installation, issuer, namespaces, privateIssuer } from '../../lab/platform/names.js';
import { asNew } from '../../lab/platform/objects.js';
import { certificateOf, namespaceOf } from '../../lab/platform/resources.js';
import type { Cluster } from '../../shared/cluster/cluster.js';
import { isTrue } from '../../shared/cluster/fields.js';
import { type KubeObject, kinds } from '../../shared/cluster/objects.js';

/** What people have beside the platform: certificates in the cluster's own namespaces, as for k3s' Traefik. */
const neighbours = [
  { namespace: 'default', name: 'web', dnsName: 'www.example.com', issuer },
  { namespace: 'kube-system', name: 'traefik-default', dnsName: 'edge.example.com', issuer: privateIssuer },
] as const;

/** Certificates of a world's installation: the platform's five, of which the ACME server issues three, and those beside it. */
export const certificateCount = 5 + neighbours.length;

/** Namespaces that a wipe takes; cert-manager's is wiped only where the proof says so. */
export const appNamespaces = ['registry', 'mcp-sentinel', 'mcp-runtime', 'mcp-servers', 'mcp-team-acme'];

/** Installs the platform and its neighbours, and waits for their certificates. */
export async function installAll(cluster: Cluster, installation: Installation): Promise<void> {
  await installPlatform(cluster, installation);
  const objects = neighbours.map(({ namespace, name, dnsName, issuer: by }) =>
    certificateOf(namespace, name, { secretName: `${name}-tls`, dnsNames: [dnsName], issuer: by }),
  );
  await Promise.all(
    objects.map((one) => cluster.apply(kinds.certificate, one, { force: true, manager: 'neighbours' })),
  );
  await waitForCertificates(cluster, certificateCount);
}

/** The cluster's own namespaces stay in a wipe: what is in them is lost one by one, as with a lost cluster. */
export async function loseNeighbours(cluster: Cluster): Promise<void> {
  for (const { namespace, name } of neighbours) {
    await cluster.delete(kinds.certificate, { namespace, name });
    await cluster.delete(kinds.secret, { namespace, name: `${name}-tls` });
  }
}

/**
 * Loses the platform, and asks cert-manager for one of its certificates before a restore has given the Secret back. Nothing comes of
 * it but an issuance that has begun: the issuer is gone, too, until the platform is installed again.
 */
export async function askTooEarly(cluster: Cluster, wipe: () => Promise<void>): Promise<void> {
  const ref = { namespace: namespaces.registry, name: 'registry-internal-cert' };
  const certificate = await cluster.get<KubeObject>(kinds.certificate, ref);
  if (certificate === undefined) throw new Error(`there is no Certificate ${ref.name}`);
  await wipe();
  await cluster.delete(kinds.clusterIssuer, { name: privateIssuer });
  await cluster.create(kinds.namespace, namespaceOf(ref.namespace, 'baseline'));
  await cluster.create(kinds.certificate, asNew(certificate));
  await until('cert-manager to begin', async () =>
    isTrue(await cluster.get<KubeObject>(kinds.certificate, ref), 'Issuing'),
  );
}

/** Has cert-manager begin with another certificate that is restored, and cannot be ordered: the restore must brake. */
export async function beginElsewhere(cluster: Cluster): Promise<void> {
  const inRegistry = { namespace: namespaces.registry };
  await cluster.delete(kinds.clusterIssuer, { name: privateIssuer });
  await cluster.delete(kinds.secret, { ...inRegistry, name: 'registry-internal-tls' });
  const ref = { ...inRegistry, name: 'registry-internal-cert' };
  await until('cert-manager to begin', async () =>
    isTrue(await cluster.get<KubeObject>(kinds.certificate, ref), 'Issuing'),
  );
}

/** Deletes namespaces as the runbook's wipe does, and waits until they are gone. */
export async function wipeNamespaces(cluster: Cluster, names: readonly string[]): Promise<void> {
  await Promise.all(names.map((name) => cluster.delete(kinds.namespace, { name })));
  await until(
    'namespaces to go',
    async () => {
      const { items } = await cluster.list(kinds.namespace);
      return !items.some(({ metadata }) => names.includes(metadata.name));
    },
    { seconds: 900 },
  );
}

/** Has cert-manager issue a certificate of the private CA anew: no order of an ACME server's is made. */
export async function renewInternal(cluster: Cluster): Promise<void> {
  const ref = { namespace: namespaces.registry, name: 'registry-internal-tls' };
  const before = (await cluster.get(kinds.secret, ref))?.metadata.uid;
  const { length } = (await cluster.list(kinds.certificate)).items;
  await cluster.delete(kinds.secret, ref);
  await until('another Secret', async () => {
    const found = await cluster.get(kinds.secret, ref);
    return found !== undefined && found.metadata.uid !== before;
  });
  await waitForCertificates(cluster, length);
}

/** Sets the replicas of cert-manager's controller and waits until its pods are as many. */
export async function scaleCertManager(cluster: Cluster, replicas: 0 | 1): Promise<void> {
  const ref = { namespace: 'cert-manager', name: 'cert-manager' };
  await cluster.patch(kinds.deployment, ref, [{ op: 'replace', path: '/spec/replicas', value: replicas }]);
  await until(`${replicas} pods of cert-manager's controller`, async () => {
    const found = await cluster.get<KubeObject & { status?: { availableReplicas?: number } }>(kinds.deployment, ref);
    const { items } = await cluster.list(kinds.pod, {
      namespace: 'cert-manager',
      labelSelector: 'app.kubernetes.io/component=controller',
    });
    return items.length === replicas && (found?.status?.availableReplicas ?? 0) === replicas;
  });
}

/** Certificate and key of all TLS Secrets, by `namespace/name`: what must be the same after a restore. */
export async function tlsSecrets(cluster: Cluster): Promise<[string, string][]> {
  const { items } = await cluster.list<KubeObject & { data?: Record<string, string> }>(kinds.secret, {
    fieldSelector: 'type=kubernetes.io/tls',
  });
  return items
    .map(({ metadata, data }): [string, string] => [
      `${metadata.namespace}/${metadata.name}`,
      `${data?.['tls.crt']} ${data?.['tls.key']}`,
    ])
    .sort(([a], [b]) => a.localeCompare(b));
}

/** What the cluster is known by: its fingerprint in backups. */
export async function fingerprintOf(cluster: Cluster): Promise<string> {
  return (await cluster.get(kinds.namespace, { name: 'kube-system' }))?.metadata.uid ?? '';
}
