import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The commit of a checkout, with `-dirty` when tracked files were changed; empty outside of git. */
export async function commitOf(source: string): Promise<string> {
  try {
    const [{ stdout: commit }, { stdout: changes }] = await Promise.all([
      run('git', ['rev-parse', 'HEAD'], { cwd: source }),
      run('git', ['status', '--porcelain', '--untracked-files=no'], { cwd: source }),
    ]);
    return `${commit.trim()}${changes.trim() === '' ? '' : '-dirty'}`;
  } catch {
    // no checkout, or no git: the version is recorded as unknown
    return '';
  }
}

/** Of all changes of a checkout, in bytes. */
const largestChanges = 256 * 1024 * 1024;

/**
 * SHA-256 of what was changed in the tracked files of a checkout since its commit, in hex; empty where nothing was.
 *
 * @param commit as `commitOf` gives it
 * @throws Error where git cannot tell
 */
export async function changesOf(source: string, commit: string): Promise<string> {
  if (!commit.endsWith('-dirty')) return '';
  const options = { cwd: source, encoding: 'buffer', maxBuffer: largestChanges } as const;
  const { stdout } = await run('git', ['diff', '--no-ext-diff', '--no-textconv', '--binary', 'HEAD'], options);
  return createHash('sha256').update(stdout).digest('hex');
}
