import type { Cluster } from '../cluster/cluster.js';
import { isTrue, numberAt, recordsAt, textAt } from '../cluster/fields.js';
import { type KubeObject, kinds } from '../cluster/objects.js';
import { openPortForward } from '../cluster/port-forward.js';
import { McprtError } from '../errors.js';
import { platformNamespaces } from '../platform/resources.js';
import { forwardedRoute, type RegistryRoute } from './route.js';

const namespace = platformNamespaces.registry;
/** A name in the certificate that the installer makes for the registry's pod. */
const internalName = 'registry.registry.svc.cluster.local';
const defaultPort = 5000;

/**
 * The way to the bundled registry's pod through the API server. Where the pod speaks TLS (registry mode bundled-https),
 * its certificate is verified against the platform's own CA.
 *
 * @throws McprtError `registry-unreachable`
 */
export async function registryPodRoute(cluster: Cluster): Promise<RegistryRoute> {
  const [pods, secret] = await Promise.all([
    cluster.list(kinds.pod, { namespace, labelSelector: 'app=registry' }),
    cluster.get<KubeObject>(kinds.secret, { namespace, name: 'registry-internal-tls' }),
  ]);
  const pod = pods.items.find((one) => one.metadata.deletionTimestamp === undefined && isTrue(one, 'Ready'));
  if (pod === undefined) {
    throw new McprtError('registry-unreachable', {
      what: 'there is no pod of the registry to forward to',
      why: `namespace ${namespace} has no Ready pod with the label app=registry`,
      next: 'look at it: `kubectl get pods -n registry`; an external registry is reached with `registry-access: public`',
    });
  }
  const [container] = recordsAt(pod, 'spec', 'containers');
  const port = numberAt(container, 'ports', 0, 'containerPort') ?? defaultPort;
  const ca = Buffer.from(textAt(secret, 'data', 'ca.crt'), 'base64').toString('utf8');
  const speaksTls =
    recordsAt(container, 'env').some(({ name }) => name === 'REGISTRY_HTTP_TLS_CERTIFICATE') ||
    ['readinessProbe', 'livenessProbe'].some((probe) => textAt(container, probe, 'httpGet', 'scheme') === 'HTTPS');
  return forwardedRoute(
    () => openPortForward(cluster, { namespace, name: pod.metadata.name }, port),
    speaksTls ? { servername: internalName, ca } : undefined,
  );
}
