import { type Cluster, objectOf } from '../../shared/cluster/cluster.js';
import { isTrue } from '../../shared/cluster/fields.js';
import { type KubeObject, kinds } from '../../shared/cluster/objects.js';
import { until } from '../driver/until.js';
import { applier, busyMachine, installCertManager } from './cert-manager.js';
import { makeCertificateAuthority } from './certificate-authority.js';
import { type Installation, issuer, namespaces, privateIssuer } from './names.js';
import {
  acmeIssuer,
  certificateOf,
  deploymentOf,
  ingressOf,
  internalNames,
  namespaceOf,
  platformConfig,
  platformKinds,
  platformSecrets,
  platformWorkloads,
  privateCaIssuer,
  pullSecret,
} from './resources.js';

/**
 * Stands in for `mcp-runtime setup`: makes what the installer makes of namespaces, Certificates, issuers, Secrets and
 * Ingresses, in its order and with its rules (a present Secret value is kept, a present CA is kept, the platform's
 * certificate is not waited for). It runs no workload and serves no API.
 */
export async function installPlatform(cluster: Cluster, installation: Installation): Promise<void> {
  await installCertManager(cluster, installation);
  await installCertificates(cluster, installation);
  await installSentinel(cluster, installation);
  await installServer(cluster, installation);
}

/** Waits until every Certificate of the cluster is Ready and none is being issued. */
export async function waitForCertificates(cluster: Cluster, count: number): Promise<void> {
  await until(
    `${count} Certificates to be Ready`,
    async () => {
      const { items } = await cluster.list(kinds.certificate);
      return items.length >= count && items.every((one) => isTrue(one, 'Ready') && !isTrue(one, 'Issuing'));
    },
    busyMachine,
  );
}

async function installCertificates(cluster: Cluster, installation: Installation): Promise<void> {
  const { domain } = installation;
  const apply = applier(cluster);
  await apply(
    kinds.namespace,
    namespaceOf(namespaces.runtime, 'restricted'),
    namespaceOf(namespaces.servers, 'restricted'),
  );
  await apply(kinds.crd, ...platformKinds());
  await apply(kinds.clusterIssuer, acmeIssuer(installation.acme, `ops@${domain}`));
  await apply(kinds.namespace, namespaceOf(namespaces.registry, 'baseline'));
  await apply(
    kinds.certificate,
    certificateOf(namespaces.registry, 'registry-cert', {
      secretName: 'registry-tls',
      dnsNames: [`registry.${domain}`, `mcp.${domain}`],
      issuer,
    }),
  );
  await untilReady(cluster, namespaces.registry, 'registry-cert');

  const ca = { name: privateIssuer, namespace: namespaces.certManager };
  if ((await cluster.get(kinds.secret, ca)) === undefined) {
    const made = await makeCertificateAuthority();
    const data = {
      'tls.crt': Buffer.from(made.certificate).toString('base64'),
      'tls.key': Buffer.from(made.key).toString('base64'),
    };
    await apply(kinds.secret, objectOf(kinds.secret, { metadata: ca, type: 'kubernetes.io/tls', data }));
  }
  await apply(kinds.clusterIssuer, privateCaIssuer());
  await apply(
    kinds.certificate,
    certificateOf(namespaces.registry, 'registry-internal-cert', {
      secretName: 'registry-internal-tls',
      dnsNames: [...internalNames, `registry.${domain}`],
      issuer: privateIssuer,
    }),
  );
  await untilReady(cluster, namespaces.registry, 'registry-internal-cert');
  await apply(kinds.deployment, deploymentOf(namespaces.registry, 'registry', 'registry'));
  await apply(
    kinds.ingress,
    ingressOf(namespaces.registry, 'registry', `registry.${domain}`, 'registry-tls', 'registry', false),
  );
}

async function installSentinel(cluster: Cluster, installation: Installation): Promise<void> {
  const { domain } = installation;
  const apply = applier(cluster);
  await apply(kinds.namespace, namespaceOf(namespaces.sentinel, 'privileged'));
  const config = { name: 'mcp-sentinel-config', namespace: namespaces.sentinel };
  await apply(kinds.configMap, objectOf(kinds.configMap, { metadata: config, data: platformConfig(installation) }));
  const ref = { name: 'mcp-sentinel-secrets', namespace: namespaces.sentinel };
  const present = await cluster.get<KubeObject & { data?: Record<string, string> }>(kinds.secret, ref);
  const admin = { users: `admin@${domain}`, email: '', password: '' };
  const data = platformSecrets(installation.layout, admin, present?.data ?? {});
  await apply(kinds.secret, objectOf(kinds.secret, { metadata: ref, type: 'Opaque', data }));
  const uiKey = data.UI_API_KEY ?? '';
  await apply(
    kinds.secret,
    pullSecret(namespaces.sentinel, `registry.${domain}`, uiKey),
    pullSecret(namespaces.runtime, `registry.${domain}`, uiKey),
  );
  const workloads = platformWorkloads(installation).map(([name, container]) =>
    deploymentOf(namespaces.sentinel, name, container),
  );
  await apply(kinds.deployment, ...workloads);
  const shared = 'mcp-sentinel-platform-tls';
  await apply(
    kinds.ingress,
    ingressOf(namespaces.sentinel, 'mcp-sentinel-platform-ui', `platform.${domain}`, shared, 'mcp-sentinel-ui', true),
    ingressOf(
      namespaces.sentinel,
      'mcp-sentinel-platform-observability',
      `platform.${domain}`,
      shared,
      'grafana',
      false,
      '/grafana',
    ),
  );
}

/** One tenant server with a public name of its own and a workload certificate with a keystore from the private CA. */
async function installServer(cluster: Cluster, { domain }: Installation): Promise<void> {
  const apply = applier(cluster);
  const namespace = namespaces.team;
  const labels = {
    'platform.mcpruntime.org/managed': 'true',
    'mcpruntime.org/team-slug': 'acme',
    'mcpruntime.org/scope': 'team',
  };
  await apply(kinds.namespace, namespaceOf(namespace, 'restricted', labels));
  const password = { name: 'weather-keystore-password', namespace };
  if ((await cluster.get(kinds.secret, password)) === undefined) {
    const data = { password: Buffer.from(crypto.randomUUID()).toString('base64') };
    await apply(kinds.secret, objectOf(kinds.secret, { metadata: password, type: 'Opaque', data }));
  }
  await apply(
    kinds.certificate,
    certificateOf(namespace, 'weather-mtls', {
      secretName: 'weather-mtls',
      dnsNames: [`weather.${namespace}.svc`],
      issuer: privateIssuer,
      keystores: {
        pkcs12: { create: true, profile: 'Modern2023', passwordSecretRef: { name: password.name, key: 'password' } },
      },
    }),
  );
  await apply(kinds.ingress, ingressOf(namespace, 'weather', `weather.${domain}`, 'weather-tls', 'weather', true));
}

async function untilReady(cluster: Cluster, namespace: string, name: string): Promise<void> {
  await until(`Certificate ${namespace}/${name} to be Ready`, async () =>
    isTrue(await cluster.get(kinds.certificate, { namespace, name }), 'Ready'),
  );
}
