import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { McprtError, messageOf } from '../../shared/errors.js';
import { builtOnce } from './built-once.js';
import { cacheFolder, root } from './folders.js';
import { killPart, type LabState, startPart } from './lab.js';
import { startProcess } from './processes.js';
import type { Progress } from './progress.js';
import { found } from './until.js';

const run = promisify(execFile);
const source = join(root, 'lab', 'registry');
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
  const program = await buildRegistry(env, progress);
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

/** Builds the registry, or finds the build of the same sources in the cache folder. */
async function buildRegistry(env: NodeJS.ProcessEnv, progress: Progress): Promise<string> {
  const hash = createHash('sha256');
  for (const name of ['go.mod', 'go.sum', 'main.go']) hash.update(await readFile(join(source, name)));
  const home = join(cacheFolder(env), 'registry', hash.digest('hex').slice(0, 16));
  await builtOnce(home, async (_, done) => {
    progress('building the registry from Go modules: once, about a minute, then cached');
    const args = ['build', '-trimpath', '-buildvcs=false', '-ldflags', '-s -w', '-o', join(done, 'registry'), '.'];
    await run('go', args, { cwd: source, env }).catch((cause: unknown) => {
      throw new McprtError('lab-build', {
        what: 'the registry does not build',
        why: messageOf(cause),
        next: 'check that the Go module proxy can be reached, and try `go build .` in lab/registry',
        cause,
      });
    });
  });
  return join(home, 'registry');
}
