import { existsSync, readdirSync } from 'node:fs';
import { mkdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../shared/errors.js';

const mounted = '/sys/fs/cgroup';

/** What the cgroup of a lab's node is called, in each hierarchy. */
export const cgroupOf = (lab: string): string => `mcprt-${lab}`;

/** Why no cgroup can be made here; undefined where one can. */
export async function whyNoCgroups(): Promise<string | undefined> {
  const folders = hierarchiesOf();
  if (folders.length === 0) return `no cgroups are mounted at ${mounted}`;
  for (const folder of folders) {
    const probe = join(folder, `mcprt-probe-${process.pid}`);
    try {
      await mkdir(probe);
      await rmdir(probe);
    } catch (error) {
      return `no cgroup can be made: ${messageOf(error)}`;
    }
  }
  return undefined;
}

/** Makes the cgroup of a lab's node, below which its kubelet makes those of the pods. */
export async function makeCgroups(lab: string): Promise<void> {
  for (const path of hierarchiesOf()) await makeCgroup(join(path, cgroupOf(lab)));
}

/** Takes the cgroups of a lab's node away, whose processes have ended or are about to. */
export async function removeCgroups(lab: string): Promise<void> {
  for (const hierarchy of hierarchiesOf()) {
    const top = join(hierarchy, cgroupOf(lab));
    for (let tries = 0; existsSync(top) && tries < 100; tries += 1) {
      await removeBelow(top).catch(() => sleep(50));
    }
  }
}

async function removeBelow(cgroup: string): Promise<void> {
  const below = readdirSync(cgroup, { withFileTypes: true }).filter((one) => one.isDirectory());
  for (const { name } of below) await removeBelow(join(cgroup, name));
  await rmdir(cgroup);
}

async function makeCgroup(path: string): Promise<void> {
  await mkdir(path, { recursive: true });
  // In v1 a cpuset without CPUs and memory takes no process, and a new one has none.
  for (const file of ['cpuset.cpus', 'cpuset.mems']) {
    if (!existsSync(join(path, file)) || existsSync(join(path, 'cgroup.controllers'))) continue;
    await writeFile(join(path, file), await readFile(join(path, '..', file)));
  }
}

/** Of cgroup v2 the one hierarchy, of v1 that of each controller. */
function hierarchiesOf(folder = mounted): string[] {
  if (!existsSync(folder)) return [];
  if (existsSync(join(folder, 'cgroup.controllers'))) return [folder];
  return readdirSync(folder)
    .map((name) => join(folder, name))
    .filter((path) => existsSync(join(path, 'cgroup.procs')));
}
