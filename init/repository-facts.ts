import { execFile } from 'node:child_process';
import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { connectWithKubeconfig } from '../shared/cluster/connect.js';
import { kinds } from '../shared/cluster/objects.js';
import { McprtError, messageOf } from '../shared/errors.js';
import { DEFAULT_PATH, loadProfile, type Profile } from '../shared/profile/profile.js';
import { secretValues } from '../shared/profile/values.js';

const run = promisify(execFile);
const observeWithin = 20_000;

/** What a repository is, as far as it decides which workflows it gets. */
export interface Facts {
  /** Root of the repository: GitHub reads workflows there, and nowhere else. */
  root: string;
  /** `OWNER/NAME`; empty where git knows no remote on GitHub. */
  repository: string;
  branch: string;
  profile: ProfileFacts | undefined;
  /** Whether the platform's source is here, which setup and rollouts are made from. */
  hasPlatform: boolean;
  /** Whether an MCP server is here, which previews are made of. */
  hasServer: boolean;
  cluster: { fingerprint: string } | { why: string };
  /** Path of the kubeconfig that KUBECONFIG or the profile names; empty where neither does. */
  kubeconfig: string;
  /** Workflows that are there already, by file name. */
  present: ReadonlyMap<string, string>;
  /** Who must review a change of a workflow, as CODEOWNERS says; empty when nobody must. */
  owners: string;
}

export interface ProfileFacts {
  /** From the root of the repository. */
  path: string;
  domain: string;
  /** Whether git has it: a job sees nothing else. */
  isTracked: boolean;
  hasSecrets: boolean;
}

/**
 * Looks at a repository, and at the cluster if one can be reached. Nothing is changed, and nothing is asked.
 *
 * @throws McprtError `init-no-repository`, `init-profiles`
 */
export async function observeRepository(folder: string, env: NodeJS.ProcessEnv, wantedProfile: string): Promise<Facts> {
  const git = async (...args: string[]): Promise<string> =>
    (await run('git', args, { cwd: folder, timeout: observeWithin }).catch(() => ({ stdout: '' }))).stdout.trim();
  const root = await git('rev-parse', '--show-toplevel');
  if (root === '') {
    throw new McprtError('init-no-repository', {
      what: `${folder} is not a git repository`,
      why: 'git does not know it, or git is not installed',
      next: 'run this in the repository that the workflows are for, or name it with --in',
    });
  }
  const below = relative(root, await realpath(folder));
  const [remote, head, current, profile, hasPlatform, hasServer, present, owners] = await Promise.all([
    git('remote', 'get-url', 'origin'),
    git('symbolic-ref', '--short', 'refs/remotes/origin/HEAD'),
    git('symbolic-ref', '--short', 'HEAD'),
    profileAt(folder, below, env, wantedProfile, git),
    // What is built is built from the root.
    isThere(join(root, 'cmd', 'mcp-runtime')),
    isThere(join(root, '.mcp', 'servers.yaml')),
    workflowsAt(root),
    ownersOfWorkflows(root),
  ]);
  const kubeconfig = env.KUBECONFIG || profile?.kubeconfig || '';
  return {
    root,
    repository: repositoryOf(remote),
    branch: head.replace(/^origin\//, '') || current || 'main',
    profile: profile?.facts,
    hasPlatform,
    hasServer,
    cluster: await clusterOf(kubeconfig),
    kubeconfig,
    present,
    owners,
  };
}

/** `OWNER/NAME` of a remote's address, as https or ssh; empty for another host than github.com. */
export function repositoryOf(remote: string): string {
  return (
    /^(?:https:\/\/(?:[^@/]+@)?github\.com\/|(?:ssh:\/\/)?git@github\.com[:/])([^/]+\/[^/]+?)(?:\.git)?\/?$/.exec(
      remote,
    )?.[1] ?? ''
  );
}

/** @param below where the folder is in the repository; empty for its root */
async function profileAt(
  folder: string,
  below: string,
  env: NodeJS.ProcessEnv,
  wanted: string,
  git: (...args: string[]) => Promise<string>,
): Promise<{ facts: ProfileFacts; kubeconfig: string | undefined } | undefined> {
  const path = wanted || (await onlyProfile(folder));
  if (path === '') return undefined;
  const profile: Profile = await loadProfile({
    path: join(folder, path),
    environment: env,
    readText: (file) => readFile(file, 'utf8').catch(() => undefined),
    stage: 'backup',
  });
  const isTracked = (await git('ls-files', '--', path)) !== '';
  const hasSecrets = secretValues(profile.values).length > 0;
  const { domain = '', kubeconfig } = profile;
  return { facts: { path: join(below, path), domain, isTracked, hasSecrets }, kubeconfig };
}

async function onlyProfile(folder: string): Promise<string> {
  const names = (await readdir(join(folder, 'config', 'deployments')).catch((): string[] => [])).filter((name) =>
    name.endsWith('.env'),
  );
  const paths = names.map((name) => `config/deployments/${name}`);
  if (paths.includes(DEFAULT_PATH)) return DEFAULT_PATH;
  if (paths.length > 1) {
    throw new McprtError('init-profiles', {
      what: `there are ${paths.length} deployment profiles`,
      why: `${paths.join(', ')}, and none of them is ${DEFAULT_PATH}`,
      next: 'name the one that is deployed with --profile',
    });
  }
  return paths[0] ?? '';
}

async function clusterOf(kubeconfig: string): Promise<Facts['cluster']> {
  if (kubeconfig === '') return { why: 'neither KUBECONFIG nor the profile names a kubeconfig' };
  try {
    const { cluster } = await connectWithKubeconfig(kubeconfig);
    try {
      const found = await cluster.get(kinds.namespace, { name: 'kube-system' });
      return { fingerprint: found?.metadata.uid ?? '' };
    } finally {
      await cluster.close();
    }
  } catch (error) {
    return { why: messageOf(error) };
  }
}

async function workflowsAt(folder: string): Promise<ReadonlyMap<string, string>> {
  const home = join(folder, '.github', 'workflows');
  const names = await readdir(home).catch((): string[] => []);
  const texts = await Promise.all(names.map(async (name) => [name, await readFile(join(home, name), 'utf8')] as const));
  return new Map(texts);
}

/** The one that GitHub goes by is the first of these. */
const ownerFiles = [join('.github', 'CODEOWNERS'), 'CODEOWNERS', join('docs', 'CODEOWNERS')];

async function ownersOfWorkflows(root: string): Promise<string> {
  for (const file of ownerFiles) {
    const text = await readFile(join(root, file), 'utf8').catch(() => undefined);
    if (text !== undefined) return ownersIn(text, '.github/workflows/mcprt-deploy.yml');
  }
  return '';
}

/** Who owns a file by a CODEOWNERS text, where the last pattern that fits counts; empty for nobody. */
export function ownersIn(text: string, file: string): string {
  return text
    .split('\n')
    .map((line) => line.replace(/(?:^|\s)#.*$/, '').trim())
    .filter((line) => line !== '')
    .reduce((owners, line) => {
      const [pattern = '', ...named] = line.split(/\s+/);
      return formOf(pattern).test(file) ? named.join(' ') : owners;
    }, '');
}

/** A pattern of .gitignore's, as far as CODEOWNERS knows them. */
function formOf(pattern: string): RegExp {
  const isAnchored = pattern.replace(/\/$/, '').includes('/');
  const body = pattern
    .replace(/^\//, '')
    .split(/(\*\*\/|\*\*|\*|\?)/)
    .map((part) => {
      if (part === '**/') return '(?:.*/)?';
      if (part === '**') return '.*';
      if (part === '*') return '[^/]*';
      return part === '?' ? '[^/]' : part.replace(/[.+^${}()|[\]\\]/g, '\\$&');
    })
    .join('');
  // A folder's name is one of all that is in it; `folder/*` is one of what is right in it.
  const end = pattern.endsWith('/') ? '' : pattern.endsWith('/*') ? '$' : '(?:/|$)';
  return new RegExp(`^${isAnchored ? '' : '(?:.*/)?'}${body}${end}`);
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
