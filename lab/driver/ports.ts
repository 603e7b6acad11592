import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder, labsFolder } from './folders.js';
import { bound } from './processes.js';

/**
 * Ports of labs come from below the range that Linux gives to outgoing connections, in blocks: a port that was free a
 * moment ago may be another lab's, or some connection's, by the time that a server takes it.
 */
const range = { from: 20_000, to: 32_000, block: 20 };
/** A claim whose lab has no folder yet is young, or was left by a driver that was killed. In ms. */
const youth = 120_000;
const tries = 200;

/**
 * Takes ports for a lab, that no other lab of this machine has. They are its until `releasePorts`.
 *
 * @param count at most the size of a block
 * @returns the ports, and the file by which they are the lab's
 */
export async function claimPorts(
  lab: string,
  count: number,
  env: NodeJS.ProcessEnv,
): Promise<{ ports: number[]; file: string }> {
  const blocks = (range.to - range.from) / range.block;
  for (let attempt = 0; attempt < tries; attempt++) {
    const first = range.from + Math.floor(Math.random() * blocks) * range.block;
    if (!(await claim(first, lab, env))) continue;
    const ports = Array.from({ length: count }, (_, index) => first + index);
    const free = await Promise.all(ports.map(bound));
    if (free.every((port) => port !== undefined)) return { ports, file: claimFile(first, env) };
    await rm(claimFile(first, env), { force: true });
  }
  throw new Error(`no ${count} ports together are free from ${range.from} to ${range.to}`);
}

/** Gives a lab's ports back. @param file as `claimPorts` gave it */
export async function releasePorts(lab: string, file: string): Promise<void> {
  const owner = await readFile(file, 'utf8').catch(() => undefined);
  if (owner === lab) await rm(file, { force: true });
}

async function claim(first: number, lab: string, env: NodeJS.ProcessEnv): Promise<boolean> {
  const file = claimFile(first, env);
  await mkdir(join(cacheFolder(env), 'ports'), { recursive: true });
  try {
    await writeFile(file, lab, { flag: 'wx' });
    return true;
  } catch {
    if (await isLeft(file, env)) await rm(file, { force: true });
    return false;
  }
}

async function isLeft(file: string, env: NodeJS.ProcessEnv): Promise<boolean> {
  try {
    const [owner, { mtimeMs }] = await Promise.all([readFile(file, 'utf8'), stat(file)]);
    return !existsSync(join(labsFolder(env), owner)) && Date.now() - mtimeMs > youth;
  } catch {
    return false;
  }
}

function claimFile(first: number, env: NodeJS.ProcessEnv): string {
  return join(cacheFolder(env), 'ports', String(first));
}
