import { execFile } from 'node:child_process';
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
