import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Ends and takes away what somebody has started and made in a folder and was killed before it could do so. A process is one of
 * these when its environment names a place below the folder: each part of a lab has its HOME there, and a compiler its cache.
 */
export async function takeAway(folder: string): Promise<void> {
  for (const pid of await processesOf(folder)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // it has ended meanwhile
    }
  }
  // What was ended may still have a file open.
  await rm(folder, { recursive: true, force: true, maxRetries: 10 });
}

async function processesOf(folder: string): Promise<number[]> {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(
    pids.map(async (pid) => {
      const environment = await readFile(join('/proc', String(pid), 'environ'), 'utf8').catch(() => '');
      const isOwn = environment.split('\0').some((one) => one.endsWith(`=${folder}`) || one.includes(`=${folder}/`));
      return pid !== process.pid && isOwn ? [pid] : [];
    }),
  );
  return found.flat();
}
