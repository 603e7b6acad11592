import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Case } from './case.js';
import { commit, repositoryIn, type Wishes } from './world.js';

const acme = 'Repository acme/platform; branch main.';
const withRemotes =
  (remotes: Wishes['remotes']): Case['make'] =>
  async (spot) => ({ root: await repositoryIn(spot, remotes === undefined ? {} : { remotes }) });
const corp = 'git.corp.example';

/** Where a repository is, and whose. */
export const places: readonly Case[] = [
  { name: 'plain', quick: true, make: withRemotes(undefined), says: [acme, 'call acme/mcprt@v1'] },
  {
    name: 'folder of a monorepo',
    quick: true,
    async make(spot) {
      const root = await repositoryIn(spot, { profile: 'infra/envs/prod.env' });
      await mkdir(join(root, 'infra', 'prod'));
      return { root, cwd: join(root, 'infra', 'prod'), args: ['--profile', '../envs/prod.env'] };
    },
    says: [acme, 'infra/envs/prod.env, for acme.dev'],
  },
  {
    name: 'profile from where somebody is',
    async make(spot) {
      const root = await repositoryIn(spot, { profile: 'infra/prod.env' });
      return { root, cwd: join(root, 'infra'), args: ['--in', root, '--profile', 'prod.env'] };
    },
    says: ['infra/prod.env, for acme.dev'],
  },
  {
    name: 'second platform',
    quick: true,
    async make(spot) {
      const root = await repositoryIn(spot, { profile: 'envs/production.env' });
      await spot.write(join(root, 'envs', 'staging.env'), 'export MCP_PLATFORM_DOMAIN=staging.acme.dev\n');
      await commit(spot, root);
      const before = { args: ['--profile', 'envs/production.env'], change: () => commit(spot, root) };
      return { root, args: ['--profile', 'envs/staging.env', '--prefix', 'staging'], before };
    },
    says: [acme, 'envs/staging.env, for staging.acme.dev', '### staging-backup (', '### staging ('],
    hides: ['### mcprt-', '### production', '--env mcprt-'],
  },
  {
    name: 'second platform without a prefix',
    quick: true,
    async make(spot) {
      const root = await repositoryIn(spot, { profile: 'envs/production.env' });
      await spot.write(join(root, 'envs', 'staging.env'), 'export MCP_PLATFORM_DOMAIN=staging.acme.dev\n');
      const keys = ['--keys', join(spot.folder, 'keys')];
      const before = { args: ['--profile', 'envs/production.env', ...keys], change: () => commit(spot, root) };
      return { root, args: ['--profile', 'envs/staging.env', ...keys], before };
    },
    refuses: 'init-prefix',
    says: ['a second platform takes --prefix NAME'],
  },
  {
    name: 'prefix that is none',
    async make(spot) {
      return { root: await repositoryIn(spot), args: ['--prefix', 'Staging EU'] };
    },
    refuses: 'init-prefix',
  },
  { name: 'ssh without .git', make: withRemotes({ origin: 'git@github.com:acme/platform' }), says: [acme] },
  {
    name: 'password in the address',
    make: withRemotes({ origin: 'https://me:s3cr3t-word@github.com/acme/platform.git/' }),
    says: [acme],
    hides: ['s3cr3t-word'],
  },
  {
    name: 'enterprise server by ssh with a port',
    quick: true,
    make: withRemotes({ origin: `ssh://git@${corp}:22/acme/platform` }),
    host: corp,
    says: [
      `Repository ${corp}/acme/platform;`,
      'is taken for a GitHub Enterprise Server',
      `push a copy of it to ${corp}`,
    ],
  },
  {
    name: 'several remotes',
    make: withRemotes({ upstream: 'https://github.com/mcp/runtime', origin: 'https://github.com/acme/platform' }),
    says: [acme, 'Other remotes: upstream (github.com/mcp/runtime)'],
  },
  {
    name: 'several remotes without origin',
    quick: true,
    make: withRemotes({ one: 'https://github.com/one/platform', two: 'https://github.com/two/platform' }),
    says: ['Repository **OWNER/NAME**', 'Name yours with --repository'],
  },
  { name: 'no remote', make: withRemotes({}), says: ['Repository **OWNER/NAME**'] },
  {
    name: 'repository by name',
    async make(spot) {
      const root = await repositoryIn(spot, { remotes: {} });
      return { root, args: ['--repository', `${corp}/acme/platform`] };
    },
    host: corp,
    says: [`Repository ${corp}/acme/platform;`],
  },
  {
    name: 'name of a repository that is none',
    async make(spot) {
      return { root: await repositoryIn(spot), args: ['--repository', 'https://github.com/acme/platform'] };
    },
    refuses: 'init-repository',
  },
  {
    name: 'host that only ssh knows',
    async make(spot) {
      const root = await repositoryIn(spot, { remotes: { origin: 'git@github.com-work:acme/platform.git' } });
      await spot.write(join(spot.folder, 'bin', 'ssh'), '#!/bin/sh\necho hostname github.com\n', 0o755);
      return { root, env: { FIRST_PATH: join(spot.folder, 'bin') } };
    },
    says: [acme],
  },
  {
    name: 'bare repository',
    quick: true,
    async make(spot) {
      const root = join(spot.folder, 'bare.git');
      await spot.git(spot.folder, 'init', '--quiet', '--bare', root);
      return { root };
    },
    refuses: 'init-no-repository',
    says: ['has no files checked out', 'git worktree add'],
  },
  {
    name: 'no such folder',
    async make(spot) {
      return { root: spot.folder, args: ['--in', join(spot.folder, 'nowhere')] };
    },
    refuses: 'init-no-repository',
  },
  {
    name: 'worktree',
    async make(spot) {
      const root = await repositoryIn(spot);
      const other = join(spot.folder, 'other');
      await spot.git(root, 'worktree', 'add', '--quiet', other, '-b', 'topic');
      return { root: other, args: ['--branch', 'main'] };
    },
    says: [acme],
  },
  {
    name: 'submodule',
    async make(spot) {
      const source = await repositoryIn(spot, { name: 'source' });
      const outer = await repositoryIn(spot, { name: 'outer', remotes: {} });
      await spot.git(outer, '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', source, 'inner');
      await commit(spot, outer);
      const root = join(outer, 'inner');
      await spot.git(root, 'remote', 'set-url', 'origin', 'https://github.com/acme/platform');
      return { root };
    },
    says: [acme, 'This is a submodule in'],
  },
  {
    name: 'fork of mcprt by another name',
    quick: true,
    async make(spot, { fork }) {
      return { root: await repositoryIn(spot), home: fork };
    },
    says: ['The workflows call me/our-mcprt@v1.2.3.'],
  },
  {
    name: 'mcprt of no release',
    quick: true,
    async make(spot, { untagged }) {
      return { root: await repositoryIn(spot), home: untagged };
    },
    refuses: 'init-uses',
    says: ['--uses acme/mcprt@'],
  },
  {
    name: 'mcprt by a flag',
    async make(spot, { untagged }) {
      const uses = 'acme/mcprt@0123456789abcdef0123456789abcdef01234567';
      return { root: await repositoryIn(spot), home: untagged, args: ['--uses', uses] };
    },
    says: ['call acme/mcprt@0123456789abcdef'],
  },
];
