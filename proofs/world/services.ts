import type { Registry } from '../../lab/driver/registry.js';
import { until } from '../../lab/driver/until.js';
import { applier } from '../../lab/platform/cert-manager.js';
import { putImage, putIndex } from '../../lab/platform/image.js';
import { builtImages, sentinelWorkloads, workloadOf } from '../../lab/platform/workloads.js';
import type { PatchOperation } from '../../shared/cluster/cluster.js';
import { at } from '../../shared/cluster/fields.js';
import { type KubeObject, kinds } from '../../shared/cluster/objects.js';
import { rolloutState } from '../../shared/cluster/rollout-state.js';
import { presets } from '../../shared/rollout/targets.js';
import type { Base } from './base.js';
import type { Made } from './part.js';
import { registryHost } from './registry.js';

const namespace = 'mcp-sentinel';
export const configuration = { namespace, name: 'mcp-sentinel-config' };

/** What a rollout may change, as it is. */
export interface Snapshot {
  /** Data of mcp-sentinel-config, as JSON. */
  config: string;
  /** Pod template by Deployment, as JSON. */
  templates: Record<string, string>;
}

/** The platform's services, whose pods run what the registry has. */
export interface Services {
  /** Puts an image for a Deployment into the registry. @returns its reference with the digest */
  push(deployment: string, labels?: Record<string, string>, architecture?: string): Promise<string>;
  /** Puts a new image for every Deployment into the registry. @returns the input `images` */
  pushAll(labels?: Record<string, Record<string, string>>): Promise<string>;
  /** Puts an image for several architectures for every Deployment into the registry. @returns the input `images` */
  pushIndexes(architectures: readonly string[]): Promise<string>;
  snapshot(): Promise<Snapshot>;
  /** Waits until every Deployment is rolled out. */
  settled(): Promise<void>;
}

/** The configuration as a rollout finds it that has something to mend: one key wrong, and one missing. */
export const staleConfig: PatchOperation[] = [
  { op: 'add', path: '/data/PLATFORM_TEAM_TRAEFIK_WATCH', value: 'auto' },
  { op: 'remove', path: '/data/MCP_REGISTRY_INGRESS_HOST' },
];

/** Has the services run images of the registry, with a configuration that is stale. */
export async function makeServices({ cluster, layout }: Base, { url }: Registry): Promise<Made<Services>> {
  const tag = 'first';
  await cluster.patch(kinds.configMap, configuration, staleConfig);
  await Promise.all(builtImages(layout).analytics.map((name) => putImage(url, name, tag)));
  // Those that a rollout rolls out, and some that read the same configuration.
  const workloads = sentinelWorkloads(layout, { registry: registryHost, tag }).filter(
    ({ kind, name }) => kind === 'deployment' && name.startsWith('mcp-'),
  );
  await applier(cluster)(kinds.deployment, ...workloads.map((one) => workloadOf(one)[1]));
  const push: Services['push'] = async (deployment, labels = {}, architecture = 'amd64') => {
    const digest = await putImage(url, deployment, 'next', { labels: behaviour(labels), architecture });
    return `${registryHost}/${deployment}@${digest}`;
  };
  const forAll = async (image: (deployment: string) => Promise<string>): Promise<string> =>
    (await Promise.all(presets[layout].map(async ({ deployment: of }) => `${of}=${await image(of)}`))).join('\n');
  const settled = (): Promise<void> => untilSettled(cluster);
  await settled();
  return {
    part: {
      push,
      pushAll: (labels = {}) => forAll((deployment) => push(deployment, labels[deployment])),
      pushIndexes: (architectures) =>
        forAll(async (name) => `${registryHost}/${name}@${await putIndex(url, name, 'multi', architectures)}`),
      snapshot: () => snapshot(cluster),
      settled,
    },
  };
}

/** Labels by which a kubelet stand-in goes. */
export function behaviour(labels: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).map(([name, value]) => [`lab.mcprt.dev/${name}`, value]));
}

async function snapshot(cluster: Base['cluster']): Promise<Snapshot> {
  const [config, deployments] = await Promise.all([
    cluster.get<KubeObject>(kinds.configMap, configuration),
    cluster.list(kinds.deployment, { namespace }),
  ]);
  const templates = deployments.items.map((one) => [one.metadata.name, JSON.stringify(at(one, 'spec', 'template'))]);
  return { config: JSON.stringify(config?.data), templates: Object.fromEntries(templates) };
}

async function untilSettled(cluster: Base['cluster']): Promise<void> {
  let late = '';
  const isSettled = async (): Promise<boolean> => {
    const { items } = await cluster.list(kinds.deployment, { namespace });
    late = items
      .flatMap((one) => (rolloutState(one).complete ? [] : `${one.metadata.name}: ${rolloutState(one).why}`))
      .join('; ');
    return late === '';
  };
  await until('the Deployments to be rolled out', isSettled).catch(() => {
    throw new Error(`not rolled out: ${late}`);
  });
}
