import { execFile } from 'node:child_process';
import { access, constants, mkdtemp, stat } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { McprtError, messageOf } from '../errors.js';
import { commitOf } from '../platform/source-commit.js';
import { type InstallerLog, runInstaller } from './installer.js';

const run = promisify(execFile);

/** The platform's command line, and where it comes from. */
export interface Binary {
  path: string;
  /** Root of the platform's source: the installer reads manifests and builds images from there. */
  source: string;
  /** Commit of the source, with `-dirty` when it was changed; empty outside of git. */
  commit: string;
  /** What `--version` says. */
  version: string;
}

export interface BinaryOptions {
  /** Path of a binary; built from the source when empty. */
  binary: string;
  source: string;
  /** Folder of the job for what is built. */
  folder: string;
  env: Record<string, string>;
  log: InstallerLog;
  signal: AbortSignal;
}

/**
 * What can be told of source and binary without running either: they are named in the inputs, and nothing of them may run
 * before the plan that holds them is the approved one.
 */
export async function binaryFaults({
  source,
  binary,
}: Pick<BinaryOptions, 'source' | 'binary'>): Promise<McprtError[]> {
  const found = await Promise.all([
    sourceFault(resolve(source)),
    binary === '' ? undefined : binaryFault(resolve(binary)),
  ]);
  return found.filter((fault) => fault !== undefined);
}

/** What keeps the command line from being built on this machine; undefined where nothing does, or it need not be built. */
export async function goFault({
  binary,
  env,
}: {
  binary: string;
  env: NodeJS.ProcessEnv;
}): Promise<McprtError | undefined> {
  if (binary !== '') return undefined;
  const folders = (env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  const found = await Promise.all(folders.map((folder) => isExecutable(join(folder, 'go'))));
  if (found.includes(true)) return undefined;
  return new McprtError('setup-build', {
    what: 'the platform’s command line cannot be built: Go is not installed here',
    why: 'there is no program go in PATH, and no `binary` is given',
    next: goAdvice,
  });
}

const goAdvice = 'install Go (in a job: actions/setup-go, in an earlier step), or give a `binary`';

/**
 * Finds or builds the platform's command line.
 *
 * @throws McprtError `setup-source`, `setup-binary`, `setup-build`
 */
export async function findBinary(options: BinaryOptions): Promise<Binary> {
  const source = resolve(options.source);
  const [fault] = await binaryFaults(options);
  if (fault !== undefined) throw fault;
  const commit = await commitOf(source);
  const path = options.binary === '' ? await build(source, options) : resolve(options.binary);
  const { stdout } = await run(path, ['--version'], { env: { ...options.env, NO_COLOR: '1' }, timeout: 30_000 }).catch(
    (cause: unknown) => {
      throw new McprtError('setup-binary', {
        what: `${path} does not say its version`,
        why: messageOf(cause),
        next: 'check that it is the platform’s command line, built for this machine’s processor',
        cause,
      });
    },
  );
  return { path, source, commit, version: stdout.trim().split('\n')[0] ?? '' };
}

async function sourceFault(source: string): Promise<McprtError | undefined> {
  const [isThere, isSource] = await Promise.all([isFolder(source), isFolder(join(source, 'cmd', 'mcp-runtime'))]);
  if (isSource) return undefined;
  return new McprtError('setup-source', {
    what: isThere ? `${source} is not the platform’s source` : `the platform’s source is not at ${source}`,
    why: `${isThere ? 'it has no folder cmd/mcp-runtime' : 'there is no such folder'}; the installer reads manifests and builds images from its source`,
    next: 'give the folder of the platform’s repository in `source`: a clone, or in a job what actions/checkout has put there in an earlier step',
  });
}

async function binaryFault(path: string): Promise<McprtError | undefined> {
  return access(path, constants.X_OK).then(
    () => undefined,
    (cause: unknown) =>
      new McprtError('setup-binary', {
        what: `${path} cannot be executed`,
        why: messageOf(cause),
        next: 'give the path of the platform’s command line in `binary`, or leave it empty to build it from `source`',
        cause,
      }),
  );
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

async function build(source: string, { folder, env, log, signal }: BinaryOptions): Promise<string> {
  const path = join(await mkdtemp(join(folder, 'mcprt-build-')), 'mcp-runtime');
  log.step('Build mcp-runtime');
  const args = ['build', '-o', path, './cmd/mcp-runtime'];
  const built = await runInstaller('go', { args, env, notices: [] }, { cwd: source, log, signal });
  if (built.failed) {
    throw new McprtError('setup-build', {
      what: 'the platform’s command line cannot be built',
      why: built.failed.message,
      next: goAdvice,
    });
  }
  return path;
}
