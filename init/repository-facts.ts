import { realpath, stat } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';
import { connectWithKubeconfig } from '../shared/cluster/connect.js';
import { kinds } from '../shared/cluster/objects.js';
import { usualKubeconfig } from '../shared/cluster/usual-kubeconfig.js';
import { McprtError, messageOf } from '../shared/errors.js';
import { ownersOfWorkflows } from './code-owners.js';
import { defaultBranch } from './default-branch.js';
import { type Git, gitIn, gitRefusal } from './git.js';
import { type Bound, observeBound } from './let-in.js';
import { isThere } from './paths.js';
import { placeOf } from './place.js';
import { type ProfileFacts, profileAt } from './profile-facts.js';
import { textsIn, workflowsOf } from './workflow-files.js';

/** What a repository is, as far as it decides which workflows it gets. */
export interface Facts {
  /** Root of the repository: GitHub reads workflows there, and nowhere else. */
  root: string;
  /** Root of the outermost repository that this one is a submodule of, or its own: keys are put next to it. */
  outermost: string;
  /** GitHub that it is on. */
  host: string;
  /** `OWNER/NAME`; empty where git knows no remote on a GitHub. */
  repository: string;
  branch: string;
  profile: ProfileFacts | undefined;
  /** Whether the platform's source is here, which setup and rollouts are made from. */
  hasPlatform: boolean;
  /** Whether an MCP server is here, which previews are made of. */
  hasServer: boolean;
  /** What it is, by which context, and who is let into it; `bound` is undefined where that may not be asked. */
  cluster: { fingerprint: string; bound: Bound[] | undefined; context: string } | { why: string };
  /** Whole path of the kubeconfig that KUBECONFIG or the profile names, or of kubectl's usual one; empty where there is none. */
  kubeconfig: string;
  /** Workflows that are there already, by file name. */
  present: ReadonlyMap<string, string>;
  /** Who must review a change of a workflow, as CODEOWNERS says; empty when nobody must. */
  owners: string;
  /** What is to be told of how this was found out, in lines of Markdown. */
  notes: string[];
}

/** What the user says about a repository; empty for what is to be found out. */
export interface Given {
  profile: string;
  repository: string;
  branch: string;
  /** Whether jobs are to install the platform. */
  installs: boolean;
  /** What the workflows begin with; always said. */
  prefix: string;
}

/**
 * Looks at a repository, and at the cluster if one can be reached. Nothing is changed, and nobody is prompted.
 *
 * @throws McprtError `init-no-repository`, `init-repository`, `init-profiles`
 */
export async function observeRepository(folder: string, env: NodeJS.ProcessEnv, given: Given): Promise<Facts> {
  const git = gitIn(folder);
  const root = await rootOf(folder, git);
  const [place, profile, hasPlatform, hasServer, present, owners, outer] = await Promise.all([
    placeOf(git, given.repository, env),
    profileAt(git, { root, folder: await realpath(folder), wanted: given.profile, installs: given.installs, env }),
    // What is built is built from the root.
    isThere(join(root, 'cmd', 'mcp-runtime')),
    isThere(join(root, '.mcp', 'servers.yaml')),
    textsIn(workflowsOf(root)),
    ownersOfWorkflows(root, given.prefix),
    outerOf(root),
  ]);
  const named = env.KUBECONFIG || profile?.kubeconfig || '';
  const usual = await usualKubeconfig({ ...env, KUBECONFIG: named }, isThere);
  const kubeconfig = usual
    .split(delimiter)
    .map((path) => path && resolve(path))
    .join(delimiter);
  const [{ branch, notes }, cluster] = await Promise.all([
    defaultBranch(git, { folder, given: given.branch, place, env }),
    clusterOf(kubeconfig, place.repository),
  ]);
  return {
    root,
    outermost: outer ?? root,
    host: place.host,
    repository: place.repository,
    branch,
    profile: profile?.facts,
    hasPlatform,
    hasServer,
    cluster,
    kubeconfig,
    present,
    owners,
    notes: [
      ...place.notes,
      ...notes,
      ...(outer === undefined
        ? []
        : [`This is a submodule in ${outer}: the workflows are of its own repository, and run there.`]),
    ],
  };
}

/** @throws McprtError `init-no-repository` */
async function rootOf(folder: string, git: Git): Promise<string> {
  const isFolder = await stat(folder).then(
    (found) => found.isDirectory(),
    () => false,
  );
  const root = isFolder ? await git('rev-parse', '--show-toplevel') : '';
  if (root !== '') return root;
  const isBare = isFolder && (await git('rev-parse', '--is-inside-work-tree')) === 'false';
  throw new McprtError('init-no-repository', {
    what: isBare ? `${folder} has no files checked out` : `${folder} is not a git repository`,
    why: !isFolder
      ? 'there is no such folder'
      : isBare
        ? 'it is a bare repository, or the folder in which git keeps its own files'
        : await gitRefusal(folder, 'rev-parse', '--show-toplevel'),
    next: isBare
      ? 'run this in a checkout of it: git clone, or git worktree add'
      : 'run this in the repository that the workflows are for, or name it with --in',
  });
}

/** Root of the outermost repository that has this one as a submodule; undefined where none has. */
async function outerOf(root: string): Promise<string | undefined> {
  const outer = await gitIn(root)('rev-parse', '--show-superproject-working-tree');
  return outer === '' ? undefined : ((await outerOf(outer)) ?? outer);
}

/** Why a cluster is not known, in words for people. */
export const noKubeconfig =
  'neither KUBECONFIG nor the profile names a kubeconfig, and there is none at ~/.kube/config';

async function clusterOf(kubeconfig: string, repository: string): Promise<Facts['cluster']> {
  if (kubeconfig === '') return { why: noKubeconfig };
  try {
    const { cluster, credentials } = await connectWithKubeconfig(kubeconfig);
    const { context } = credentials;
    try {
      const found = await cluster.get(kinds.namespace, { name: 'kube-system' });
      return { fingerprint: found?.metadata.uid ?? '', bound: await observeBound(cluster, repository), context };
    } finally {
      await cluster.close();
    }
  } catch (error) {
    return { why: messageOf(error) };
  }
}
