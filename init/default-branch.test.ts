import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { branchIn, defaultBranch } from './default-branch.js';
import { gitIn } from './git.js';

// No gh answers here: GitHub is asked in the proof `init`.
const env = { PATH: '' };
let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mcprt-branch-'));
});
afterEach(() => rm(folder, { recursive: true }));

const git = (where: string, ...args: string[]): void =>
  void execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.com', ...args], {
    cwd: join(folder, where),
    stdio: 'pipe',
  });

/** A repository whose default branch is `trunk`, and a clone of it. */
function cloned(): void {
  git('.', 'init', '-q', '-b', 'trunk', 'upstream');
  git('upstream', 'commit', '-q', '--allow-empty', '-m', 'first');
  git('.', 'clone', '-q', 'upstream', 'clone');
}

const found = (given = '', remote: string | undefined = 'origin') => {
  const place = { host: 'github.com', repository: '', remote, notes: [] };
  const where = join(folder, 'clone');
  return defaultBranch(gitIn(where), { folder: where, given, place, env });
};

describe('the default branch', () => {
  it('is the one that is given', async () => {
    cloned();
    expect(await found('release')).toEqual({ branch: 'release', notes: [] });
  });

  it('is what the remote says, and what git remembers is told where it is another', async () => {
    cloned();
    expect(await found()).toEqual({ branch: 'trunk', notes: [] });
    git('upstream', 'branch', '-m', 'main');
    const { branch, notes } = await found();
    expect([branch, notes]).toEqual(['main', [expect.stringContaining('git remote set-head origin --auto')]]);
  });

  it('is what git remembers where nobody answers, unless that was deleted', async () => {
    cloned();
    git('clone', 'remote', 'set-url', 'origin', join(folder, 'gone'));
    expect(await found()).toEqual({ branch: 'trunk', notes: [expect.stringContaining('--branch names another')] });
    git('clone', 'update-ref', '-d', 'refs/remotes/origin/trunk');
    git('clone', 'checkout', '-q', '-b', 'work');
    expect(await found()).toEqual({ branch: 'work', notes: [expect.stringContaining('work is the present one')] });
  });

  it('is a guess without a remote and without a branch', async () => {
    cloned();
    git('clone', 'checkout', '-q', '--detach');
    git('clone', 'remote', 'remove', 'origin');
    const told = await found('', undefined);
    expect(told).toEqual({ branch: 'main', notes: [expect.stringContaining('main is a guess')] });
  });
});

it.each([
  ['ref: refs/heads/main\tHEAD\n0123\tHEAD\n', 'main'],
  ['ref: refs/heads/feature/x\tHEAD\n', 'feature/x'],
  ['0123\tHEAD\n', ''],
  ['', ''],
])('of %j it reads %j', (said, branch) => {
  expect(branchIn(said)).toBe(branch);
});
