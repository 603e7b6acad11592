import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { McprtError, messageOf } from '../../shared/errors.js';
import { killPart, type LabState, startPart } from './lab.js';
import { buildOwnModule } from './own-module.js';
import { startProcess } from './processes.js';
import type { Progress } from './progress.js';
import { found } from './until.js';

const startSeconds = 15;

/** A running image registry: the Distribution project's own, without authentication, as its pod is inside the cluster. */
export interface Registry {
  url: string;
  /** Ends it as a crash would; its storage stays. */
  kill(): Promise<void>;
  start(): Promise<void>;
}

/** Starts the registry at the address that a lab keeps for it. @throws McprtError `lab-build`, `lab-start` */
export async function startRegistry(
  state: LabState,
  { env, progress }: { env: NodeJS.ProcessEnv; progress: Progress },
): Promise<Registry> {
  const program = await buildOwnModule('registry', { env, progress });
  const storage = join(state.folder, 'registry');
  await mkdir(storage, { recursive: true });
  const url = `http://${state.registry}`;
  const log = join(state.folder, 'registry.log');
  const isUp = (): Promise<boolean> =>
    fetch(`${url}/v2/`).then(
      ({ status }) => status === 200,
      () => false,
    );
  const untilUp = async (): Promise<void> => {
    if (await found(isUp, { seconds: startSeconds, every: 30 })) return;
    throw new McprtError('lab-start', {
      what: 'the registry did not come up',
      why: await readFile(log, 'utf8').catch(messageOf),
      next: 'try again; when it happens twice, the lines above say why',
    });
  };
  const args = [`--listen=${state.registry}`, `--root=${storage}`];
  const own = { log, env: { PATH: env.PATH, HOME: state.folder } };
  // A part of the lab like the others: it ends with it, whatever becomes of who started it.
  state.processes.push(await startProcess('registry', program, args, own));
  await untilUp();
  return {
    url,
    kill: () => killPart(state, 'registry'),
    async start() {
      await startPart(state, 'registry');
      await untilUp();
    },
  };
}
