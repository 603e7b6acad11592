import { execFile } from 'node:child_process';
import { access, constants, mkdtemp, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
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
 * Finds or builds the platform's command line.
 *
 * @throws McprtError `setup-source`, `setup-binary`, `setup-build`
 */
export async function findBinary(options: BinaryOptions): Promise<Binary> {
  const source = resolve(options.source);
  await requireSource(source);
  const commit = await commitOf(source);
  const path = options.binary === '' ? await build(source, options) : resolve(options.binary);
  await access(path, constants.X_OK).catch((cause: unknown) => {
    throw new McprtError('setup-binary', {
      what: `${path} cannot be executed`,
      why: messageOf(cause),
      next: 'give the path of the platform’s command line in `binary`, or leave it empty to build it from `source`',
      cause,
    });
  });
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

async function requireSource(source: string): Promise<void> {
  const isThere = await stat(join(source, 'cmd', 'mcp-runtime')).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (isThere) return;
  throw new McprtError('setup-source', {
    what: `${source} is not the platform’s source`,
    why: 'it has no folder cmd/mcp-runtime; the installer reads manifests and builds images from its source',
    next: 'check out the platform’s repository (in a job: in an earlier step), and give its folder in `source`',
  });
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
      next: 'install Go (in a job: in an earlier step, by actions/setup-go), or give a `binary`',
    });
  }
  return path;
}
