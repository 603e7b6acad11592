import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { withoutEnd } from '../shared/text.js';
import type { Git } from './git.js';

const run = promisify(execFile);
export const publicHost = 'github.com';

/** A repository as a remote's address names it. */
export interface Remote {
  host: string;
  /** `OWNER/NAME` */
  repository: string;
  /** Whether the host is a name of ssh's, which its configuration may give another meaning. */
  isSsh: boolean;
}

/** A remote by the name that git has for it. */
export type NamedRemote = Remote & { name: string };

/** The repository of a remote's address, in any form that git takes; undefined for what is on no host, or no OWNER/NAME. */
export function remoteOf(address: string): Remote | undefined {
  const isUrl = /^[a-z][a-z0-9+.-]*:\/\//i.test(address);
  const parts = isUrl ? ofUrl(address) : /^(?:[^@/:]+@)?([^/:@]+):(.*)$/.exec(address)?.slice(1, 3);
  const [host = '', path = ''] = parts ?? [];
  const repository = withoutEnd(path.replace(/^\/+/, ''), '/').replace(/\.git$/, '');
  if (!/^[a-z0-9][a-z0-9.-]*$/i.test(host) || !isRepositoryName(repository)) return undefined;
  return { host: hostOf(host), repository, isSsh: !/^(?:https?|git):/i.test(address) };
}

function ofUrl(address: string): string[] | undefined {
  if (!URL.canParse(address)) return undefined;
  const { protocol, hostname, pathname } = new URL(address);
  return /^(?:https?|ssh|git|git\+ssh|ssh\+git):$/.test(protocol) ? [hostname, pathname] : undefined;
}

/** GitHub's name of a host: ssh goes to another one where only port 443 is open. */
function hostOf(name: string): string {
  const host = name.toLowerCase().replace(/^www\./, '');
  return host === `ssh.${publicHost}` ? publicHost : host;
}

/** Whether a text is of the form OWNER/NAME, and means a repository and no folder. */
export function isRepositoryName(text: string): boolean {
  return /^[\w.-]{1,100}\/[\w.-]{1,100}$/.test(text) && !text.split('/').some((part) => /^\.{1,2}$/.test(part));
}

/** The remotes of a repository that lead to one on a host. */
export async function remotesIn(git: Git): Promise<NamedRemote[]> {
  const names = (await git('remote')).split('\n').filter((name) => name !== '');
  const found = await Promise.all(
    names.map(async (name): Promise<NamedRemote[]> => {
      const remote = remoteOf(await git('remote', 'get-url', '--', name));
      if (remote === undefined) return [];
      return [{ name, ...remote, host: remote.isSsh ? await meantBySsh(remote.host) : remote.host }];
    }),
  );
  return found.flat();
}

/** Several accounts are told apart by hosts that only ssh's configuration knows, such as github.com-work. */
async function meantBySsh(host: string): Promise<string> {
  const said = await run('ssh', ['-G', host], { timeout: 5_000 }).then(
    ({ stdout }) => stdout,
    () => '',
  );
  return hostOf(/^hostname (\S+)$/m.exec(said)?.[1] ?? host);
}

/** The remote whose workflows are meant: `origin`, else the one of the present branch, else the only one. */
export function chooseRemote(remotes: readonly NamedRemote[], ofBranch: string): NamedRemote | undefined {
  const named = (wanted: string): NamedRemote | undefined => remotes.find(({ name }) => name === wanted);
  return named('origin') ?? named(ofBranch) ?? (remotes.length === 1 ? remotes[0] : undefined);
}

/** What is to be said about a choice among remotes. */
export function remoteNotes(remotes: readonly NamedRemote[], chosen: NamedRemote | undefined): string[] {
  const listed = remotes
    .filter((one) => one.repository !== chosen?.repository || one.host !== chosen.host)
    .map(({ name, host, repository }) => `${name} (${host}/${repository})`)
    .join(', ');
  if (chosen === undefined) {
    return listed === ''
      ? []
      : [`- [ ] There are several remotes, and none is origin: ${listed}. Name yours with --repository.`];
  }
  const isKnown = chosen.host === publicHost || chosen.host.endsWith('.ghe.com');
  return [
    ...(isKnown
      ? []
      : [
          `${chosen.host} is taken for a GitHub Enterprise Server. Where it is none, name your repository with --repository.`,
        ]),
    ...(listed === ''
      ? []
      : [`Other remotes: ${listed}. --repository names another repository than ${chosen.name}’s.`]),
  ];
}
