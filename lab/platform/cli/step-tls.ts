import { isIP } from 'node:net';
import { isTrue } from '../../../shared/cluster/fields.js';
import { type KubeObject, kinds } from '../../../shared/cluster/objects.js';
import { messageOf } from '../../../shared/errors.js';
import { applyCertManager } from '../cert-manager.js';
import { makeCertificateAuthority } from '../certificate-authority.js';
import { namespaces, privateIssuer } from '../names.js';
import { createObject } from '../objects.js';
import { acmeIssuer, certificateOf, internalNames, namespaceOf, privateCaIssuer } from '../resources.js';
import { isRolledOut, waitUntil } from '../waits.js';
import { formatDuration } from './durations.js';
import { CliError } from './errors.js';
import { publicIssuer } from './preflight.js';
import type { Run } from './run.js';

type Certificate = KubeObject & { spec?: { secretName?: string } };

const namespace = namespaces.registry;
const publicCertificate = 'registry-cert';
const deployments = ['cert-manager', 'cert-manager-webhook', 'cert-manager-cainjector'];

/** cert-manager, issuers and the two Certificates of the registry. The platform's own is waited for by nobody. */
export async function tlsStep(run: Run): Promise<void> {
  const { console, client, options, settings } = run;
  console.section('Step 3: Configure TLS');
  await ensureCertManager(run);
  const { acme, clusterIssuer } = options;
  const issuer = publicIssuer(options);
  if (acme && issuer) {
    console.info(`Applying ClusterIssuer ${issuer}`);
    await client.merge(kinds.clusterIssuer, acmeIssuer(settings.acme, acme.email, issuer));
  }
  if (clusterIssuer && (await client.cluster.get(kinds.clusterIssuer, { name: clusterIssuer })) === undefined) {
    throw new CliError(`ClusterIssuer "${clusterIssuer}" not found. Install your org issuer first`);
  }
  await client.merge(kinds.namespace, namespaceOf(namespace, 'baseline'));
  await dropIssuerAnnotation(run);
  await checkOwnership(run);
  if (issuer === undefined) await ensurePrivateCa(run);
  const { hosts, waits } = options;
  await client.merge(
    kinds.certificate,
    certificateOf(namespace, publicCertificate, {
      secretName: 'registry-tls',
      dnsNames: issuer === undefined ? [hosts.registry] : [hosts.registry, hosts.mcp],
      issuer: issuer ?? privateIssuer,
    }),
  );
  console.info(`Waiting for certificate to be issued (timeout: ${formatDuration(waits.certificate)})`);
  await waitForCertificate(run, publicCertificate, waits.certificate, 'certificate');
  console.success('Certificate issued successfully');

  if (issuer !== undefined) await ensurePrivateCa(run);
  const endpoint = options.registryEndpoint.replace(/:\d+$/, '');
  const address = isIP(endpoint) !== 0;
  await client.merge(
    kinds.certificate,
    certificateOf(namespace, 'registry-internal-cert', {
      secretName: 'registry-internal-tls',
      dnsNames: [...internalNames, ...(address ? [] : [endpoint])],
      ...(address ? { ipAddresses: [endpoint] } : {}),
      issuer: privateIssuer,
    }),
  );
  console.info(`Waiting for internal registry certificate (timeout: ${formatDuration(waits.internalCertificate)})`);
  await waitForCertificate(run, 'registry-internal-cert', waits.internalCertificate, 'internal registry certificate');
  console.success('Internal registry certificate issued successfully');
  console.success('TLS configured successfully');
}

/** With the skip flag only the CRDs are looked at, and nothing sees that cert-manager itself is gone. */
async function ensureCertManager({ client, console, options, settings }: Run): Promise<void> {
  const { cluster } = client;
  const installed = (await cluster.get(kinds.crd, { name: 'certificates.cert-manager.io' })) !== undefined;
  if (options.skipCertManager) {
    if (!installed) {
      throw new CliError('cert-manager not installed and --skip-cert-manager-install is set');
    }
    console.info('Skipping cert-manager installation');
    return;
  }
  const available = (seconds: number): Promise<boolean> =>
    waitUntil(
      async () => {
        const ready = deployments.map((name) =>
          isRolledOut(cluster, 'deployment', { namespace: namespaces.certManager, name }),
        );
        return (await Promise.all(ready)).every(Boolean);
      },
      seconds,
      settings.pollMilliseconds,
    );
  const { items } = await cluster.list(kinds.deployment, { namespace: namespaces.certManager });
  const complete = deployments.every((name) => items.some(({ metadata }) => metadata.name === name));
  if (installed && complete && (await available(settings.floors.certManager))) {
    console.info('cert-manager already installed');
    return;
  }
  console.info('Installing cert-manager');
  await applyCertManager(cluster, settings.crds);
  if (!(await available(300))) {
    throw new CliError('cert-manager deployments are not available after 5m0s');
  }
  console.success('cert-manager installed');
}

/** cert-manager's ingress-shim would make a second Certificate for the same Secret. */
async function dropIssuerAnnotation({ client }: Run): Promise<void> {
  const find = () => client.cluster.get<KubeObject>(kinds.ingress, { namespace, name: 'registry' });
  const ingress = await find();
  if (ingress?.metadata.annotations?.['cert-manager.io/cluster-issuer'] === undefined) return;
  await client.annotate(
    kinds.ingress,
    async () => (await find()) ?? ingress,
    ({ 'cert-manager.io/cluster-issuer': _dropped, ...kept }) => kept,
  );
}

async function checkOwnership({ client }: Run): Promise<void> {
  const { items } = await client.cluster.list<Certificate>(kinds.certificate, { namespace });
  const others = items
    .filter(({ spec, metadata }) => spec?.secretName === 'registry-tls' && metadata.name !== publicCertificate)
    .map(({ metadata }) => metadata.name);
  if (others.length > 0) {
    throw new CliError(
      `registry TLS secret "registry-tls" in namespace "registry" is already referenced by Certificate(s) ${others.join(', ')}; delete the stale one first: kubectl delete certificate ${others[0]} -n registry`,
    );
  }
}

async function ensurePrivateCa({ client }: Run): Promise<void> {
  const metadata = { name: privateIssuer, namespace: namespaces.certManager };
  if ((await client.cluster.get(kinds.secret, metadata)) === undefined) {
    const made = await makeCertificateAuthority();
    const data = {
      'tls.crt': Buffer.from(made.certificate).toString('base64'),
      'tls.key': Buffer.from(made.key).toString('base64'),
    };
    await createObject(client.cluster, kinds.secret, { metadata, type: 'kubernetes.io/tls', data });
  }
  await client.merge(kinds.clusterIssuer, privateCaIssuer());
}

async function waitForCertificate(
  { client, settings }: Run,
  name: string,
  seconds: number,
  what: string,
): Promise<void> {
  const ready = async (): Promise<boolean> => {
    try {
      return isTrue(await client.cluster.get<Certificate>(kinds.certificate, { namespace, name }), 'Ready');
    } catch (error) {
      throw new CliError(`${what} cannot be read: ${messageOf(error)}`);
    }
  };
  if (!(await waitUntil(ready, seconds, settings.pollMilliseconds))) {
    throw new CliError(
      `${what} not ready after ${formatDuration(seconds)}. Check cert-manager logs: kubectl logs -n cert-manager deployment/cert-manager`,
    );
  }
}
