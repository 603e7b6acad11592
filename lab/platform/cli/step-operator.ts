import { objectOf, type PatchOperation } from '../../../shared/cluster/cluster.js';
import { type KubeObject, kinds } from '../../../shared/cluster/objects.js';
import { messageOf } from '../../../shared/errors.js';
import { makeCertificateAuthority, makeServerCertificate } from '../certificate-authority.js';
import { namespaces } from '../names.js';
import { createObject } from '../objects.js';
import { operatorName, operatorObjects, operatorWebhooks, webhookNames, webhookSecret } from '../operator/objects.js';
import { CliError } from './errors.js';
import { type Run, rolledOut } from './run.js';
import { readCrds, traefikNamespaces } from './step-cluster.js';
import { applyAll } from './step-registry.js';

type Secret = KubeObject & { data?: Record<string, string> };
type Deployment = KubeObject & { spec?: { template?: { spec?: { volumes?: { name: string }[] } } } };

const plugin = 'traefik-plugin-pii-redactor';
const dynamic = 'traefik-dynamic';

/** Traefik's plugin and dynamic configuration, the other CRDs, the operator and its webhooks. */
export async function operatorDeploy(run: Run): Promise<void> {
  const { console, client, folder } = run;
  console.info('Deploying operator manifests');
  for (const namespace of await traefikNamespaces(run)) await patchTraefik(run, namespace);
  await client.merge(kinds.crd, ...(await readCrds(folder, (file) => !file.includes('mcpservers'))));
  const caBundle = await webhookAuthority(run);
  await applyAll(run, operatorObjects(run.images, false));
  console.info('Waiting for operator webhook rollout');
  if (!(await rolledOut(run, { namespace: namespaces.runtime, name: operatorName }))) {
    throw new CliError(`deployment/${operatorName} did not roll out in time`);
  }
  await applyAll(run, operatorWebhooks(caBundle));
  console.success('Operator manifests deployed successfully');
}

/** Mounts what the platform needs by JSON patch, which fails on a Traefik without lists of volumes and mounts. */
async function patchTraefik({ client }: Run, namespace: string): Promise<void> {
  for (const name of [dynamic, plugin]) {
    const object = objectOf(kinds.configMap, { metadata: { name, namespace }, data: { [`${name}.yaml`]: '' } });
    await client.merge(kinds.configMap, object);
  }
  const ref = { namespace, name: 'traefik' };
  const live = await client.cluster.get<Deployment>(kinds.deployment, ref);
  const mounted = live?.spec?.template?.spec?.volumes?.some(({ name }) => name === dynamic) ?? false;
  if (mounted) return;
  const operations = [dynamic, plugin].flatMap((name): PatchOperation[] => [
    { op: 'add', path: '/spec/template/spec/volumes/-', value: { name, configMap: { name } } },
    {
      op: 'add',
      path: '/spec/template/spec/containers/0/volumeMounts/-',
      value: { name, mountPath: `/etc/traefik/${name}` },
    },
  ]);
  try {
    await client.cluster.patch(kinds.deployment, ref, operations);
  } catch (error) {
    throw new CliError(`failed to patch traefik deployment in namespace ${namespace}: ${messageOf(error)}`);
  }
}

/** The CA of the webhooks, kept when it is there. */
async function webhookAuthority({ client }: Run): Promise<string> {
  const metadata = { namespace: namespaces.runtime, name: webhookSecret };
  const present = (await client.cluster.get<Secret>(kinds.secret, metadata))?.data?.['ca.crt'];
  if (present !== undefined) return present;
  const ca = await makeCertificateAuthority();
  const [first = '', ...others] = webhookNames;
  const server = await makeServerCertificate([first, ...others], ca);
  const files = { 'ca.crt': ca.certificate, 'ca.key': ca.key, 'tls.crt': server.certificate, 'tls.key': server.key };
  const data = Object.fromEntries(
    Object.entries(files).map(([name, text]) => [name, Buffer.from(text).toString('base64')]),
  );
  await createObject(client.cluster, kinds.secret, { metadata, type: 'Opaque', data });
  return data['ca.crt'] ?? '';
}
