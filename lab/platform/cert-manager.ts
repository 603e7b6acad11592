import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pRetry from 'p-retry';
import { parseAllDocuments } from 'yaml';
import { type Cluster, isNotFound } from '../../shared/cluster/cluster.js';
import { numberAt } from '../../shared/cluster/fields.js';
import { type Kind, type KubeObject, kinds } from '../../shared/cluster/objects.js';
import { until } from '../driver/until.js';
import { type Installation, namespaces } from './names.js';
import { certManagerDeployments, namespaceOf } from './resources.js';

/** Applies CRDs, namespace and Deployments of cert-manager; waits for nothing. @param crds folder with its CRDs */
export async function applyCertManager(cluster: Cluster, crds: string): Promise<void> {
  const apply = applier(cluster);
  const objects = await certManagerObjects(crds);
  for (const kind of [kinds.crd, kinds.namespace, kinds.deployment]) {
    await apply(kind, ...objects.filter((object) => object.kind === kind.kind));
  }
}

/** The objects of cert-manager's release manifest, as far as the lab has them. @param crds folder with its CRDs */
export async function certManagerObjects(crds: string): Promise<KubeObject[]> {
  const version = (await readFile(join(crds, 'version'), 'utf8')).trim();
  return [...(await readManifests(crds)), namespaceOf(namespaces.certManager), ...certManagerDeployments(version)];
}

/** Server-side apply in the installer's name, all objects at once. */
export function applier(cluster: Cluster): (kind: Kind, ...objects: KubeObject[]) => Promise<void> {
  return async (kind, ...objects) => {
    await Promise.all(
      objects.map((object) =>
        pRetry(() => cluster.apply(kind, object, { force: true, manager: 'mcp-runtime' }), {
          retries: 20,
          minTimeout: 100,
          factor: 1.2,
          // A kind that was made a moment ago is not served yet.
          shouldRetry: ({ error }) => isNotFound(error),
        }),
      ),
    );
  };
}

/** The objects of the YAML files of a folder. */
export async function readManifests(folder: string): Promise<KubeObject[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.yaml'));
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
  const documents = texts.flatMap((text) => parseAllDocuments(text).map((document): unknown => document.toJS()));
  return documents
    .filter(
      (document): document is KubeObject => typeof document === 'object' && document !== null && 'kind' in document,
    )
    .map(withoutTemplates);
}

/** Some versions have their CRDs as templates of their chart, of which only labels are not what they are in the end. */
function withoutTemplates(object: KubeObject): KubeObject {
  const labels = Object.entries(object.metadata.labels ?? {}).filter(([, value]) => !value.includes('{{'));
  return { ...object, metadata: { ...object.metadata, labels: Object.fromEntries(labels) } };
}

/** Two cores with other labs beside: a controller has taken over a minute to begin there. In s. */
export const busyMachine = { seconds: 240 };

/** CRDs, namespace and Deployments of cert-manager; ends when its controller is available. */
export async function installCertManager(cluster: Cluster, { crds }: Pick<Installation, 'crds'>): Promise<void> {
  await applyCertManager(cluster, crds);
  const controller = { name: 'cert-manager', namespace: namespaces.certManager };
  const isAvailable = async (): Promise<boolean> => {
    const found = await cluster.get<KubeObject>(kinds.deployment, controller);
    return (numberAt(found, 'status', 'availableReplicas') ?? 0) > 0;
  };
  await until(`Deployment ${controller.name} to be available`, isAvailable, busyMachine);
}
