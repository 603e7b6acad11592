import { until } from '../../lab/driver/until.js';
import { applier } from '../../lab/platform/cert-manager.js';
import { certManagerDeployments } from '../../lab/platform/resources.js';
import { namespace } from '../../shared/backup/testing/scene.js';
import { type Cluster, objectOf } from '../../shared/cluster/cluster.js';
import { numberAt } from '../../shared/cluster/fields.js';
import { type Kind, type KubeObject, kinds } from '../../shared/cluster/objects.js';

/** How cert-manager's controller was installed. */
export interface Installed {
  namespace: string;
  name: string;
  labels: Record<string, string>;
  image: string;
  args: string[];
  /** Where it is no Deployment. */
  runsAs?: 'StatefulSet';
}

/** As the release's manifest has it. */
export function released(version: string): Installed {
  const [deployment] = certManagerDeployments(version);
  return {
    namespace: 'cert-manager',
    name: 'cert-manager',
    labels: deployment?.metadata.labels ?? {},
    image: `quay.io/jetstack/cert-manager-controller:${version}`,
    args: ['--v=2', '--cluster-resource-namespace=$(POD_NAMESPACE)', '--leader-election-namespace=kube-system'],
  };
}

function kindOf({ runsAs }: Installed): Kind {
  return runsAs === undefined ? kinds.deployment : kinds.statefulSet;
}

function workloadOf(installed: Installed, replicas: number): KubeObject {
  const { namespace: home, name, labels, image, args } = installed;
  const env = [{ name: 'POD_NAMESPACE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } }];
  return objectOf(kindOf(installed), {
    metadata: { name, namespace: home, labels },
    spec: {
      replicas,
      ...(installed.runsAs === 'StatefulSet' && { serviceName: name }),
      selector: { matchLabels: { ...labels } },
      template: {
        metadata: { labels },
        spec: {
          containers: [
            { name: 'mesh', image: 'mesh.example.com/proxy:v9.9.9', args: ['--cluster-resource-namespace=mesh'] },
            { name: 'main', image, args, env },
          ],
        },
      },
    },
  });
}

/** Installs it, or changes how many of it run, and waits until it is so. */
export async function run(cluster: Cluster, installed: Installed, replicas: 0 | 1): Promise<void> {
  const apply = applier(cluster);
  await apply(kinds.namespace, namespace(installed.namespace));
  await apply(kindOf(installed), workloadOf(installed, replicas));
  await until(`${replicas} of ${installed.namespace}/${installed.name}`, async () => {
    const found = await cluster.get<KubeObject>(kindOf(installed), installed);
    const isCurrent = numberAt(found, 'status', 'observedGeneration') === found?.metadata.generation;
    const { items } = await cluster.list(kinds.pod, { namespace: installed.namespace });
    return isCurrent && (numberAt(found, 'status', 'availableReplicas') ?? 0) === replicas && items.length === replicas;
  });
}
