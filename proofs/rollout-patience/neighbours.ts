import { until } from '../../lab/driver/until.js';
import { applyObject, createObject } from '../../lab/platform/objects.js';
import type { Kind, KubeObject } from '../../shared/cluster/objects.js';
import { kinds } from '../../shared/cluster/objects.js';
import { rolloutState } from '../../shared/cluster/rollout-state.js';
import { namespace, type World } from '../rollout-failures/support.js';

const name = 'neighbour';
const labels = { app: name };
const kindsOf: Readonly<Record<NeighbourKind, Kind>> = {
  Deployment: kinds.deployment,
  StatefulSet: kinds.statefulSet,
  DaemonSet: kinds.daemonSet,
};

export type NeighbourKind = 'Deployment' | 'StatefulSet' | 'DaemonSet';

/** A workload beside the platform's that reads a key which the rollout changes, or none. */
export interface Neighbour {
  kind: NeighbourKind;
  spec?: object;
  /** How its container behaves. */
  labels?: Record<string, string>;
  readsNothing?: boolean;
  /** What becomes of it once it runs. */
  afterwards?: object;
}

/** Has a neighbour run while something happens, and takes it away again. */
export async function beside<T>(world: World, neighbour: Neighbour, story: () => Promise<T>): Promise<T> {
  const { cluster } = world;
  const kind = kindsOf[neighbour.kind];
  const image = await world.services.push(name, neighbour.labels ?? {});
  const key = { name: 'mcp-sentinel-config', key: 'MCP_REGISTRY_INGRESS_HOST', optional: true };
  const env = neighbour.readsNothing ? [] : [{ name: 'HOST', valueFrom: { configMapKeyRef: key } }];
  await createObject(cluster, kind, {
    metadata: { namespace, name, labels },
    spec: {
      selector: { matchLabels: labels },
      ...(neighbour.kind === 'StatefulSet' ? { serviceName: name } : {}),
      ...neighbour.spec,
      template: {
        metadata: { labels },
        spec: {
          containers: [{ name: 'main', image, env }],
          imagePullSecrets: [{ name: 'mcp-runtime-registry-pull' }],
          nodeSelector: { 'kubernetes.io/hostname': 'lab-worker' },
        },
      },
    },
  });
  try {
    if (neighbour.labels?.exit === undefined) await until('the neighbour to run', () => isComplete(world, kind));
    if (neighbour.afterwards !== undefined) await changeNeighbour(world, neighbour.kind, neighbour.afterwards);
    return await story();
  } finally {
    await cluster.delete(kind, { namespace, name });
    await until('the neighbour to be gone', async () => {
      const { items } = await cluster.list(kinds.pod, { namespace, labelSelector: `app=${name}` });
      await Promise.all(items.map((pod) => world.kubelet.remove(pod).catch(() => undefined)));
      return items.length === 0;
    });
  }
}

/** Changes the neighbour as its owner would. */
export async function changeNeighbour({ cluster }: World, kind: NeighbourKind, spec: object): Promise<void> {
  await applyObject(cluster, kindsOf[kind], { metadata: { namespace, name }, spec }, { force: true, manager: 'owner' });
}

async function isComplete({ cluster }: World, kind: Kind): Promise<boolean> {
  const found = await cluster.get<KubeObject>(kind, { namespace, name });
  return found !== undefined && rolloutState(found).complete;
}
