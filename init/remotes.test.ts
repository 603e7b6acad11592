import { describe, expect, it } from '@jest/globals';
import { chooseRemote, type NamedRemote, remoteNotes, remoteOf } from './remotes.js';

describe('the repository of a remote', () => {
  it.each([
    ['https://github.com/acme/platform.git', 'github.com/acme/platform'],
    ['https://github.com/acme/platform.git/', 'github.com/acme/platform'],
    ['https://github.com/acme/platform', 'github.com/acme/platform'],
    ['https://GitHub.com/Acme/Platform/', 'github.com/Acme/Platform'],
    ['https://www.github.com/acme/platform', 'github.com/acme/platform'],
    ['https://token@github.com/acme/platform', 'github.com/acme/platform'],
    ['https://user:secret@github.com/acme/platform.git', 'github.com/acme/platform'],
    ['git://github.com/acme/platform.git', 'github.com/acme/platform'],
    ['git@github.com:acme/platform.git', 'github.com/acme/platform'],
    ['git@github.com:/acme/platform.git', 'github.com/acme/platform'],
    ['github.com:acme/platform/', 'github.com/acme/platform'],
    ['org-42@github.com:acme/platform', 'github.com/acme/platform'],
    ['ssh://git@github.com/acme/plat.form', 'github.com/acme/plat.form'],
    ['ssh://git@ssh.github.com:443/acme/platform.git', 'github.com/acme/platform'],
    ['git+ssh://git@github.com:22/acme/platform', 'github.com/acme/platform'],
    ['git@github.com-work:acme/platform.git', 'github.com-work/acme/platform'],
    ['https://git.example.com/acme/platform.git', 'git.example.com/acme/platform'],
    ['https://git.example.com:8443/acme/platform', 'git.example.com/acme/platform'],
    ['ssh://git@git.example.com:2222/acme/platform.git', 'git.example.com/acme/platform'],
    ['https://acme.ghe.com/acme/platform', 'acme.ghe.com/acme/platform'],
    ['https://notgithub.com/acme/platform', 'notgithub.com/acme/platform'],
    ['https://gitlab.com/acme/team/platform.git', undefined],
    ['https://github.com/acme', undefined],
    ['https://github.com/acme/..', undefined],
    ['https://github.com/acme/pl at', undefined],
    ['file:///srv/acme/platform.git', undefined],
    ['/srv/acme/platform.git', undefined],
    ['../acme/platform', undefined],
    ['-oProxyCommand=x:acme/platform', undefined],
    ['', undefined],
  ])('of %s is %s', (address, expected) => {
    const remote = remoteOf(address);
    expect(remote && `${remote.host}/${remote.repository}`).toBe(expected);
  });
});

describe('the remote that is meant', () => {
  const named = (...names: string[]): NamedRemote[] =>
    names.map((name) => ({ name, host: 'github.com', repository: `${name}/platform`, isSsh: false }));

  it.each([
    [['origin'], '', 'origin'],
    [['upstream', 'origin'], 'upstream', 'origin'],
    [['upstream', 'mine'], 'mine', 'mine'],
    [['mine'], '', 'mine'],
    [['upstream', 'mine'], '', undefined],
    [[], '', undefined],
  ])('of %j with a branch of %j is %s', (names, ofBranch, expected) => {
    expect(chooseRemote(named(...names), ofBranch)?.name).toBe(expected);
  });

  it('is told where it is one of several, or on a host that nobody knows', () => {
    const [one, two] = named('origin', 'upstream');
    expect(remoteNotes(named('a', 'b'), undefined).join()).toContain('a (github.com/a/platform), b (');
    expect(remoteNotes([], undefined)).toEqual([]);
    expect(remoteNotes(one && two ? [one, two] : [], one).join()).toContain('upstream (github.com/upstream/platform)');
    expect(remoteNotes([], one && { ...one, host: 'git.corp' }).join()).toContain(
      'taken for a GitHub Enterprise Server',
    );
    expect(remoteNotes([], one && { ...one, host: 'acme.ghe.com' })).toEqual([]);
  });
});
