import { askRemote, type Git } from './git.js';
import { askDefaultBranch } from './github.js';
import type { Place } from './place.js';

/** The branch whose workflows GitHub runs by the clock, and what is to be said about how it was found. */
export interface DefaultBranch {
  branch: string;
  notes: string[];
}

/**
 * Asks GitHub, then the remote itself, and goes by what git remembers only where neither answers: a clone keeps the
 * default branch of the day on which it was made, and one that was made by `git init` knows none.
 *
 * @param given what the user says
 */
export async function defaultBranch(
  git: Git,
  { folder, given, place, env }: { folder: string; given: string; place: Place; env: NodeJS.ProcessEnv },
): Promise<DefaultBranch> {
  if (given !== '') return { branch: given, notes: [] };
  const remote = place.remote ?? 'origin';
  const remembered = await rememberedBranch(git, remote);
  const told =
    (await askDefaultBranch(place, env)) || (place.remote === undefined ? '' : await branchOfRemote(folder, remote));
  if (told !== '') {
    const isStale = remembered !== '' && remembered !== told;
    const note = `git remembers ${remembered} as the default branch, and it is ${told}: \`git remote set-head ${remote} --auto\`.`;
    return { branch: told, notes: isStale ? [note] : [] };
  }
  if (remembered !== '') {
    const note = `Nobody could be asked for the default branch: ${remembered} is what git remembers. --branch names another.`;
    return { branch: remembered, notes: [note] };
  }
  const current = await git('symbolic-ref', '--short', 'HEAD');
  const what = current === '' ? 'main is a guess' : `${current} is the present one`;
  return {
    branch: current || 'main',
    notes: [
      `- [ ] Neither GitHub’s command line (is it logged in?) nor the remote told the default branch: ${what}. Where it is another, run this again with --branch.`,
    ],
  };
}

async function rememberedBranch(git: Git, remote: string): Promise<string> {
  const prefix = `refs/remotes/${remote}/`;
  const ref = await git('symbolic-ref', `${prefix}HEAD`);
  // One that was deleted upstream is still pointed at.
  const isThere = ref !== '' && (await git('rev-parse', '--verify', '--quiet', ref)) !== '';
  return isThere && ref.startsWith(prefix) ? ref.slice(prefix.length) : '';
}

async function branchOfRemote(folder: string, remote: string): Promise<string> {
  return branchIn(await askRemote(folder, 'ls-remote', '--symref', '--', remote, 'HEAD'));
}

/** The branch that `git ls-remote --symref` says HEAD is; empty where it says none. */
export function branchIn(said: string): string {
  return /^ref: refs\/heads\/(.+)\tHEAD$/m.exec(said)?.[1] ?? '';
}
