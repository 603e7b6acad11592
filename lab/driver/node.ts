import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { isTrue } from '../../shared/cluster/fields.js';
import { kinds } from '../../shared/cluster/objects.js';
import { McprtError } from '../../shared/errors.js';
import { type Apart, startApart, whyNotApart } from './apart.js';
import { cgroupOf, makeCgroups, whyNoCgroups } from './cgroups.js';
import { type LabState, openLab } from './lab.js';
import type { ModuleOptions } from './module-program.js';
import { nodeObject } from './node-object.js';
import { buildNode, type NodePrograms, whyNoCompiler } from './node-programs.js';
import { isRunning } from './processes.js';
import type { Progress } from './progress.js';
import { found } from './until.js';

const startSeconds = 90;
/** Networks that only the node's own namespace knows. */
const pods = '10.88.0.0/24';

/** Keeps everything away from a real node that is not meant to run there. */
export const realNodeTaint = { key: 'lab.mcprt.dev/real', value: 'true', effect: 'NoSchedule' } as const;

export interface NodeOptions {
  name: string;
  /** Where the registries are, by the host that images name. */
  registries: ReadonlyMap<string, string>;
  /** The image that holds a pod's namespaces. */
  pause: string;
  env: NodeJS.ProcessEnv;
  progress: Progress;
}

/** Why this machine cannot have a node of its own; undefined where it can. Installs what runc is compiled with. */
export async function whyNoNode(options: ModuleOptions): Promise<string | undefined> {
  const reason = (await whyNotApart()) ?? (await whyNoCgroups());
  if (reason !== undefined) return reason;
  if (!/\toverlay$/m.test(await readFile('/proc/filesystems', 'utf8'))) return 'the kernel has no overlay file system';
  return whyNoCompiler(options);
}

/**
 * Gives a lab a node of its own: a kubelet of the lab's version, with containerd and runc, in namespaces of its own, which end with
 * their first process. `stopLab` ends it and takes its cgroups away.
 *
 * @returns an HTTP proxy's address that reaches the pods
 * @throws McprtError `lab-build`, `lab-start`
 */
export async function startNode(state: LabState, options: NodeOptions): Promise<{ proxy: string }> {
  const { name } = options;
  const programs = await buildNode(options);
  const folder = join(state.folder, 'node');
  await mkdir(folder, { recursive: true });
  // Containers of other users than root look for their root file system below it.
  for (const path of [state.folder, folder]) await chmod(path, 0o711);
  await makeCgroups(state.name);
  const layout = await layOut(state, options, programs, folder);
  const cluster = await openLab(state);
  try {
    await cluster.apply(kinds.node, nodeObject(name, { taints: [realNodeTaint] }), { manager: 'lab' });
    const addresses = [
      { type: 'InternalIP', address: '127.0.0.1' },
      { type: 'Hostname', address: name },
    ];
    await cluster.patch(kinds.node, { name }, [{ op: 'add', path: '/status', value: { addresses } }], 'status');
    const started = await startApart(state, 'node', folder, layout, options);
    const isReady = async (): Promise<boolean> =>
      !isRunning(started) || isTrue(await cluster.get(kinds.node, { name }), 'Ready');
    const isUp = await found(isReady, { seconds: startSeconds, every: 200 });
    if (!isUp || !isRunning(started)) {
      throw new McprtError('lab-start', {
        what: 'the node did not come up',
        why: (await readFile(started.log, 'utf8')).trimEnd().split('\n').slice(-12).join('\n'),
        next: 'try again; when it happens twice, the lines above say why',
      });
    }
  } finally {
    await cluster.close();
  }
  return { proxy: state.node.proxy };
}

/** Writes every file that the node reads. @returns what runs, and what leads there */
async function layOut(
  state: LabState,
  { name, registries, pause }: NodeOptions,
  { kubelet, containerd, runc, cni }: NodePrograms,
  folder: string,
): Promise<Apart> {
  const write = async (path: string, text: string): Promise<string> => {
    const file = join(folder, path);
    await mkdir(join(file, '..'), { recursive: true });
    await writeFile(file, text);
    return file;
  };
  const socket = join(folder, 'containerd.sock');
  for (const [host, url] of registries) {
    await write(`certs.d/${host}/hosts.toml`, `server = "${url}"\n`);
  }
  const network = {
    cniVersion: '1.0.0',
    name: 'lab',
    plugins: [
      {
        type: 'bridge',
        bridge: 'lab0',
        isDefaultGateway: true,
        ipam: { type: 'host-local', dataDir: join(folder, 'cni', 'addresses'), ranges: [[{ subnet: pods }]] },
      },
    ],
  };
  await write('cni/net.d/10-lab.conflist', JSON.stringify(network));
  const config = await write(
    'containerd.toml',
    containerdConfig({ folder, socket, cni, pause, runc: join(runc, 'runc') }),
  );
  const settings = await write('kubelet.yaml', stringify(kubeletConfig(state, folder, socket)));
  const inward = [new URL(state.server).host, ...[...registries.values()].map((url) => new URL(url).host)];
  return {
    inward: [...new Set(inward)],
    outward: [state.node.kubelet],
    proxy: state.node.proxy,
    fixed: ['/run', '/var/log'],
    path: [containerd, runc],
    programs: [
      { words: [join(containerd, 'containerd'), `--config=${config}`], socket },
      {
        words: [
          kubelet,
          `--config=${settings}`,
          `--kubeconfig=${state.kubeconfig}`,
          `--root-dir=${join(folder, 'kubelet')}`,
          `--cert-dir=${join(folder, 'kubelet-tls')}`,
          `--hostname-override=${name}`,
          // As with k3s, another tells what addresses the node has.
          '--cloud-provider=external',
        ],
      },
    ],
  };
}

interface ContainerdPlaces {
  folder: string;
  socket: string;
  cni: string;
  pause: string;
  runc: string;
}

function containerdConfig({ folder, socket, cni, pause, runc }: ContainerdPlaces): string {
  return `version = 3
root = "${join(folder, 'containerd')}"
state = "/run/containerd-state"
disabled_plugins = ["io.containerd.tracing.processor.v1.otlp", "io.containerd.internal.v1.tracing"]
[grpc]
  address = "${socket}"
[plugins."io.containerd.nri.v1.nri"]
  disable = true
[plugins."io.containerd.cri.v1.images".pinned_images]
  sandbox = "${pause}"
[plugins."io.containerd.cri.v1.images".registry]
  config_path = "${join(folder, 'certs.d')}"
[plugins."io.containerd.cri.v1.runtime"]
  restrict_oom_score_adj = true
  disable_apparmor = true
[plugins."io.containerd.cri.v1.runtime".cni]
  bin_dirs = ["${cni}"]
  conf_dir = "${join(folder, 'cni', 'net.d')}"
[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
  BinaryName = "${runc}"
`;
}

/** As a kubelet is by default, but for what the machine lacks and what must not be shared with it. */
function kubeletConfig(state: LabState, folder: string, socket: string): object {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address: '127.0.0.1',
    port: Number(state.node.kubelet.split(':')[1]),
    healthzPort: 0,
    // The lab's API server shows no certificate, and only this machine reaches the port.
    authentication: { anonymous: { enabled: true }, webhook: { enabled: false } },
    authorization: { mode: 'AlwaysAllow' },
    containerRuntimeEndpoint: `unix://${socket}`,
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${cgroupOf(state.name)}`,
    failCgroupV1: false,
    failSwapOn: false,
    oomScoreAdj: 0,
    enforceNodeAllocatable: [],
    // A machine that builds and tests is short of disk sooner than a node may be.
    evictionHard: { 'nodefs.available': '1%' },
    imageGCHighThresholdPercent: 100,
    makeIPTablesUtilChains: false,
    podLogsDir: join(folder, 'pod-logs'),
    volumePluginDir: join(folder, 'volume-plugins'),
    resolvConf: '',
    clusterDNS: ['10.43.0.10'],
  };
}
