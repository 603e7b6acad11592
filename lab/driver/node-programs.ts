import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFile, mkdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { McprtError, messageOf } from '../../shared/errors.js';
import { builtOnce } from './built-once.js';
import { cacheFolder, root } from './folders.js';
import { buildWithKubernetes } from './kubernetes.js';
import type { ModuleOptions } from './module-program.js';
import { ownKubernetes } from './program.js';
import { buildReleased } from './released.js';

const run = promisify(execFile);

/** What a real node is made of. Versions are those that k3s 1.36.4 has. */
export interface NodePrograms {
  /** The kubelet, and the first process of the node's namespaces. */
  node: string;
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
  const sources = ['main.go', 'node.go', 'relay.go'].map((file) => join('node', file));
  return {
    node: await buildWithKubernetes({ name: 'node', sources }, ownKubernetes, options),
    containerd: await buildReleased(released.containerd, options),
    runc: await buildReleased(released.runc, options),
    cni: await buildReleased(released.cni, options),
  };
}

/** The program that images of a real node hold, which needs nothing beside it. @throws McprtError `lab-build` */
export async function buildWorkload({ env, progress }: ModuleOptions): Promise<string> {
  const source = join(root, 'lab', 'workload', 'main.go');
  const hash = createHash('sha256').update(await readFile(source));
  const home = join(cacheFolder(env), 'workload', hash.digest('hex').slice(0, 16));
  await builtOnce(home, async (workshop, done) => {
    progress('building what runs in the node’s containers');
    await mkdir(done);
    await copyFile(source, join(workshop, basename(source)));
    const args = ['build', '-trimpath', '-ldflags', '-s -w', '-o', join(done, 'workload'), 'main.go'];
    await run('go', args, { cwd: workshop, env: { ...env, CGO_ENABLED: '0' } }).catch((cause: unknown) => {
      throw new McprtError('lab-build', {
        what: 'the workload does not build',
        why: messageOf(cause),
        next: 'try `go build main.go` in lab/workload',
        cause,
      });
    });
  });
  return join(home, 'workload');
}
