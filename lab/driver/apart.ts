import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { messageOf } from '../../shared/errors.js';
import { keepState, type LabState } from './lab.js';
import type { ModuleOptions } from './module-program.js';
import { buildPlain } from './plain-program.js';
import { type LabProcess, startProcess } from './processes.js';

const run = promisify(execFile);

/** What runs in namespaces of its own, and what leads in and out (lab/apart). */
export interface Apart {
  /** Addresses of the machine that are reached by the same address inside. */
  inward?: readonly string[];
  /** Addresses inside that are reached by the same address from outside. */
  outward?: readonly string[];
  /** A network whose every address is the inside's own; and for each port there, the address of the machine that answers. */
  network?: string;
  behind?: Readonly<Record<string, string>>;
  /** Where an HTTP proxy to what is inside listens outside. */
  proxy?: string;
  /** Folders that programs write to by fixed names: they get others. */
  fixed?: readonly string[];
  /** Programs in their order; one with a socket is waited for. */
  programs: readonly { words: readonly string[]; socket?: string }[];
  /** Folders in which the programs find others, before those of PATH. */
  path?: readonly string[];
}

/** Why nothing can run apart here; undefined where it can. */
export async function whyNotApart(): Promise<string | undefined> {
  if (process.platform !== 'linux') return 'it needs Linux';
  if (process.getuid?.() !== 0) return 'only root may make namespaces';
  for (const [command, ...args] of [
    ['unshare', '--mount', '--pid', '--net', '--ipc', '--fork', 'true'],
    ['ip', '-V'],
  ]) {
    try {
      await run(command ?? '', args, { timeout: 10_000 });
    } catch (error) {
      return `${command} does not work here: ${messageOf(error)}`;
    }
  }
  return undefined;
}

/** Starts programs apart, as one part of a lab, which ends with it. @param folder for the sockets */
export async function startApart(
  state: LabState,
  name: string,
  folder: string,
  { path = [], ...wanted }: Apart,
  options: ModuleOptions,
): Promise<LabProcess> {
  const program = await buildPlain('apart', options);
  await mkdir(folder, { recursive: true });
  const layout = join(folder, 'apart.json');
  await writeFile(layout, JSON.stringify({ ...wanted, folder, path: [...path, options.env.PATH ?? ''].join(':') }));
  const log = join(state.folder, `${name}.log`);
  const own = { log, env: { PATH: options.env.PATH, HOME: folder } };
  const started = await startProcess(name, program, [`--layout=${layout}`], own);
  state.processes.push(started);
  await keepState(state);
  return started;
}
