import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ActionRun, defaultsOf, runBundle } from '../../lab/driver/action.js';
import { type LabState, openLab } from '../../lab/driver/lab.js';
import { type Registry, startRegistry } from '../../lab/driver/registry.js';
import { applier } from '../../lab/platform/cert-manager.js';
import { makeCheckout } from '../../lab/platform/checkout.js';
import { type Front, startFront } from '../../lab/platform/front.js';
import { putImage, putIndex } from '../../lab/platform/image.js';
import { installPlatform, waitForCertificates } from '../../lab/platform/install.js';
import { installK3s } from '../../lab/platform/k3s.js';
import { type Kubelet, startKubelet } from '../../lab/platform/kubelet.js';
import type { Installation, Layout } from '../../lab/platform/names.js';
import { registryAuth } from '../../lab/platform/registry.js';
import { builtImages, sentinelWorkloads, type Workload, workloadOf } from '../../lab/platform/workloads.js';
import { type Cluster, type PatchOperation, pathOf } from '../../shared/cluster/cluster.js';
import { loadCredentials } from '../../shared/cluster/credentials.js';
import { textAt } from '../../shared/cluster/fields.js';
import { type KubeObject, kinds } from '../../shared/cluster/objects.js';
import { openTransport } from '../../shared/cluster/transport.js';
import { rolloutState } from '../../shared/cluster/workloads.js';
import { presets } from '../../shared/rollout/targets.js';
import type { ProofContext } from '../proof.js';

const namespace = 'mcp-sentinel';
const domain = 'example.com';
export const registryHost = `registry.${domain}`;
/** Another registry than the platform's, of which an action knows nothing before the nodes ask it. */
export const otherRegistryHost = 'images.example.org';
/** The tag of the images that run at first. */
const firstTag = 'first';
export const nodeName = 'lab-worker';

/** A lab with the platform on it, whose services' pods are on a kubelet stand-in that pulls from a real registry. */
export interface RolloutWorld {
  state: LabState;
  cluster: Cluster;
  layout: Layout;
  front: Front;
  kubelet: Kubelet;
  /** A further node with a kubelet stand-in. */
  addNode(name: string): Promise<Kubelet>;
  /** Whether the registry turns the nodes away, as it does when their password has expired. */
  refuseNodes(isRefused: boolean): void;
  registry: Registry;
  folder: string;
  /** PEM of the root that the public certificates chain to. */
  root: string;
  /** Runs action-rollout; what it needs of this lab is given, unless the inputs say otherwise. */
  roll(
    inputs?: Record<string, string>,
    env?: Record<string, string>,
    onStart?: (pid: number) => void,
  ): Promise<ActionRun>;
  post(inputs?: Record<string, string>, env?: Record<string, string>): Promise<ActionRun>;
  /** Puts an image for a target into the registry. @returns its reference with the digest */
  push(deployment: string, labels?: Record<string, string>, architecture?: string): Promise<string>;
  /** Puts an image for several architectures for every target into the registry. @returns the input `images` */
  pushIndexes(architectures: readonly string[]): Promise<string>;
  /** Puts a new image for every target into the registry. @returns the input `images` */
  pushAll(labels?: Record<string, Record<string, string>>): Promise<string>;
  /** What a rollout may change, as it is. */
  snapshot(): Promise<Snapshot>;
  /** Folder with a source checkout of this layout, and of the other one. */
  source: string;
  sourceOfTheOther: string;
  /** Takes a pod away at once, as a kubelet may. */
  removePod(pod: KubeObject): Promise<void>;
  /** Waits until every Deployment is rolled out. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

export interface Snapshot {
  /** Data of mcp-sentinel-config, as JSON. */
  config: string;
  /** Pod template by Deployment, as JSON. */
  templates: Record<string, string>;
}

/** The configuration as a rollout finds it that has something to mend: one key wrong, and one missing. */
export const staleConfig: PatchOperation[] = [
  { op: 'add', path: '/data/PLATFORM_TEAM_TRAEFIK_WATCH', value: 'auto' },
  { op: 'remove', path: '/data/MCP_REGISTRY_INGRESS_HOST' },
];

/** Brings a lab up with the platform in a layout, its services running from a real registry. */
export async function makeRolloutWorld(
  context: ProofContext,
  layout: Layout,
  folder = join(context.folder, `world-${layout}`),
): Promise<RolloutWorld> {
  await mkdir(folder, { recursive: true });
  const state = await context.lab();
  const [cluster, registry] = await Promise.all([
    openLab(state),
    startRegistry(state, { env: context.env, progress: context.progress }),
  ]);
  const installation: Installation = { domain, layout, acme: state.acme, crds: state.program.crds };
  await installK3s(cluster);
  await installPlatform(cluster, installation);
  const authorise = await gatekeeper(cluster);
  await cluster.patch(kinds.ingress, { namespace: 'registry', name: 'registry' }, [
    { op: 'add', path: '/metadata/annotations', value: { [registryAuth.annotation]: registryAuth.middleware } },
  ]);
  // From here on the scheduler has the kubelet stand-in's node only.
  await cluster.patch(kinds.node, { name: 'lab-node' }, [{ op: 'add', path: '/spec/unschedulable', value: true }]);
  const { remove, close: closeRemover } = await remover(state);
  let isRefused = false;
  const forNodes = {
    url: registry.url,
    authorise: async (username: string, password: string) => !isRefused && authorise(username, password),
  };
  const foreign = { url: registry.url, authorise: async () => true };
  const addNode = (node: string): Promise<Kubelet> =>
    startKubelet(cluster, {
      node,
      registries: new Map([
        [registryHost, forNodes],
        [otherRegistryHost, foreign],
      ]),
      remove,
    });
  const kubelet = await addNode(nodeName);
  const front = await startFront(cluster, {
    domain,
    registry: { url: registry.url, authorise },
    httpStatus: kubelet.httpStatus,
  });
  await cluster.patch(kinds.configMap, { namespace, name: 'mcp-sentinel-config' }, staleConfig);
  const workloads = sentinelWorkloads(layout, { registry: registryHost, tag: firstTag }).filter(isOfRollout);
  await Promise.all([
    ...builtImages(layout).analytics.map((name) => putImage(registry.url, name, firstTag)),
    waitForCertificates(cluster, 5),
  ]);
  await applier(cluster)(kinds.deployment, ...workloads.map((one) => workloadOf(one)[1]));
  const other: Layout = layout === 'split' ? 'mono' : 'split';
  const [source, sourceOfTheOther] = [join(folder, 'source'), join(folder, 'source-of-the-other')];
  await Promise.all([
    makeCheckout(source, { installation, domain }),
    makeCheckout(sourceOfTheOther, { installation: { ...installation, layout: other }, domain }),
  ]);
  const root = await (await fetch(`${state.acme.control}/root`)).text();
  const profile = join(folder, 'profile.env');
  await writeFile(profile, profileText());
  const defaults = await defaultsOf('action-rollout');
  const run = (
    entry: string,
    inputs: Record<string, string>,
    env: Record<string, string>,
    onStart?: (pid: number) => void,
  ): Promise<ActionRun> =>
    runBundle({
      entry,
      folder,
      defaults,
      inputs: {
        kubeconfig: state.kubeconfig,
        profile,
        source,
        'ca-bundle': root,
        resolve: front.resolve.join('\n'),
        'rollout-timeout': '60s',
        ...inputs,
      },
      env: {
        GITHUB_REPOSITORY: 'acme/platform',
        GITHUB_REPOSITORY_ID: '42',
        GITHUB_RUN_ID: '1',
        GITHUB_JOB: 'rollout',
        ...env,
      },
      ...(onStart ? { onStart } : {}),
    });
  const push = async (
    deployment: string,
    labels: Record<string, string> = {},
    architecture = 'amd64',
  ): Promise<string> => {
    const digest = await putImage(registry.url, deployment, 'next', { labels: behaviour(labels), architecture });
    return `${registryHost}/${deployment}@${digest}`;
  };
  const world: RolloutWorld = {
    state,
    cluster,
    layout,
    front,
    kubelet,
    addNode,
    refuseNodes: (refused) => {
      isRefused = refused;
    },
    registry,
    folder,
    source,
    sourceOfTheOther,
    removePod: remove,
    root,
    roll: (inputs = {}, env = {}, onStart) => run('rollout.js', inputs, env, onStart),
    post: (inputs = {}, env = {}) => run('rollout-post.js', inputs, { STATE_written: 'yes', ...env }),
    push,
    async pushAll(labels = {}) {
      const lines = await Promise.all(
        presets[layout].map(async ({ deployment }) => `${deployment}=${await push(deployment, labels[deployment])}`),
      );
      return lines.join('\n');
    },
    async pushIndexes(architectures) {
      const lines = presets[layout].map(async ({ deployment }) => {
        const digest = await putIndex(registry.url, deployment, 'multi', architectures);
        return `${deployment}=${registryHost}/${deployment}@${digest}`;
      });
      return (await Promise.all(lines)).join('\n');
    },
    snapshot: () => snapshot(cluster),
    settled: () => settled(cluster),
    async close() {
      await front.close();
      await kubelet.close();
      await closeRemover();
      await cluster.close();
    },
  };
  await world.settled();
  return world;
}

/** The services whose pods the kubelet stand-in gets: those that a rollout rolls out, and some that read the same configuration. */
function isOfRollout({ kind, name }: Workload): boolean {
  return kind === 'deployment' && /^mcp-/.test(name);
}

function behaviour(labels: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).map(([name, value]) => [`lab.mcprt.dev/${name}`, value]));
}

/** Who may use the registry: as the platform's API, which compares with its Secret as it was at its start. */
async function gatekeeper(cluster: Cluster): Promise<(username: string, password: string) => Promise<boolean>> {
  const secret = await cluster.get<KubeObject>(kinds.secret, { namespace, name: 'mcp-sentinel-secrets' });
  const key = Buffer.from(textAt(secret, 'data', 'UI_API_KEY'), 'base64').toString('utf8');
  return async (username, password) => username === 'platform-service' && password === key && key !== '';
}

/** Deletes pods at once, as their kubelet may. */
export async function remover(
  state: LabState,
): Promise<{ remove(pod: KubeObject): Promise<void>; close(): Promise<void> }> {
  const credentials = await loadCredentials(state.kubeconfig, { trusted: false });
  const transport = openTransport(credentials, { userAgent: 'kubelet-stand-in', deadline: 20_000 });
  return {
    async remove(pod) {
      const body = JSON.stringify({ gracePeriodSeconds: 0, preconditions: { uid: pod.metadata.uid } });
      await transport.call({ method: 'DELETE', path: pathOf(kinds.pod, pod.metadata), body });
    },
    close: () => transport.close(),
  };
}

export async function snapshot(cluster: Cluster): Promise<Snapshot> {
  const [config, deployments] = await Promise.all([
    cluster.get<KubeObject>(kinds.configMap, { namespace, name: 'mcp-sentinel-config' }),
    cluster.list(kinds.deployment, { namespace }),
  ]);
  return {
    config: JSON.stringify(config?.data),
    templates: Object.fromEntries(
      deployments.items.map((one) => [
        one.metadata.name,
        JSON.stringify((one.spec as { template?: unknown } | undefined)?.template),
      ]),
    ),
  };
}

const settleDeadline = 60_000;

async function settled(cluster: Cluster): Promise<void> {
  for (const end = Date.now() + settleDeadline; ; await sleep(100)) {
    const { items } = await cluster.list(kinds.deployment, { namespace });
    const late = items.filter((one) => !rolloutState(one).complete);
    if (late.length === 0) return;
    if (Date.now() > end)
      throw new Error(
        `not rolled out: ${late.map((one) => `${one.metadata.name}: ${rolloutState(one).why}`).join('; ')}`,
      );
  }
}

function profileText(): string {
  return [
    `export MCP_PLATFORM_DOMAIN=${domain}`,
    'export MCP_IMAGE_PLATFORM=linux/amd64',
    `export MCP_PLATFORM_ADMIN_EMAIL=admin@${domain}`,
    `export MCP_REGISTRY_ENDPOINT=${registryHost}`,
    'export PLATFORM_TEAM_TRAEFIK_WATCH=disabled',
    '',
  ].join('\n');
}
