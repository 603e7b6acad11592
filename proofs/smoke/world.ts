import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ActionRun, defaultsOf, runBundle } from '../../lab/driver/action.js';
import { type LabState, openLab } from '../../lab/driver/lab.js';
import { type Registry, startRegistry } from '../../lab/driver/registry.js';
import { type ArchiveContent, makeImageArchive } from '../../lab/platform/api/image-archive.js';
import { type PlatformApi, type PlatformApiOptions, startPlatformApi } from '../../lab/platform/api/platform-api.js';
import { writeExampleServer } from '../../lab/platform/example-server.js';
import { type Front, startFront } from '../../lab/platform/front.js';
import { type Gateway, startGateway } from '../../lab/platform/gateway/gateway.js';
import { putImage } from '../../lab/platform/image.js';
import { installPlatform, waitForCertificates } from '../../lab/platform/install.js';
import { installK3s } from '../../lab/platform/k3s.js';
import { type Kubelet, startKubelet } from '../../lab/platform/kubelet.js';
import type { Installation, Layout } from '../../lab/platform/names.js';
import { type Operator, type OperatorOptions, startOperator } from '../../lab/platform/operator-run.js';
import { registryAuth } from '../../lab/platform/registry.js';
import type { Cluster } from '../../shared/cluster/cluster.js';
import { textAt } from '../../shared/cluster/fields.js';
import { type KubeObject, kinds } from '../../shared/cluster/objects.js';
import { type ApiCaller, findApi } from '../../shared/platform/api.js';
import { parseOverrides } from '../../shared/platform/reach.js';
import { openWeb } from '../../shared/platform/web.js';
import type { ProofContext } from '../proof.js';
import { certificateCount } from '../rig.js';
import { registryHost, remover } from '../rollout/world.js';

const domain = 'example.com';
const nodeName = 'lab-worker';
const gatewayRepository = 'mcp-sentinel-mcp-gateway';

/** A lab with the platform on it that can be used: API, operator, gateway, a registry, and a front with certificates. */
export interface SmokeWorld {
  cluster: Cluster;
  layout: Layout;
  /** Its `resolve` leads the public names to this machine. */
  front: Front;
  /** PEM of the root that the public certificates chain to. */
  root: string;
  api: PlatformApi;
  gateway: Gateway;
  operator: Operator;
  kubelet: Kubelet;
  domain: string;
  installation: Installation;
  /** A service key that is an administrator's. */
  adminKey: string;
  admin: { email: string; password: string };
  kubeconfig: string;
  state: LabState;
  registry: Registry;
  folder: string;
  /** Folder with the source of the example server. */
  source: string;
  /** Runs action-smoke-test; what it needs of this lab is given, unless the inputs say otherwise. */
  test(
    inputs?: Record<string, string>,
    env?: Record<string, string>,
    onStart?: (pid: number) => void,
  ): Promise<ActionRun>;
  /** Runs the post step, which is told what its main step had made. */
  post(inputs: Record<string, string>, made: string): Promise<ActionRun>;
  /** The member of the tests' team, who is there after a run. */
  member(): Promise<{ caller: ApiCaller; namespace: string }>;
  /** Writes an image archive of the example server. @returns its path */
  archive(labels?: Record<string, string>, architecture?: string): Promise<string>;
  close(): Promise<void>;
}

/** The password of the tests' users. */
export const userPassword = 'lab-smoke-users-password';

/** What a proof wants otherwise. */
export interface SmokeWorldOptions {
  settings?: PlatformApiOptions['settings'];
  operator?: Partial<OperatorOptions>;
  propagationMs?: number;
}

/** Brings a lab up with the platform in a layout, ready to publish servers on. */
export async function makeSmokeWorld(
  context: ProofContext,
  layout: Layout,
  { settings = {}, operator: wanted = {}, propagationMs = 300 }: SmokeWorldOptions = {},
): Promise<SmokeWorld> {
  const folder = join(context.folder, `smoke-${layout}`);
  await mkdir(folder, { recursive: true });
  const state = await context.lab();
  const [cluster, registry] = await Promise.all([
    openLab(state),
    startRegistry(state, { env: context.env, progress: context.progress }),
  ]);
  await installK3s(cluster);
  const installation: Installation = { domain, layout, acme: state.acme, crds: state.program.crds };
  await installPlatform(cluster, installation);
  await cluster.patch(kinds.ingress, { namespace: 'registry', name: 'registry' }, [
    { op: 'add', path: '/metadata/annotations', value: { [registryAuth.annotation]: registryAuth.middleware } },
  ]);
  // From here on the scheduler has the kubelet stand-in's node only.
  await cluster.patch(kinds.node, { name: 'lab-node' }, [{ op: 'add', path: '/spec/unschedulable', value: true }]);
  await putImage(registry.url, gatewayRepository, 'lab');
  const adminKey = await firstAdminKey(cluster);
  const admin = { email: `admin@${domain}`, password: 'lab-administrator' };
  const operator = await startOperator(cluster, {
    gatewayImage: `${registryHost}/${gatewayRepository}:lab`,
    ...wanted,
  });
  const api = await startPlatformApi(cluster, {
    layout,
    domain,
    registryUrl: registry.url,
    adminKeys: [adminKey],
    admin,
    settings,
  });
  const { remove, close: closeRemover } = await remover(state);
  const forNodes = {
    url: registry.url,
    authorise: async (username: string, password: string) => (await api.authorise(username, password)) === 'allowed',
  };
  const kubelet = await startKubelet(cluster, {
    node: nodeName,
    registries: new Map([[registryHost, forNodes]]),
    remove,
  });
  const gateway = await startGateway(cluster, { domain, pods: kubelet.pods, events: api.events, propagationMs });
  const front = await startFront(cluster, {
    domain,
    registry: {
      url: registry.url,
      async authorise(...call) {
        const verdict = await api.authorise(...call);
        return verdict === 'forbidden' ? verdict : verdict === 'allowed';
      },
    },
    api,
    mcp: gateway,
  });
  await waitForCertificates(cluster, certificateCount);
  const root = await (await fetch(`${state.acme.control}/root`)).text();
  const source = join(folder, 'workspace-assistant-mcp');
  await writeExampleServer(source);
  let archives = 0;
  const archive = async (labels: Record<string, string> = {}, architecture?: string): Promise<string> => {
    archives += 1;
    const file = join(folder, `image-${archives}.tar`);
    const content: ArchiveContent = {
      tag: 'workspace-assistant-mcp:lab',
      labels: {
        'lab.mcprt.dev/mcp': 'workspace-assistant',
        ...Object.fromEntries(Object.entries(labels).map(([name, value]) => [`lab.mcprt.dev/${name}`, value])),
      },
      ...(architecture === undefined ? {} : { architecture }),
    };
    await writeFile(file, await makeImageArchive(content));
    return file;
  };
  const defaults = await defaultsOf('action-smoke-test');
  const usual = await archive();
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
        domain,
        'admin-key': adminKey,
        'user-password': userPassword,
        source,
        'image-archive': usual,
        'ca-bundle': root,
        resolve: front.resolve.join('\n'),
        'deploy-timeout': '60s',
        'propagation-timeout': '30s',
        ...inputs,
      },
      env: { GITHUB_REPOSITORY: 'acme/servers', GITHUB_RUN_ID: '31', GITHUB_RUN_ATTEMPT: '1', ...env },
      ...(onStart ? { onStart } : {}),
    });
  return {
    cluster,
    layout,
    front,
    root,
    api,
    gateway,
    operator,
    kubelet,
    domain,
    installation,
    adminKey,
    admin,
    kubeconfig: state.kubeconfig,
    state,
    registry,
    folder,
    source,
    archive,
    async member() {
      const web = openWeb({ overrides: parseOverrides(front.resolve.join('\n')), dnsServer: '', caBundle: root });
      const ports = { web, signal: AbortSignal.timeout(60_000), mask: () => undefined, progress: context.progress };
      const found = await findApi(`platform.${domain}`, ports);
      const caller = found.as({ email: `mcprt-smoke@${domain}`, password: userPassword });
      return { caller, namespace: 'mcp-team-mcprt-smoke' };
    },
    test: (inputs = {}, env = {}, onStart) => run('smoke-test.js', inputs, env, onStart),
    post: (inputs, made) => run('smoke-test-post.js', inputs, { STATE_made: made }),
    async close() {
      await front.close();
      await gateway.close();
      await api.close();
      await operator.close();
      await kubelet.close();
      await closeRemover();
      await cluster.close();
    },
  };
}

async function firstAdminKey(cluster: Cluster): Promise<string> {
  const ref = { namespace: 'mcp-sentinel', name: 'mcp-sentinel-secrets' };
  const secret = await cluster.get<KubeObject>(kinds.secret, ref);
  const keys = Buffer.from(textAt(secret, 'data', 'ADMIN_API_KEYS'), 'base64').toString('utf8');
  return keys.split(',')[0] ?? '';
}
