import { buildWithKubernetes } from './kubernetes.js';
import type { ModuleOptions } from './module-program.js';
import { ownKubernetes } from './program.js';
import { buildReleased } from './released.js';

/** What a real node is made of. Versions are those that k3s 1.36.4 has. */
export interface NodePrograms {
  kubelet: string;
  /** Folders. */
  containerd: string;
  runc: string;
  cni: string;
}

const containerd = 'github.com/containerd/containerd/v2/cmd';
const plugins = 'github.com/containernetworking/plugins/plugins';
const released = {
  containerd: {
    name: 'containerd',
    packages: [`${containerd}/containerd`, `${containerd}/containerd-shim-runc-v2`],
    version: 'v2.3.4',
    tags: ['no_btrfs', 'no_zfs', 'no_devmapper'],
  },
  // Without seccomp, whose library is no Go module.
  runc: { name: 'runc', packages: ['github.com/opencontainers/runc'], version: 'v1.4.2', hasC: true },
  cni: {
    name: 'cni-plugins',
    packages: [`${plugins}/main/bridge`, `${plugins}/main/loopback`, `${plugins}/ipam/host-local`],
    version: 'v1.9.1',
  },
} as const;

/** @throws McprtError `lab-build` */
export async function buildNode(options: ModuleOptions): Promise<NodePrograms> {
  const kubelet = { name: 'kubelet', sources: ['node/main.go'] };
  return {
    kubelet: await buildWithKubernetes(kubelet, ownKubernetes, options),
    containerd: await buildReleased(released.containerd, options),
    runc: await buildReleased(released.runc, options),
    cni: await buildReleased(released.cni, options),
  };
}
