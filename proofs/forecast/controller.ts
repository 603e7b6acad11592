import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LabState } from '../../lab/driver/lab.js';
import { until } from '../../lab/driver/until.js';
import { type Cluster, pathOf } from '../../shared/cluster/cluster.js';
import { type KubeObject, kinds } from '../../shared/cluster/objects.js';

const deployment = { name: 'cert-manager', namespace: 'cert-manager' };

/** Scales cert-manager's controller to nothing; ends when its pod is gone from the cluster and its process from this machine. */
export async function stopController(cluster: Cluster, lab: LabState): Promise<void> {
  await scale(cluster, 0);
  await until('cert-manager’s controller to end', async () => {
    const { items } = await cluster.list(kinds.pod, {
      namespace: deployment.namespace,
      labelSelector: 'app.kubernetes.io/component=controller',
    });
    return items.length === 0 && (await childrenOf(lab)).length === 0;
  });
}

/** Scales cert-manager's controller to one; ends when its process runs. */
export async function startController(cluster: Cluster, lab: LabState): Promise<void> {
  await scale(cluster, 1);
  await until('cert-manager’s controller to start', async () => (await childrenOf(lab)).length === 1);
}

/** The version that cert-manager's Deployment says of itself. */
export async function controllerVersion(cluster: Cluster): Promise<string> {
  const found = await cluster.get(kinds.deployment, deployment);
  const version = found?.metadata.labels?.['app.kubernetes.io/version'];
  if (version === undefined) {
    throw new Error(`${pathOf(kinds.deployment, deployment)} has no version label`);
  }
  return version;
}

interface Crd extends KubeObject {
  spec: {
    versions: { schema: { openAPIV3Schema: { properties: { spec: { properties: Record<string, unknown> } } } } }[];
  };
}

/** The fields that a Certificate's spec has in this cluster. */
export async function specFields(cluster: Cluster): Promise<Set<string>> {
  const crd = await cluster.get<Crd>(kinds.crd, { name: 'certificates.cert-manager.io' });
  const [version] = crd?.spec.versions ?? [];
  if (version === undefined) throw new Error('this cluster has no CRD of Certificates');
  return new Set(Object.keys(version.schema.openAPIV3Schema.properties.spec.properties));
}

async function scale(cluster: Cluster, replicas: number): Promise<void> {
  await cluster.patch(kinds.deployment, deployment, [{ op: 'replace', path: '/spec/replicas', value: replicas }]);
}

/** The processes that the lab's pod runner has started: cert-manager, or none (proc(5), fields 3 and 4 of stat). */
async function childrenOf({ processes }: LabState): Promise<string[]> {
  const runner = processes.find(({ name }) => name === 'cert-manager-pod');
  if (runner === undefined) throw new Error('this lab has no process that runs cert-manager');
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const parents = await Promise.all(
    pids.map(async (pid) => {
      const stat = await readFile(join('/proc', pid, 'stat'), 'utf8').catch(() => '');
      const [state, parent] = stat.replace(/^.*\) /s, '').split(' ');
      return { pid, running: state !== 'Z' && Number(parent) === runner.pid };
    }),
  );
  return parents.filter(({ running }) => running).map(({ pid }) => pid);
}
