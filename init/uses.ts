import { realpath } from 'node:fs/promises';
import { McprtError } from '../shared/errors.js';
import { gitIn } from './git.js';
import { chooseRemote, isRepositoryName, remotesIn } from './remotes.js';

/** From where, and in which version, workflows call mcprt. */
export interface Uses {
  /** `OWNER/REPO` */
  repository: string;
  ref: string;
  /** GitHub that it was found on; undefined where only a name is known. */
  host: string | undefined;
}

/** What is known of a checkout of mcprt. */
export interface Checkout {
  remote: { host: string; repository: string } | undefined;
  /** Tags of its commit. */
  tags: readonly string[];
  /** Empty where none is checked out. */
  branch: string;
  commit: string;
}

/** `OWNER/REPO@REF`; undefined where it is of another form. */
export function usesIn(text: string): Uses | undefined {
  const [, repository = '', ref = ''] = /^([^@]+)@([\w][\w./+-]*)$/.exec(text) ?? [];
  return isRepositoryName(repository) && !ref.includes('..') ? { repository, ref, host: undefined } : undefined;
}

/** The ref that a checkout is of: its major's, which moves with each release, or else the release's own. */
export function refOf({ tags, branch }: Pick<Checkout, 'tags' | 'branch'>): string | undefined {
  const newest = (form: RegExp): string | undefined =>
    tags.filter((tag) => form.test(tag)).sort((a, b) => b.localeCompare(a, 'en', { numeric: true }))[0];
  // A fork may keep its majors as branches.
  return newest(/^v\d+$/) ?? (/^v\d+$/.test(branch) ? branch : undefined) ?? newest(/^v\d+(?:\.\d+){1,2}$/);
}

/**
 * What workflows call: what was given, or the checkout that this runs from, or what the workflows that are there call.
 *
 * @param given `OWNER/REPO@REF`, or empty
 * @param present texts of the workflows that are there
 * @throws McprtError `init-uses`
 */
export function chooseUses(given: string, checkout: Checkout | undefined, present: Iterable<string>): Uses {
  if (given !== '') {
    const uses = usesIn(given);
    if (uses !== undefined) return uses;
    throw new McprtError('init-uses', {
      what: 'what --uses names is no release of mcprt',
      why: 'it is not of the form OWNER/REPO@REF',
      next: 'give the repository and a tag or commit of it, such as --uses OWNER/mcprt@v1',
    });
  }
  const ref = checkout && refOf(checkout);
  if (checkout?.remote !== undefined && ref !== undefined) return { ...checkout.remote, ref };
  const called = [...new Set([...present].flatMap(usesOfWorkflow))];
  const [only = '', ...others] = called;
  const uses = others.length === 0 ? usesIn(only) : undefined;
  if (uses !== undefined) return uses;
  const repository = checkout?.remote?.repository;
  throw new McprtError('init-uses', {
    what: 'it is not known which mcprt the workflows are to call',
    why:
      repository === undefined
        ? 'the copy of mcprt that this runs from is no git checkout whose remote is on GitHub'
        : `the checkout of ${repository} that this runs from is of no release: its commit has no tag such as v1 or v1.2.3`,
    next: `give it with --uses ${repository ?? 'OWNER/REPO'}@${repository === undefined ? 'REF' : checkout?.commit}, or run init from a clone of a release: git clone --branch v1 https://github.com/org/mcprt`,
  });
}

const call = /^ {1,40}uses: {1,9}['"]?([\w.-]{1,100}\/mcprt)\/\.github\/workflows\/[\w.-]{1,100}@([\w./+-]{1,250})/gm;

function usesOfWorkflow(text: string): string[] {
  return [...text.matchAll(call)].map(([, repository, ref]) => `${repository}@${ref}`);
}

/** An example that calls mcprt from there. */
export function withUses(text: string, { repository, ref }: Pick<Uses, 'repository' | 'ref'>): string {
  return text.replace(
    /^( {1,40}uses: {1,9})[\w.-]{1,100}\/mcprt(\/\.github\/workflows\/[\w.-]{1,100})@[\w./+-]{1,250}/gm,
    (_, start: string, file: string) => `${start}${repository}${file}@${ref}`,
  );
}

/** What git knows of the checkout in a folder; undefined where the folder is not the root of one. */
export async function checkoutAt(folder: string): Promise<Checkout | undefined> {
  const git = gitIn(folder);
  const [root, real] = await Promise.all([git('rev-parse', '--show-toplevel'), realpath(folder)]);
  if (root !== real) return undefined;
  const [remotes, tags, branch, commit] = await Promise.all([
    remotesIn(git),
    git('tag', '--points-at', 'HEAD'),
    git('symbolic-ref', '--short', 'HEAD'),
    git('rev-parse', 'HEAD'),
  ]);
  return { remote: chooseRemote(remotes, ''), tags: tags.split('\n'), branch, commit };
}
