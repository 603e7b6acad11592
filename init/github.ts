import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
const askWithin = 20_000;

/** What GitHub's command line tells of a repository, where it is there and logged in. */
export interface RepositoryFacts {
  /** GitHub's number of it; empty where nobody told. */
  id: string;
  /** Types of the rules that a branch has; undefined where nobody told. */
  branchRules: readonly string[] | undefined;
}

/** Asks GitHub about a repository; whatever it does not tell is left open. */
export async function askGithub(repository: string, branch: string, env: NodeJS.ProcessEnv): Promise<RepositoryFacts> {
  if (repository === '') return { id: '', branchRules: undefined };
  const ask = async (path: string, query: string): Promise<string | undefined> =>
    run('gh', ['api', path, '--jq', query], { timeout: askWithin, env }).then(
      ({ stdout }) => stdout.trim(),
      () => undefined,
    );
  const [id = '', rules] = await Promise.all([
    ask(`repos/${repository}`, '.id'),
    ask(`repos/${repository}/rules/branches/${encodeURIComponent(branch)}`, '.[].type'),
  ]);
  return {
    id: /^\d{1,20}$/.test(id) ? id : '',
    branchRules: rules?.split('\n').filter((line) => /^[a-z_]{1,60}$/.test(line)),
  };
}
