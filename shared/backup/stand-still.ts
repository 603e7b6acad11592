import type { Cluster } from '../cluster/cluster.js';
import { numberAt, textsAt } from '../cluster/fields.js';
import { type KubeObject, keyOf, kinds } from '../cluster/objects.js';
import { pointerTo, setting } from '../cluster/patches.js';
import { waitUntil } from '../cluster/wait.js';
import { controllers } from '../facts/cert-manager.js';
import type { Ports } from './ports.js';

/** On a Deployment of cert-manager's controller that a restore has stopped: how many replicas it had. */
const replicasBefore = 'mcprt.dev/replicas';
/** In ms: a pod of the release has 30 s to end, and its start is an image that is there already. */
const deadline = 120_000;

/**
 * Stops cert-manager's controller where nothing else keeps it from ordering, and notes on its Deployment how it was: whoever
 * ends the restore, this run or the next, starts it again.
 *
 * @throws McprtError `cluster-wait`; ApiError
 */
export async function stopCertManager(cluster: Cluster, ports: Ports): Promise<void> {
  for (const controller of (await controllers(cluster)).deployments) {
    const replicas = numberAt(controller, 'spec', 'replicas') ?? 1;
    if (replicas === 0) continue;
    const { namespace = '', name } = controller.metadata;
    await cluster.patch(kinds.deployment, { namespace, name }, [
      { op: 'test', path: '/metadata/resourceVersion', value: controller.metadata.resourceVersion },
      ...setting(controller, 'annotations', replicasBefore, String(replicas)),
      { op: 'add', path: '/spec/replicas', value: 0 },
    ]);
    // A pod that is on its way out still orders: the Deployment does not count it any more.
    await waitUntil(
      cluster,
      kinds.pod,
      (pods) => (pods.length === 0 ? '' : `still there: ${pods.map(({ metadata }) => keyOf(metadata)).join(', ')}`),
      { ...waiting(ports), namespace, labelSelector: selectorOf(controller), what: `${namespace}/${name} to stop` },
    );
    // Its status follows later, and is what tells everybody else whether cert-manager runs.
    await untilStatus(cluster, controller, ports, 'to stop', (counted) =>
      ['replicas', 'availableReplicas'].every((count) => counted(count) === 0)
        ? ''
        : 'its status counts pods that are gone',
    );
    ports.progress(
      `cert-manager (${namespace}/${name}) is stopped until the end, as \`allow: stop-cert-manager\` says`,
    );
  }
}

/** Starts what a restore has stopped, this run or one that was killed. @returns whether there was such a thing */
export async function startCertManager(cluster: Cluster, ports: Ports): Promise<boolean> {
  const { deployments } = await controllers(cluster);
  const stopped = deployments.filter(({ metadata }) => metadata.annotations?.[replicasBefore]);
  for (const controller of stopped) {
    const { namespace = '', name, annotations } = controller.metadata;
    await cluster.patch(kinds.deployment, { namespace, name }, [
      { op: 'add', path: '/spec/replicas', value: Number(annotations?.[replicasBefore]) || 1 },
      { op: 'remove', path: pointerTo('/metadata/annotations', replicasBefore) },
    ]);
    await untilStatus(cluster, controller, ports, 'to start', (counted) =>
      counted('availableReplicas') > 0 ? '' : 'no pod is available',
    );
    ports.progress(`cert-manager (${namespace}/${name}) runs again`);
  }
  return stopped.length > 0;
}

/** Waits for what a Deployment's status counts. @param missing as for `waitUntil` */
async function untilStatus(
  cluster: Cluster,
  { metadata: { namespace = '', name } }: KubeObject,
  ports: Ports,
  toWhat: string,
  missing: (counted: (field: string) => number) => string,
): Promise<void> {
  await waitUntil(
    cluster,
    kinds.deployment,
    ([deployment]) => missing((field) => numberAt(deployment, 'status', field) ?? 0),
    { ...waiting(ports), namespace, fieldSelector: `metadata.name=${name}`, what: `${namespace}/${name} ${toWhat}` },
  );
}

function waiting({ signal, progress }: Ports) {
  return { deadline, signal, progress };
}

function selectorOf(controller: KubeObject): string {
  const labels = Object.entries(textsAt(controller, 'spec', 'selector', 'matchLabels'));
  return labels.map(([name, value]) => `${name}=${value}`).join(',');
}
