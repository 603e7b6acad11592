import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Site } from './site.js';

const deadline = 20_000;

/** Stops the lab's kubelet (kwok) as it stands until the site is mended: nobody writes a node's or a pod's status. */
export function freezeKubelet(site: Site): void {
  const { pid } = partOf(site, 'kwok');
  process.kill(pid, 'SIGSTOP');
  site.mendWith(async () => void process.kill(pid, 'SIGCONT'));
}

/** Stops cert-manager's controller as it stands, with its pod Running: it hangs. */
export async function freezeCertManager(site: Site): Promise<void> {
  const pod = partOf(site, 'cert-manager-pod').pid;
  for (const end = Date.now() + deadline; ; await sleep(100)) {
    const pid = childOf(pod);
    if (pid !== undefined) {
      process.kill(pid, 'SIGSTOP');
      site.mendWith(async () => void process.kill(pid, 'SIGCONT'));
      return;
    }
    if (Date.now() > end) throw new Error('cert-manager’s controller does not run');
  }
}

function partOf({ stage }: Site, name: string): { pid: number } {
  const found = stage.rig.state.processes.find((one) => one.name === name);
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
