import { spawn } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { withoutMasks } from '../lab/driver/action.js';
import { packFolder } from '../lab/driver/archive.js';
import { root } from '../lab/driver/folders.js';
import { listenOnLoopback } from '../lab/driver/loopback.js';
import { goOf } from '../lab/driver/pack.js';
import { archiveName, digestOf, ownMachine, readDigests } from '../lab/driver/prebuilt.js';
import { sourcesHash } from '../lab/driver/program.js';
import { parseFileCommands } from '../shared/action/file-commands.js';
import { round1, secondsSince } from './support/figures.js';
import type { Proof, ProofContext } from './support/proof.js';
import { mustWork } from './support/runs.js';
import { inWorld } from './world/world.js';

/** What starts on a machine that has nothing yet. */
type Start = (given: NodeJS.ProcessEnv, folder: string) => Promise<number>;

/**
 * The drill and the demo on a machine that has nothing of the lab: with the one that is released, which needs no Go; and in full the
 * drill with one that is compiled, as both did before there was a released one.
 */
export const coldStart: Proof = {
  name: 'cold-start',
  claim:
    'drill and demo on a machine that has nothing: with the released lab, whose digest these sources give and for which no Go is needed; in full the drill also with a compiled one',
  async run(context) {
    const { directory, restoreKey, lab } = await inWorld(context, [], async (world) => {
      await world.install();
      mustWork('the backup', await world.backup('backup'));
      return { directory: world.backups, restoreKey: world.keys.restore, lab: world.state.program.lab };
    });
    const served = await packReleased(context, dirname(lab));
    if (served === undefined) return { released: 'not compared: another Go has built the lab here' };
    const server = createServer(({ url }, answer) => {
      if (url === `/${served.name}`) answer.end(served.archive);
      else answer.writeHead(404).end();
    });
    const { port, close } = await listenOnLoopback(server);
    const starts: [string, Start][] = [
      ['drill', (given, folder) => drill(context, { given, folder, directory, restoreKey })],
      ['demo', (given, folder) => demo(context, { given, folder })],
    ];
    const seconds: Record<string, number> = {};
    const timed = async (name: string, start: Start, given: NodeJS.ProcessEnv): Promise<void> => {
      const folder = join(context.folder, name.replace(/\W+/g, '-'));
      await mkdir(join(folder, 'temp'), { recursive: true });
      seconds[name] = round1(await start(given, folder));
      context.progress(`  ${name}: ${seconds[name]} s`);
    };
    try {
      for (const [name, start] of starts) {
        await timed(`${name}, released`, start, { MCPRT_LAB_URL: `http://127.0.0.1:${port}`, PATH: '/nowhere' });
        // The demo would compile the same. Nothing listens on port 1, so that the release is not to be had.
        if (context.small || name === 'demo') continue;
        const { PATH, GOPROXY } = process.env;
        const given = { MCPRT_LAB_URL: 'http://127.0.0.1:1', PATH, ...(GOPROXY && { GOPROXY }) };
        await timed(`${name}, compiled`, start, given);
      }
    } finally {
      await close();
    }
    return { seconds, megabytes: round1(served.archive.length / 1e6) };
  },
};

/** The archive of a release, from the programs that this machine has built; none where it has another Go. @param folder with them */
async function packReleased(
  context: ProofContext,
  folder: string,
): Promise<{ name: string; archive: Buffer } | undefined> {
  const [sources, known] = await Promise.all([sourcesHash(), readDigests()]);
  const go = await goOf(join(folder, 'lab'), process.env);
  if (go !== known.go) {
    context.progress(`  Go ${go} has built the lab here, and a release is built by ${known.go}`);
    return undefined;
  }
  const tar = join(context.folder, 'lab.tar');
  await packFolder(folder, tar);
  context.expectSame('sources of lab/prebuilt.json', known.sources, sources);
  context.expectSame('digest in lab/prebuilt.json', known.archives[ownMachine], await digestOf(tar));
  const archive = await promisify(gzip)(await readFile(tar), { level: 1 });
  return { name: archiveName(sources, ownMachine), archive };
}

/** The action of a job on a runner that has nothing but what the runner brings. @returns seconds from its start to its verdict */
async function drill(
  context: ProofContext,
  {
    given,
    folder,
    directory,
    restoreKey,
  }: { given: NodeJS.ProcessEnv; folder: string; directory: string; restoreKey: string },
): Promise<number> {
  const files = { GITHUB_OUTPUT: 'output', GITHUB_STEP_SUMMARY: 'summary', GITHUB_STATE: 'state' };
  const paths = Object.fromEntries(Object.entries(files).map(([name, file]) => [name, join(folder, file)]));
  await Promise.all(Object.values(paths).map((path) => writeFile(path, '')));
  const env = {
    ...given,
    ...paths,
    HOME: folder,
    TMPDIR: join(folder, 'temp'),
    RUNNER_TEMP: join(folder, 'temp'),
    GITHUB_ACTIONS: 'true',
    GITHUB_REPOSITORY: 'acme/platform',
    GITHUB_REPOSITORY_ID: '42',
  };
  const inputs = { INPUT_DIRECTORY: directory, 'INPUT_RESTORE-KEY': restoreKey, 'INPUT_MAX-AGE': '14d' };
  const started = performance.now();
  const main = await runNode('dist/drill-action.js', { ...env, ...inputs, INPUT_GENERATION: '' });
  const seconds = secondsSince(started);
  const outputs = parseFileCommands(await readFile(join(folder, 'output'), 'utf8'));
  context.expect(
    main.code === 0 && outputs.orders === '0',
    `the drill ended with ${main.code}:\n${main.told.slice(-2000)}`,
  );
  context.expect(!withoutMasks(main.told).includes(restoreKey.trim()), 'the drill has told its key');
  // Also where it was compiled, in other folders and from modules that were downloaded for it.
  const tar = join(folder, 'lab.tar');
  const isOfDrill = (name: string): boolean => name.startsWith('mcprt-drill-');
  const before = await readdir(env.RUNNER_TEMP);
  await packFolder(join(env.RUNNER_TEMP, before.find(isOfDrill) ?? '', 'mcprt', 'lab', await sourcesHash()), tar);
  const { archives } = await readDigests();
  context.expectSame(`digest of the lab of ${folder}`, await digestOf(tar), archives[ownMachine]);
  const state = parseFileCommands(await readFile(join(folder, 'state'), 'utf8'));
  const post = await runNode('dist/drill-post.js', { ...env, STATE_folder: state.folder });
  const after = await readdir(env.RUNNER_TEMP);
  context.expectSame('exit of the post step', post.code, 0);
  context.expect(before.some(isOfDrill) && !after.some(isOfDrill), `the post step has left ${after.join()}`);
  return seconds;
}

async function demo(
  context: ProofContext,
  { given, folder }: { given: NodeJS.ProcessEnv; folder: string },
): Promise<number> {
  const started = performance.now();
  const env = { ...given, HOME: folder, XDG_CACHE_HOME: join(folder, 'cache'), TMPDIR: join(folder, 'temp') };
  const { code, told } = await runNode('build/proofs/demo.js', env);
  const seconds = secondsSince(started);
  context.expect(code === 0, `the demo ended with ${code}:\n${told.slice(-2000)}`);
  return seconds;
}

/** Runs a program of this repository with this Node. */
async function runNode(program: string, env: NodeJS.ProcessEnv): Promise<{ code: number | null; told: string }> {
  const child = spawn(process.execPath, [join(root, program)], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let told = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (told += text));
  const code = await new Promise<number | null>((resolve, reject) =>
    child.once('error', reject).once('close', resolve),
  );
  return { code, told };
}
