import { access, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseFileCommands } from '../shared/action/file-commands.js';
import { remember } from '../shared/action/mask.js';
import { usualKubeconfig } from '../shared/cluster/usual-kubeconfig.js';
import { McprtError, messageOf } from '../shared/errors.js';
import { withPages } from '../shared/pages.js';
import { type Action, actionsFrom } from './actions.js';
import { type Asked, readArguments } from './arguments.js';
import { completion } from './completion.js';
import { actionHelp, commandHelp } from './help.js';
import { inputsFor } from './inputs.js';
import { lineFor } from './log-lines.js';
import { type Output, outputOf } from './output.js';
import { readText } from './reading.js';
import { asOptions } from './remedies.js';
import { runStep, type StepEnd } from './run-step.js';
import { requireStores } from './stores.js';
import { newRun, stepFiles, surroundings } from './surroundings.js';
import { rendered } from './terminal.js';

/** What the bundle knows of the release that it is of. */
export interface Release {
  version: string;
  /** Folder of its entries. */
  dist: string;
  /** What is in each action.yml, by the action's name. */
  actions: Readonly<Record<string, unknown>>;
}

/** Exit codes of what is no operation. */
const codes = { failed: 1, wrongUse: 2 } as const;
/** What a shell adds to the number of a signal. */
const signalled = 128;

/** The command: the actions without a runner. */
export async function mcprtCommand(args: readonly string[], release: Release): Promise<void> {
  const [out, err] = [outputOf(process.stdout), outputOf(process.stderr)];
  const actions = actionsFrom(release.actions);
  try {
    const asked = readArguments(args, actions);
    if (asked.kind === 'run') process.exitCode = await run(asked, { actions, release, out, err });
    else out.document(answer(asked, actions, release.version, out.width));
  } catch (error) {
    if (!(error instanceof McprtError)) throw error;
    err.write(
      `${err.paint('red', `error (${error.code}): ${error.message}`)}\n  why: ${error.why}\n  next: ${error.next}\n`,
    );
    process.exitCode = codes.wrongUse;
  }
}

function answer(
  asked: Exclude<Asked, { kind: 'run' }>,
  actions: readonly Action[],
  version: string,
  width: number,
): string {
  switch (asked.kind) {
    case 'version':
      return `mcprt ${version}\n`;
    case 'completion':
      return completion(asked.shell, actions);
    case 'help':
      return asked.action === undefined
        ? commandHelp(actions, Math.min(width, 120))
        : actionHelp(asked.action, asked.operation, Math.min(width, 120));
  }
}

interface Surroundings {
  actions: readonly Action[];
  release: Release;
  out: Output;
  err: Output;
}

type Wanted = Extract<Asked, { kind: 'run' }>;

/** Runs an action and its post step, and prints what it says. @returns the exit code */
async function run(
  { action, operation, given, own }: Wanted,
  { actions, release, out, err }: Surroundings,
): Promise<number> {
  const { env } = process;
  const run = newRun(new Date(), process.pid);
  const read = (path: string): Promise<string> => readText(path, process.stdin);
  const inputs = await inputsFor(action, operation, given, { env, read, remember });
  requireStores(inputs, own, env);
  const folder = await makeFolder(tmpdir());
  const cancelling = listenForSignals(err);
  try {
    await mkdir(join(folder, 'temp'), { mode: 0o700 });
    const files = Object.values(stepFiles).map((file) => join(folder, file));
    await Promise.all(files.map((file) => writeFile(file, '', { mode: 0o600 })));
    const KUBECONFIG = await usualKubeconfig(env, exists);
    const surrounding = surroundings({ ...env, KUBECONFIG }, actions, action, { own, inputs, folder, run });
    const home = resolve(release.dist, '..');
    const onLine = (line: string): void => print(line, { err, debug: own.debug, action, actions, home });
    const reword = (told: string): string => withPages(asOptions(told, { action, actions }), home);
    const step = (entry: string, more: NodeJS.ProcessEnv): Promise<StepEnd> =>
      runStep({
        program: join(release.dist, 'step.js'),
        entry: join(release.dist, `${entry}.js`),
        env: { ...surrounding, ...more },
        onLine,
        signal: cancelling.next(),
      });
    const text = (file: keyof typeof stepFiles): Promise<string> => readFile(join(folder, stepFiles[file]), 'utf8');
    const ends = [await step(action.name, {})];
    if (action.hasPost) {
      const state = Object.entries(parseFileCommands(await text('GITHUB_STATE')));
      ends.push(
        await step(`${action.name}-post`, Object.fromEntries(state.map(([name, value]) => [`STATE_${name}`, value]))),
      );
    }
    const { result } = parseFileCommands(await text('GITHUB_OUTPUT'));
    // Without a result there is nothing to sum up: what ended it has been told.
    if (result !== undefined) {
      const shown = own.json ? err : out;
      shown.write(rendered(await text('GITHUB_STEP_SUMMARY'), { ...shown, reword }));
      if (own.json) out.document(`${result}\n`);
    }
    return exitCode(ends, cancelling.received(), err);
  } finally {
    cancelling.end();
    await rm(folder, { recursive: true, force: true });
  }
}

function exitCode(ends: readonly StepEnd[], received: NodeJS.Signals | undefined, err: Output): number {
  if (received !== undefined) return signalled + constants.signals[received];
  for (const { signal } of ends) if (signal !== null) err.write(`the action was ended by ${signal}\n`);
  return ends.every(({ code }) => code === 0) ? 0 : codes.failed;
}

function print(
  printed: string,
  {
    err,
    debug,
    home,
    ...wording
  }: { err: Output; debug: boolean; home: string; action: Action; actions: readonly Action[] },
): void {
  const line = lineFor(printed, wording, home);
  if (line === undefined || (line.kind === 'debug' && !debug)) return;
  if (line.kind === 'secret') {
    remember(line.text);
    return;
  }
  const styles = {
    debug: 'dim',
    title: 'bold',
    error: 'red',
    warning: 'yellow',
    plain: undefined,
    notice: undefined,
  } as const;
  const style = styles[line.kind];
  err.write(`${style === undefined ? line.text : err.paint(style, line.text)}\n`);
}

/** Each step is asked once to end, however often somebody asks. */
function listenForSignals(err: Output): { next(): AbortSignal; received(): NodeJS.Signals | undefined; end(): void } {
  let [current, isTaken] = [new AbortController(), false];
  let received: NodeJS.Signals | undefined;
  const hear = (signal: NodeJS.Signals): void => {
    err.write(received === undefined ? 'ending: what was begun is finished first\n' : 'still ending\n');
    received ??= signal;
    current.abort();
  };
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const name of names) process.on(name, hear);
  return {
    next() {
      // What was asked before the first step is for that one.
      if (isTaken) current = new AbortController();
      isTaken = true;
      return current.signal;
    },
    received: () => received,
    end() {
      for (const name of names) process.removeListener(name, hear);
    },
  };
}

/** A folder for the files of the steps, which nobody else may read. */
async function makeFolder(parent: string): Promise<string> {
  return mkdtemp(join(parent, 'mcprt-')).catch((cause: unknown) => {
    throw new McprtError('command-folder', {
      what: `no folder for temporary files can be made in ${parent}`,
      why: messageOf(cause),
      next: 'name one where you may write in the variable TMPDIR',
    });
  });
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
