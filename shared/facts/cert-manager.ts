import {
  type ControllerSettings,
  configPathOf,
  controllerSettings,
  type FlaggedContainer,
  fileSettings,
  releaseSettings,
} from '../certificates/controller-settings.js';
import { isBeyondKnown, isVersion, newestCertManager } from '../certificates/version.js';
import { ApiError } from '../cluster/api-error.js';
import type { Cluster } from '../cluster/cluster.js';
import { at, isTrue, numberAt, recordsAt, textAt } from '../cluster/fields.js';
import { type KubeObject, keyOf, kinds } from '../cluster/objects.js';
import { isRecord } from '../json.js';
import { withoutEnd } from '../text.js';

const states = ['running', 'unready', 'stopped'] as const;

/** Whether cert-manager's controller can act: `unready` has a Deployment with replicas and no pod that is available. */
export type ControllerState = 'absent' | (typeof states)[number];

/** cert-manager's controller, or what the release's manifest would make where there is none. */
export interface CertManager {
  state: ControllerState;
  version: string | undefined;
  /** Of its Deployment, or of its pods. */
  namespace: string;
  settings: ControllerSettings;
  /** What its pods are of where that is no Deployment: nothing else is scaled here. */
  runsAs?: { kind: string; name: string };
  /** Why its settings are not certain; undefined when they are. */
  doubt?: string;
}

/** Whether it can order now: a controller that is not ready may be in a moment. */
export function canAct({ state }: Pick<CertManager, 'state'>): boolean {
  return state === 'running' || state === 'unready';
}

/** The version whose rules count: cert-manager's own, else the one that a backup recorded, else the newest that is known. */
export function rulesVersion({ version }: Pick<CertManager, 'version'>, recorded = ''): string {
  return version ?? (recorded || newestCertManager);
}

type Container = FlaggedContainer & Record<string, unknown>;

const image = 'cert-manager-controller';

/** Where cert-manager's controller is. */
export interface Controllers {
  deployments: KubeObject[];
  /**
   * Pods of one that is no Deployment, but a StatefulSet, a DaemonSet, an Argo Rollout or a pod alone; looked at only where no
   * Deployment acts. Undefined where the credentials may not list pods.
   */
  pods: KubeObject[] | undefined;
}

/** The Deployments of cert-manager's controller, wherever they are and whatever a chart calls them, or else its pods. */
export async function controllers(cluster: Cluster): Promise<Controllers> {
  const { items } = await cluster.list(kinds.deployment, { labelSelector: 'app.kubernetes.io/component=controller' });
  const labelled = items.filter(
    (one) => one.metadata.labels?.['app.kubernetes.io/name'] === 'cert-manager' || runsController(one),
  );
  if (labelled.some(acts)) return { deployments: labelled, pods: [] };
  // Manifests that people have written themselves may carry other labels. Everything is read only where none is found by them.
  const known = new Set(labelled.map(({ metadata }) => keyOf(metadata)));
  const [all, pods] = await Promise.all([cluster.list(kinds.deployment), controllerPods(cluster)]);
  const unlabelled = all.items.filter((one) => runsController(one) && !known.has(keyOf(one.metadata)));
  const deployments = [...labelled, ...unlabelled];
  return { deployments, pods: deployments.some(acts) ? [] : pods };
}

async function controllerPods(cluster: Cluster): Promise<KubeObject[] | undefined> {
  const found = await cluster.list(kinds.pod).catch((error: unknown) => {
    if (error instanceof ApiError && error.status === 403) return undefined;
    throw error;
  });
  return found?.items.filter((pod) => {
    const isOver = ['Succeeded', 'Failed'].includes(textAt(pod, 'status', 'phase'));
    // One that is on its way out is of a Deployment that has just been stopped, or is followed by another one.
    return runsController(pod) && !isOver && pod.metadata.deletionTimestamp === undefined;
  });
}

function runsController(object: KubeObject): boolean {
  return containersOf(object).some((container) => textAt(container, 'image').includes(image));
}

function acts(controller: KubeObject): boolean {
  return canAct({ state: stateOf(controller) });
}

/** The one of cert-manager's controllers that acts: an old one may stand beside it, scaled down. */
export async function controllerOf(cluster: Cluster, { deployments, pods }: Controllers): Promise<CertManager> {
  const found = [...deployments, ...oneOfEach(pods ?? [])];
  const byState = Map.groupBy(found, stateOf);
  const [controller] = states.flatMap((state) => byState.get(state) ?? []);
  const unseen =
    pods === undefined
      ? ['whether cert-manager runs as something else than a Deployment is not known: this account may not list pods']
      : [];
  if (controller === undefined) {
    const [doubt] = unseen;
    const absent = {
      state: 'absent',
      version: undefined,
      namespace: 'cert-manager',
      settings: releaseSettings,
    } as const;
    return { ...absent, ...(doubt === undefined ? {} : { doubt }) };
  }
  const namespace = controller.metadata.namespace ?? 'cert-manager';
  const container = controllerContainer(controller);
  const [version, file] = [versionOf(controller, container), await configFile(cluster, controller, container)];
  const settings = controllerSettings(container, namespace, file.text);
  const isKnown = !settings.clusterResourceNamespace.includes('$(');
  const acting = states.filter((state) => canAct({ state })).flatMap((state) => byState.get(state) ?? []);
  const runsAs = controller.kind === 'Pod' ? workloadOf(controller) : undefined;
  const { kind, name } = runsAs ?? { kind: 'Deployment', name: controller.metadata.name };
  const doubts = [
    ...unseen,
    ...(file.doubt === undefined ? [] : [file.doubt]),
    ...(isKnown
      ? []
      : [
          `cert-manager’s --cluster-resource-namespace is ${settings.clusterResourceNamespace}, which only its pod knows: ${namespace} is assumed`,
        ]),
    ...(version === undefined
      ? [`cert-manager’s ${kind} ${namespace}/${name} tells no version: its rules are assumed`]
      : []),
    ...(version !== undefined && isBeyondKnown(version)
      ? [
          `cert-manager ${version} is newer than the newest whose rules are known (${newestCertManager}): what it will keep or order is likely, and not certain`,
        ]
      : []),
    ...(acting.length > 1
      ? [
          `cert-manager runs ${acting.length} times (${acting.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`).join(', ')}): the settings of the first are taken`,
        ]
      : []),
  ];
  return {
    state: stateOf(controller),
    version,
    namespace,
    settings: isKnown ? settings : { ...settings, clusterResourceNamespace: namespace },
    ...(runsAs === undefined ? {} : { runsAs }),
    ...(doubts.length === 0 ? {} : { doubt: doubts.join('; ') }),
  };
}

/** What a pod is of: the pod itself where nobody makes it. */
function workloadOf({ metadata: { name, ownerReferences = [] } }: KubeObject): { kind: string; name: string } {
  const owner = ownerReferences.find(({ controller }) => controller === true);
  return owner === undefined ? { kind: 'Pod', name } : { kind: owner.kind, name: owner.name };
}

/** Of the pods of each workload one, and one that is Ready where there is one. */
function oneOfEach(pods: readonly KubeObject[]): KubeObject[] {
  const byWorkload = Map.groupBy(pods, (pod) => {
    const { kind, name } = workloadOf(pod);
    return `${kind} ${pod.metadata.namespace}/${name}`;
  });
  return [...byWorkload.values()].flatMap((some) => some.find((pod) => isTrue(pod, 'Ready')) ?? some[0] ?? []);
}

function stateOf(controller: KubeObject): (typeof states)[number] {
  if (controller.kind === 'Pod') return isTrue(controller, 'Ready') ? 'running' : 'unready';
  const wanted = numberAt(controller, 'spec', 'replicas') ?? 1;
  const present = numberAt(controller, 'status', 'replicas') ?? 0;
  const available = numberAt(controller, 'status', 'availableReplicas') ?? 0;
  if (available > 0) return 'running';
  return wanted === 0 && present === 0 ? 'stopped' : 'unready';
}

function podSpecOf(controller: KubeObject): unknown {
  return controller.kind === 'Pod' ? controller.spec : at(controller, 'spec', 'template', 'spec');
}

function containersOf(controller: KubeObject): Record<string, unknown>[] {
  return recordsAt(podSpecOf(controller), 'containers');
}

/** The container with the controller: a mesh may have put others beside it. */
function controllerContainer(controller: KubeObject): Container {
  const containers = containersOf(controller);
  const found =
    containers.find((container) => textAt(container, 'image').includes(image)) ??
    containers.find(({ name }) => name === image) ??
    containers[0];
  // The API server has checked a Deployment against its kind's schema.
  return (found ?? {}) as Container;
}

/** The file that `--config` names, where it comes from a ConfigMap, as the chart has it. */
async function configFile(
  cluster: Cluster,
  controller: KubeObject,
  container: Container,
): Promise<{ text?: string; doubt?: string }> {
  const namespace = controller.metadata.namespace ?? '';
  const path = configPathOf(container, namespace);
  if (path === undefined) return {};
  const doubt = (why: string): { doubt: string } => ({
    doubt: `cert-manager’s configuration file ${path} is not known (${why}): defaults are assumed for what its flags do not say`,
  });
  const mounted = mountedAt(container, path);
  const volume = recordsAt(podSpecOf(controller), 'volumes').find(({ name }) => name === mounted?.volume);
  const map = textAt(volume, 'configMap', 'name');
  if (mounted === undefined || map === '') return doubt('it comes from no ConfigMap');
  const key = recordsAt(volume, 'configMap', 'items').find((item) => item.path === mounted.file)?.key ?? mounted.file;
  try {
    const found = await cluster.get(kinds.configMap, { namespace, name: map });
    const text = textAt(found, 'data', String(key));
    if (text === '') return doubt(`ConfigMap ${namespace}/${map} has no ${String(key)}`);
    return isRecord(fileSettings(text))
      ? { text }
      : doubt(`ConfigMap ${namespace}/${map} holds nothing that can be read`);
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 403)) throw error;
    return doubt(`this account may not read ConfigMap ${namespace}/${map}`);
  }
}

/** The volume that a file of a container is in, and where in it: the innermost mount counts. */
function mountedAt(container: Container, path: string): { volume: unknown; file: string } | undefined {
  const [innermost] = recordsAt(container, 'volumeMounts')
    .map((mount) => ({ mount, place: withoutEnd(textAt(mount, 'mountPath'), '/') }))
    .filter(({ place }) => path === place || path.startsWith(`${place}/`))
    .sort((a, b) => b.place.length - a.place.length);
  if (innermost === undefined) return undefined;
  const { mount, place } = innermost;
  const file = [textAt(mount, 'subPath'), path.slice(place.length + 1)].filter((part) => part !== '').join('/');
  return { volume: mount.name, file };
}

/** cert-manager's manifests put the version into a label; charts of others at least into the image's tag. */
function versionOf(controller: KubeObject, container: Container): string | undefined {
  const labelled = controller.metadata.labels?.['app.kubernetes.io/version'] ?? '';
  const [, tag = ''] = /:([^:@/]+)(?:@.*)?$/.exec(textAt(container, 'image')) ?? [];
  return [labelled, tag].find(isVersion);
}
