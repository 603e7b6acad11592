import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { publicHost } from './remotes.js';

const run = promisify(execFile);
const askWithin = 20_000;

/** A repository, and on which GitHub. */
interface Asked {
  host: string;
  repository: string;
}

/** What GitHub's command line tells of a repository, where it is there and logged in. */
export interface RepositoryFacts {
  /** GitHub's number of it; empty where nobody told. */
  id: string;
  /** Types of the rules that a branch has; undefined where nobody told. */
  branchRules: readonly string[] | undefined;
}

/** Asks GitHub about a repository; whatever it does not tell is left open. */
export async function askGithub(asked: Asked, branch: string, env: NodeJS.ProcessEnv): Promise<RepositoryFacts> {
  const [id = '', rules] = await Promise.all([
    ask(asked, '', '.id', env),
    ask(asked, `/rules/branches/${encodeURIComponent(branch)}`, '.[].type', env),
  ]);
  return {
    id: /^\d{1,20}$/.test(id) ? id : '',
    branchRules: rules?.split('\n').filter((line) => /^[a-z_]{1,60}$/.test(line)),
  };
}

/** The default branch that GitHub tells; empty where it tells none. */
export async function askDefaultBranch(asked: Asked, env: NodeJS.ProcessEnv): Promise<string> {
  const name = (await ask(asked, '', '.default_branch', env)) ?? '';
  return /^\S+$/.test(name) && name !== 'null' ? name : '';
}

/** It asks github.com unless it is told otherwise, where another repository may have the same name. */
async function ask(
  { host, repository }: Asked,
  path: string,
  query: string,
  env: NodeJS.ProcessEnv,
): Promise<string | undefined> {
  if (repository === '') return undefined;
  const at = host === publicHost ? [] : ['--hostname', host];
  return run('gh', ['api', ...at, `repos/${repository}${path}`, '--jq', query], { timeout: askWithin, env }).then(
    ({ stdout }) => stdout.trim(),
    () => undefined,
  );
}
