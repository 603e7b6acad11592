import { McprtError } from '../shared/errors.js';
import { shellWord } from '../shared/shell-word.js';
import type { Git } from './git.js';
import { chooseRemote, isRepositoryName, publicHost, remoteNotes, remotesIn } from './remotes.js';

/** Where a repository is on GitHub. */
export interface Place {
  host: string;
  /** `OWNER/NAME`; empty where nobody knows. */
  repository: string;
  /** The remote of that repository; undefined where it has none. */
  remote: string | undefined;
  notes: string[];
}

/**
 * Where the repository is: as it was given, or as its remotes say.
 *
 * @param given `[HOST/]OWNER/NAME`, or empty
 * @throws McprtError `init-repository`
 */
export async function placeOf(git: Git, given: string, env: NodeJS.ProcessEnv): Promise<Place> {
  const remotes = await remotesIn(git);
  if (given === '') {
    const current = await git('symbolic-ref', '--short', 'HEAD');
    const chosen = chooseRemote(remotes, current === '' ? '' : await git('config', `branch.${current}.remote`));
    const { host = publicHost, repository = '' } = chosen ?? {};
    return { host, repository, remote: chosen?.name, notes: remoteNotes(remotes, chosen) };
  }
  const [, ownHost, repository = ''] = /^(?:([a-z0-9][a-z0-9.-]*)\/)?([^/]+\/[^/]+)$/i.exec(given) ?? [];
  if (!isRepositoryName(repository)) {
    throw new McprtError('init-repository', {
      what: 'what --repository names is no repository',
      why: 'it is not of the form OWNER/NAME, and no job would ever be of it',
      next: 'give it as OWNER/NAME, and as HOST/OWNER/NAME on a GitHub Enterprise Server',
    });
  }
  const isIt = (one: { host: string; repository: string }): boolean =>
    one.repository.toLowerCase() === repository.toLowerCase() && (ownHost ?? one.host).toLowerCase() === one.host;
  const remote = remotes.find(isIt);
  const host = ownHost?.toLowerCase() ?? remote?.host ?? (env.GH_HOST || publicHost);
  return { host, repository, remote: remote?.name, notes: [] };
}

/** A repository as GitHub's command line takes it. */
export function repositoryWord({ host, repository }: Pick<Place, 'host' | 'repository'>): string {
  const name = repository || 'OWNER/NAME';
  return host === publicHost ? name : `${host}/${name}`;
}

/**
 * Where a variable of these environments is set, as GitHub's command line takes it: with one platform it is the repository's,
 * and otherwise each environment's own.
 */
export function variablePlaces(
  names: readonly string[],
  place: Pick<Place, 'host' | 'repository'>,
  isOnlyOne: boolean,
): string[] {
  if (names.length === 0) return [];
  const at = `--repo ${shellWord(repositoryWord(place))}`;
  return isOnlyOne ? [at] : names.map((name) => `--env ${shellWord(name)} ${at}`);
}
