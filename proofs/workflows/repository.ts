import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readdir, readFile, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { root } from '../../lab/driver/folders.js';
import type { LabState } from '../../lab/driver/lab.js';
import { writeActions } from '../../lab/engine/actions.js';
import { startControl } from '../../lab/engine/control.js';
import { buildEngine } from '../../lab/engine/engine.js';
import type { Environment } from '../../lab/engine/environments.js';
import { Groups } from '../../lab/engine/groups.js';
import { runWorkflow, type WorkflowRun } from '../../lab/engine/run.js';
import { type Github, labRepository as ours, startGithub } from '../../lab/github/github.js';
import { type IdentityProvider, startIdentityProvider } from '../../lab/github/identity-provider.js';
import type { Run } from '../../lab/github/run.js';
import { commitFiles } from '../../lab/platform/source.js';
import type { KeySet } from '../../shared/backup/keys.js';
import { isRecord } from '../../shared/json.js';
import { letIn } from '../keyless/identities.js';
import type { ProofContext } from '../support/proof.js';

const execute = promisify(execFile);
const workflows = join('.github', 'workflows');

/** What every repository needs to run its workflows. */
export interface Tools {
  engine: string;
  /** Folders of the stand-ins of other people's actions. */
  actions: ReadonlyMap<string, string>;
  /** Folder of what a release of this repository has. */
  release: string;
}

/** Builds the engine, or finds it, and writes what is fetched from this machine instead of from GitHub. */
export async function makeTools({ env, progress, folder }: ProofContext): Promise<Tools> {
  const [engine, actions, release] = await Promise.all([
    buildEngine(env, progress),
    writeActions(join(folder, 'actions')),
    releasedCopy(join(folder, 'release')),
  ]);
  return { engine, actions, release };
}

/** A user's repository with the examples in it, as GitHub would run them. */
export interface Repository {
  github: Github;
  folder: string;
  /** What ran, in the order of ending. */
  played: PlayedWorkflow[];
  /** The next runs are of this commit. */
  adopt(commit: string): void;
  /** The next runs are on another cluster: init makes its accounts, and the environments are made anew. */
  move(to: Pick<RepositoryOptions, 'cluster' | 'variables'>): Promise<void>;
  /** Runs an example. */
  run(workflow: string, options: RunOptions): Promise<PlayedWorkflow>;
  close(): Promise<void>;
}

export interface RunOptions {
  event: string;
  payload?: Record<string, unknown>;
  /** What differs from a run of the default branch. */
  as?: Partial<Run>;
  /** Asked for each job whose environment has reviewers; says yes when left out. */
  review?: (environment: string) => Promise<boolean>;
  /** What the workflow's file begins with; `mcprt` when left out. */
  prefix?: string;
  /** Labels of the runner beside GitHub's own. */
  labels?: readonly string[];
}

export interface PlayedWorkflow extends WorkflowRun {
  runId: number;
  /** `job@environment` of the jobs that were let in, in their order, and why others were not. */
  jobs: string[];
}

export interface RepositoryOptions {
  /** Folder of the checkout; made a git repository if it is none. */
  folder: string;
  /** The cluster into which the jobs of the environments are let by their identities. */
  cluster?: LabState;
  /** Whether the platform's installer makes the deployments. */
  install?: boolean;
  /** What is done in place of one call of init, where the workflows are not to be the examples byte by byte; gives the keys. */
  prepare?: (init: Init) => Promise<KeySet>;
  /** `OWNER/REPO@REF` by which the workflows call this release. */
  uses?: string;
  /** The environments, of what init has made. */
  environments(keys: KeySet): Readonly<Record<string, Environment>>;
  variables: Readonly<Record<string, string>>;
  env?: Readonly<Record<string, string>>;
  /** What jobs may check out beside the repository, by `OWNER/NAME`. */
  elsewhere?: Readonly<Record<string, Elsewhere>>;
}

/** Another repository. */
interface Elsewhere {
  folder: string;
  /** Who has it may read the repository; everybody may where it is left out. */
  token?: string;
}

/** Runs init in the repository. @returns what it prints */
export type Init = (...args: string[]) => Promise<string>;

/** What init leaves in its folder: keys, and how the cluster is reached, which is no secret. */
interface Made {
  keys: KeySet;
  variables: Readonly<Record<string, string>>;
}

/** Prepares a repository as its users do, by init, and gives what runs its workflows. */
export async function makeRepository(
  context: ProofContext,
  { engine, actions, release }: Tools,
  options: RepositoryOptions,
): Promise<Repository> {
  const { folder } = options;
  if (!(await readdir(folder)).includes('.git')) {
    await execute('git', ['init', '--quiet', '--initial-branch=main'], { cwd: folder });
  }
  const identities = await startIdentityProvider(await mkdtemp(join(context.folder, 'issuer-')));
  const prepare = (more: Partial<RepositoryOptions> = {}): Promise<Made> =>
    initialised(release, { ...options, ...more }, identities);
  const made = await prepare().catch(async (error: unknown) => {
    await identities.close();
    throw error;
  });
  const environments = options.environments(made.keys);
  let variables = { ...options.variables, ...made.variables };
  const examples = options.prepare ? [] : await requireExamples(folder, options.install ? ['deploy.yml'] : []);
  const first = await commitFiles(folder, {}, 'The workflows of mcprt');
  const github = await startGithub({ run: { sha: first, permissions: {} } });
  for (const [name, { hasReviewers = false }] of Object.entries(environments)) {
    github.setEnvironment(name, { hasReviewers });
  }
  const repositories = new Map([
    [options.uses ?? 'org/mcprt@v1', release],
    ...(await pinsOf(examples)).flatMap((pin): [string, string][] => {
      const home = actions.get(pin.split('@')[0] ?? '');
      return home === undefined ? [] : [[pin, home]];
    }),
  ]);
  let [runId, sha] = [github.run.id, first];
  const played: PlayedWorkflow[] = [];
  const groups = new Groups();
  return {
    github,
    folder,
    played,
    adopt(commit) {
      sha = commit;
    },
    async move(to) {
      variables = { ...to.variables, ...(await prepare(to)).variables };
    },
    async run(workflow, { event, payload = {}, as = {}, review = async () => true, prefix = 'mcprt', labels = [] }) {
      runId += 1;
      // Several runs may be under way.
      const id = runId;
      const view = github.as({ id, event, workflow, sha, ...as });
      const control = await startControl({
        github: view,
        environments,
        secrets: {},
        groups,
        identities,
        review: ({ environment }) => review(environment),
      });
      try {
        const run = await runWorkflow({
          engine,
          repository: folder,
          workflow: `${prefix}-${workflow}`,
          labels,
          event,
          payload: { repository: { full_name: view.env.GITHUB_REPOSITORY, default_branch: 'main' }, ...payload },
          control: control.url,
          repositories,
          variables,
          env: { ...view.env, ...options.env, MCPRT_LAB_CHECKOUTS: checkoutsOf(options.elsewhere) },
          folder: context.folder,
        });
        const jobs = control.entered.map(({ job, environment, refused }) => {
          return `${job}@${environment}${refused === '' ? '' : `: ${refused}`}`;
        });
        const one = { ...run, runId: id, jobs };
        played.push(one);
        return one;
      } finally {
        await control.close();
      }
    },
    async close() {
      await github.close();
      await identities.close();
    },
  };
}

/** For the stand-in of actions/checkout: every step sees it, so that of tokens there is the hash. */
function checkoutsOf(elsewhere: RepositoryOptions['elsewhere'] = {}): string {
  const hashed = Object.entries(elsewhere).map(([name, { folder, token }]) => [
    name,
    { folder, ...(token === undefined ? {} : { token: createHash('sha256').update(token).digest('hex') }) },
  ]);
  return JSON.stringify(Object.fromEntries(hashed));
}

/** Puts the deployment profile into a checkout of the platform, as a team that deploys from it does, without its secrets. */
export async function commitProfile(
  { source, profile }: { source: string; profile: string },
  more = '',
): Promise<void> {
  const text = (await readFile(profile, 'utf8')).replace(/^.*PASSWORD.*\n/gm, '') + more;
  // The profile is ignored by git in the platform's source.
  const files = { '.gitignore': 'bin/\n', 'config/deployments/mcpruntime-org.env': text };
  await commitFiles(source, files, 'Our profile');
}

/** Runs init on a repository, as somebody does who has cloned a release, and tells the control plane what it says. */
async function initialised(
  release: string,
  { folder, cluster, install = false, prepare }: RepositoryOptions,
  provider: IdentityProvider,
): Promise<Made> {
  const made = `${folder}-mcprt-keys`;
  const { KUBECONFIG: _, ...env } = process.env;
  const init = async (...args: string[]): Promise<string> => {
    const words = [join(release, 'dist', 'init.js'), '--in', folder, ...(install ? ['--install'] : []), ...args];
    const { stdout } = await execute(process.execPath, words, {
      env: { ...env, ...(cluster === undefined ? {} : { KUBECONFIG: cluster.kubeconfig }) },
    });
    return stdout;
  };
  if (prepare) return { keys: await prepare(init), variables: {} };
  if (cluster === undefined) await init('--uses', 'org/mcprt@v1');
  else await letIn(init, { provider, state: cluster, repository: { name: ours.name, id: String(ours.id) }, made });
  const { authority, ...keys } = await madeIn(made);
  return {
    keys,
    variables: cluster === undefined ? {} : { MCPRT_SERVER: cluster.server, MCPRT_CERTIFICATE_AUTHORITY: authority },
  };
}

/** What init has left in its folder. */
export async function madeIn(folder: string): Promise<KeySet & { authority: string }> {
  const read = (name: string): Promise<string> => readFile(join(folder, name), 'utf8').catch(() => '');
  const [backup = '', restore = '', offline = '', authority = ''] = await Promise.all(
    ['backup.key', 'restore.key', 'offline.txt', 'certificate-authority.pem'].map(read),
  );
  return { backup, restore, offline, authority };
}

/** The examples that a repository has. @throws Error where one is not as it is here, byte by byte, but those in `adapted` */
async function requireExamples(folder: string, adapted: readonly string[]): Promise<string[]> {
  const names = (await readdir(join(folder, workflows))).filter((name) => name.startsWith('mcprt-'));
  for (const name of names) {
    const example = name.replace(/^mcprt-/, '');
    const [own, ours] = await Promise.all(
      [join(folder, workflows, name), join(root, 'examples', example)].map((file) => readFile(file, 'utf8')),
    );
    if (own !== ours && !adapted.includes(example)) throw new Error(`${name} is not as examples/${example}`);
  }
  return names.map((name) => name.replace(/^mcprt-/, ''));
}

/** What a release of this repository has: its files, with the packages that are installed here. */
async function releasedCopy(folder: string): Promise<string> {
  const { isInstalled } = await import(pathToFileURL(join(root, 'scripts', 'installed.mjs')).href);
  // A drill in the copy would install them anew, through the link.
  if (isInstalled(root) !== true) throw new Error('the packages are not those of the lockfile: use npm run prove');
  const list = ['ls-files', '--cached', '--others', '--exclude-standard', '-z'];
  const { stdout } = await execute('git', list, { cwd: root, maxBuffer: 64 * 1024 * 1024 });
  for (const file of stdout.split('\0').filter((name) => name !== '')) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await cp(join(root, file), join(folder, file));
  }
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

/** `owner/name@ref` of everything that the examples and the workflows that they call use. */
async function pinsOf(examples: readonly string[]): Promise<string[]> {
  const called = (await readdir(join(root, workflows))).map((name) => join(workflows, name));
  const texts = [...examples.map((name) => join('examples', name)), ...called].map((file) =>
    readFile(join(root, file), 'utf8'),
  );
  const found = (await Promise.all(texts)).flatMap((text) => usesIn(parse(text)));
  return [...new Set(found)];
}

function usesIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(usesIn);
  if (!isRecord(value)) return [];
  return [...(typeof value.uses === 'string' ? [value.uses] : []), ...Object.values(value).flatMap(usesIn)];
}
