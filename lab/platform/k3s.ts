import { createHash } from 'node:crypto';
import { type Cluster, objectOf } from '../../shared/cluster/cluster.js';
import { type Kind, type KubeObject, kinds } from '../../shared/cluster/objects.js';
import { storageClass } from '../driver/program.js';
import { applier } from './cert-manager.js';
import { labKinds } from './kinds.js';
import { openKind } from './objects.js';
import { isRolledOut, waitUntil } from './waits.js';
import { labelsOf, serviceOf, type Workload, workloadOf } from './workloads.js';

const namespace = 'kube-system';
const traefikLabels = { 'app.kubernetes.io/name': 'traefik', 'app.kubernetes.io/instance': 'traefik-kube-system' };
const rolloutSeconds = 60;

/**
 * Makes what k3s has in a fresh cluster and whoever stands outside of it can see: its Deployments, Traefik with its
 * Service, load balancer pods and kinds, the HelmCharts behind it, and the default storage class.
 *
 * @param address what Traefik's Service says it can be reached at; the front listens there
 * @throws Error when its Deployments do not roll out within a minute
 */
export async function installK3s(cluster: Cluster, { address = '127.0.0.1' } = {}): Promise<void> {
  const apply = applier(cluster);
  await apply(kinds.crd, ...helmKinds(), ...traefikKinds());
  const workloads: Workload[] = [
    deployment('coredns', 'coredns', { 'k8s-app': 'kube-dns' }),
    deployment('traefik', 'traefik', traefikLabels),
    deployment('local-path-provisioner', 'local-path-provisioner', { app: 'local-path-provisioner' }),
    deployment('metrics-server', 'metrics-server', { 'k8s-app': 'metrics-server' }),
    loadBalancer(),
  ];
  for (const workload of workloads) {
    const [kind, object] = workloadOf(workload);
    await apply(kind, workload.name === 'traefik' ? withVolumes(object) : object);
  }
  const ports = [
    { name: 'web', port: 80, targetPort: 8000 },
    { name: 'websecure', port: 443, targetPort: 8443 },
  ];
  const [, service] = serviceOf(deployment('traefik', 'traefik', traefikLabels), { type: 'LoadBalancer', ports });
  await apply(kinds.service, service);
  await cluster.patch(
    kinds.service,
    { namespace, name: 'traefik' },
    [{ op: 'add', path: '/status/loadBalancer', value: { ingress: [{ ip: address }] } }],
    'status',
  );
  await apply(
    kinds.ingressClass,
    objectOf(kinds.ingressClass, {
      metadata: { name: 'traefik', annotations: { 'ingressclass.kubernetes.io/is-default-class': 'true' } },
      spec: { controller: 'traefik.io/ingress-controller' },
    }),
  );
  await apply(
    kinds.storageClass,
    objectOf(kinds.storageClass, {
      metadata: { name: storageClass, annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
      provisioner: 'rancher.io/local-path',
      reclaimPolicy: 'Delete',
      volumeBindingMode: 'WaitForFirstConsumer',
    }),
  );
  await served(cluster, labKinds.helmChart);
  await apply(labKinds.helmChart, ...['traefik', 'traefik-crd'].map(helmChart));
  await served(cluster, labKinds.serversTransport);
  for (const { kind, name } of workloads) {
    if (!(await waitUntil(() => isRolledOut(cluster, kind, { namespace, name }), rolloutSeconds, 100))) {
      throw new Error(`${name} of the k3s stand-in did not roll out within ${rolloutSeconds} s`);
    }
  }
}

function deployment(name: string, container: string, labels: Record<string, string>): Workload {
  return { kind: 'deployment', namespace, name, container, image: `rancher/mirrored-${name}:lab`, labels };
}

/** k3s names it after a hash of the Service. */
function loadBalancer(): Workload {
  const suffix = createHash('sha256').update('kube-system/traefik').digest('hex').slice(0, 8);
  const name = `svclb-traefik-${suffix}`;
  const labels = { app: name, 'svccontroller.k3s.cattle.io/svcname': 'traefik' };
  return { kind: 'daemonSet', namespace, name, container: 'lb-tcp-80', image: 'rancher/klipper-lb:v0.4.13', labels };
}

/** Traefik's chart has both lists, and the platform's installer appends to them by JSON patch. */
function withVolumes(object: KubeObject): KubeObject {
  const labels = labelsOf({ name: 'traefik', labels: traefikLabels });
  const names = ['data', 'tmp'];
  const container = {
    name: 'traefik',
    image: 'rancher/mirrored-library-traefik:3.3.6',
    args: ['--entryPoints.web.address=:8000/tcp', '--entryPoints.websecure.address=:8443/tcp'],
    ports: [
      { name: 'web', containerPort: 8000 },
      { name: 'websecure', containerPort: 8443 },
    ],
    volumeMounts: names.map((name) => ({ name, mountPath: `/${name}` })),
  };
  return {
    ...object,
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { containers: [container], volumes: names.map((name) => ({ name, emptyDir: {} })) },
      },
    },
  };
}

function helmChart(name: string): KubeObject {
  return objectOf(labKinds.helmChart, {
    metadata: { name, namespace },
    spec: { chart: `https://%{KUBERNETES_API}%/static/charts/${name}.tgz`, targetNamespace: namespace },
  });
}

function helmKinds(): KubeObject[] {
  return [openKind('HelmChart', 'helm.cattle.io', 'v1'), openKind('HelmChartConfig', 'helm.cattle.io', 'v1')];
}

function traefikKinds(): KubeObject[] {
  return ['Middleware', 'ServersTransport', 'IngressRoute', 'TLSStore'].map((kind) =>
    openKind(kind, 'traefik.io', 'v1alpha1'),
  );
}

/** A kind is served a moment after its definition was made. */
async function served(cluster: Cluster, kind: Kind): Promise<void> {
  const found = await waitUntil(
    async () => (await cluster.groups()).get(kind.group)?.includes(kind.version) ?? false,
    rolloutSeconds,
    100,
  );
  if (!found) throw new Error(`kind ${kind.kind} is not served after ${rolloutSeconds} s`);
}
