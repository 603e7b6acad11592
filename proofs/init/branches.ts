import { join } from 'node:path';
import type { Case } from './case.js';
import { repositoryIn } from './world.js';

/** Which branch the workflows are for. */
export const branches: readonly Case[] = [
  {
    name: 'stale origin/HEAD, and GitHub answers',
    quick: true,
    async make(spot) {
      const root = await repositoryIn(spot, { branch: 'topic' });
      await spot.git(root, 'update-ref', 'refs/remotes/origin/old', 'HEAD');
      await spot.git(root, 'symbolic-ref', 'refs/remotes/origin/HEAD', 'refs/remotes/origin/old');
      return { root, env: { DEFAULT_BRANCH: 'trunk' } };
    },
    says: ['branch trunk.', 'git remembers old as the default branch, and it is trunk'],
  },
  {
    name: 'no origin/HEAD, and the remote answers',
    async make(spot) {
      const root = await repositoryIn(spot, { branch: 'topic', remotes: { origin: 'git@github.com:acme/platform' } });
      await spot.git(spot.folder, 'clone', '--quiet', '--bare', root, 'remote.git');
      await spot.git(join(spot.folder, 'remote.git'), 'branch', '-m', 'topic', 'trunk');
      const ssh = join(spot.folder, 'answer');
      await spot.write(ssh, `#!/bin/sh\nexec git-upload-pack '${join(spot.folder, 'remote.git')}'\n`, 0o755);
      return { root, env: { GIT_SSH_COMMAND: ssh } };
    },
    says: ['branch trunk.'],
  },
  {
    name: 'origin/HEAD of a branch that is gone',
    async make(spot) {
      const root = await repositoryIn(spot, { branch: 'topic' });
      await spot.git(root, 'symbolic-ref', 'refs/remotes/origin/HEAD', 'refs/remotes/origin/gone');
      return { root };
    },
    says: ['branch topic.', 'nor the remote told the default branch: topic is the present one'],
  },
  {
    name: 'branch by a flag, with characters of patterns',
    quick: true,
    async make(spot) {
      return { root: await repositoryIn(spot), args: ['--branch', "release/1+x'ü"] };
    },
    says: ["branch release/1+x'ü."],
  },
  {
    name: 'no commit yet',
    quick: true,
    async make(spot) {
      return { root: await repositoryIn(spot, { isUnborn: true, branch: 'trunk' }) };
    },
    says: ['branch trunk.', 'add --force --'],
  },
  {
    name: 'detached HEAD',
    async make(spot) {
      const root = await repositoryIn(spot, { branch: 'topic' });
      await spot.git(root, 'checkout', '--quiet', '--detach');
      return { root };
    },
    says: ['branch main.', 'main is a guess'],
  },
];
