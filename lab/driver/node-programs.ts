import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { messageOf } from '../../shared/errors.js';
import { installDebian } from './debian.js';
import { buildWithKubernetes } from './kubernetes.js';
import type { ModuleOptions } from './module-program.js';
import { ownKubernetes } from './program.js';
import { buildReleased } from './released.js';

const run = promisify(execFile);

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
  runc: {
    name: 'runc',
    packages: ['github.com/opencontainers/runc'],
    version: 'v1.4.2',
    tags: ['seccomp'],
    hasC: true,
  },
  cni: {
    name: 'cni-plugins',
    packages: [`${plugins}/main/bridge`, `${plugins}/main/loopback`, `${plugins}/ipam/host-local`],
    version: 'v1.9.1',
  },
} as const;

/** What runc is compiled with, of Debian: its own library, no Go module, keeps the system calls of containers. */
const needed = ['gcc', 'libc6-dev', 'libseccomp-dev', 'pkg-config'];

/** Has a C compiler and libseccomp installed where they are missing. @returns why they cannot be had; undefined when they are there */
export async function whyNoCompiler({ env, progress }: ModuleOptions): Promise<string | undefined> {
  const isThere = async (): Promise<boolean> => {
    const found = [run('cc', ['--version'], { env }), run('pkg-config', ['--exists', 'libseccomp'], { env })];
    return (await Promise.allSettled(found)).every(({ status }) => status === 'fulfilled');
  };
  if (await isThere()) return undefined;
  progress(`installing ${needed.join(', ')}`);
  try {
    await installDebian(needed, env);
  } catch (error) {
    return `runc needs a C compiler and libseccomp, and apt-get cannot install them: ${messageOf(error)}`;
  }
  return (await isThere()) ? undefined : 'runc needs a C compiler and libseccomp';
}

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
