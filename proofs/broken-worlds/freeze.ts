import { readdirSync, readFileSync } from 'node:fs';
import { until } from '../../lab/driver/until.js';
import type { Site } from './site.js';

/** Stops the lab's kubelet (kwok) as it stands until the site is mended: nobody writes a node's or a pod's status. */
export function freezeKubelet(site: Site): void {
  const { pid } = partOf(site, 'kwok');
  process.kill(pid, 'SIGSTOP');
  site.mendWith(async () => void process.kill(pid, 'SIGCONT'));
}

/** Stops cert-manager's controller as it stands, with its pod Running: it hangs. */
export async function freezeCertManager(site: Site): Promise<void> {
  const pod = partOf(site, 'cert-manager-pod').pid;
  const pid = await until('cert-manager’s controller to run', () => childOf(pod), { seconds: 20 });
  process.kill(pid, 'SIGSTOP');
  site.mendWith(async () => void process.kill(pid, 'SIGCONT'));
}

function partOf({ state }: Site, name: string): { pid: number } {
  const found = state.processes.find((one) => one.name === name);
  if (found === undefined) throw new Error(`the lab has no process ${name}`);
  return found;
}

/** Field 4 of /proc/PID/stat is the parent (proc(5)). */
function childOf(parent: number): number | undefined {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .find((pid) => {
      try {
        const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '');
        return Number(fields.split(' ')[1]) === parent;
      } catch {
        return false;
      }
    });
}
