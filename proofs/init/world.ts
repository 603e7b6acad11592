import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { root } from '../../lab/driver/folders.js';

const run = promisify(execFile);

/** A folder of its own for one odd repository. */
export interface Spot {
  folder: string;
  git(folder: string, ...args: string[]): Promise<string>;
  write(path: string, text: string, mode?: number): Promise<void>;
}

/** No configuration of whoever runs this, and nobody is called over a network. */
export const gitEnv = {
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_ALLOW_PROTOCOL: 'file:ssh',
  GIT_SSH_COMMAND: 'false',
  GIT_AUTHOR_NAME: 'a',
  GIT_AUTHOR_EMAIL: 'a@example.com',
  GIT_COMMITTER_NAME: 'a',
  GIT_COMMITTER_EMAIL: 'a@example.com',
};

export function spotAt(folder: string): Spot {
  return {
    folder,
    git: async (at, ...args) => {
      const { stdout } = await run('git', args, { cwd: at, env: { ...process.env, ...gitEnv } });
      return stdout.trim();
    },
    async write(path, text, mode) {
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, text, mode === undefined ? {} : { mode });
    },
  };
}

export interface Wishes {
  name?: string;
  /** By name; none when it is empty. */
  remotes?: Readonly<Record<string, string>>;
  branch?: string;
  /** Path of the profile. */
  profile?: string;
  text?: string;
  isUnborn?: boolean;
}

/** A repository with the platform's source and a profile. @returns its root */
export async function repositoryIn(spot: Spot, wishes: Wishes = {}): Promise<string> {
  const { name = 'platform', branch = 'main', profile = 'config/deployments/mcpruntime-org.env' } = wishes;
  const { remotes = { origin: 'https://github.com/acme/platform.git' } } = wishes;
  const folder = join(spot.folder, name);
  await mkdir(join(folder, 'cmd', 'mcp-runtime'), { recursive: true });
  await spot.git(folder, 'init', '--quiet', `--initial-branch=${branch}`);
  for (const [remote, address] of Object.entries(remotes)) await spot.git(folder, 'remote', 'add', remote, address);
  await spot.write(join(folder, profile), wishes.text ?? 'export MCP_PLATFORM_DOMAIN=acme.dev\n');
  await spot.write(join(folder, 'cmd', 'mcp-runtime', 'main.go'), 'package main\n');
  if (!wishes.isUnborn) await commit(spot, folder);
  return folder;
}

export async function commit(spot: Spot, folder: string): Promise<void> {
  await spot.git(folder, 'add', '--all');
  await spot.git(folder, 'commit', '--quiet', '-m', 'All of it');
}

/** A clone of mcprt as its users have one: what it ships, an origin and tags. @returns its root */
export async function cloneOfMcprt(spot: Spot, origin: string, tags: readonly string[]): Promise<string> {
  const home = join(spot.folder, 'mcprt');
  for (const part of ['dist', 'examples', join('.github', 'workflows')])
    await cp(join(root, part), join(home, part), { recursive: true });
  await spot.git(home, 'init', '--quiet', '--initial-branch=main');
  await spot.git(home, 'remote', 'add', 'origin', origin);
  await spot.git(home, 'add', 'examples');
  await spot.git(home, 'commit', '--quiet', '-m', 'A release');
  for (const tag of tags) await spot.git(home, 'tag', tag);
  return home;
}

export const textOf = (...parts: string[]): Promise<string> => readFile(join(...parts), 'utf8');
